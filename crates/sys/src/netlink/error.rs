//! What the kernel refused, in words.

use std::fmt;
use std::io;

/// A request that the kernel refused, or a socket that failed.
#[derive(Clone, Debug)]
pub struct Error {
    what: String,
    errno: i32,
    kernel: Option<String>,
}

impl Error {
    pub(crate) fn new(what: String, errno: i32, kernel: Option<String>) -> Self {
        Self {
            what,
            errno,
            kernel,
        }
    }

    pub(crate) fn from_io(what: &str, error: &io::Error) -> Self {
        Self::new(what.to_string(), error.raw_os_error().unwrap_or(0), None)
    }

    /// The number of the operating system's error; 0 if it was another kind of failure.
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// What the kernel said in its own words, if it did.
    pub fn kernel(&self) -> Option<&str> {
        self.kernel.as_deref()
    }

    /// Whether what was to be made exists already.
    pub fn is_exists(&self) -> bool {
        self.errno == libc::EEXIST
    }

    /// Whether what was named does not exist (any more).
    pub fn is_absent(&self) -> bool {
        matches!(
            self.errno,
            libc::ENODEV | libc::ENOENT | libc::ESRCH | libc::ENXIO | libc::EADDRNOTAVAIL
        )
    }

    /// Whether this kernel lacks what was asked for.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self.errno,
            libc::EOPNOTSUPP | libc::ENOENT | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT
        )
    }

    fn reason(&self) -> String {
        match self.errno {
            0 => "the answer makes no sense".into(),
            libc::EPERM | libc::EACCES => "not allowed (it takes the right to administer the \
                network, CAP_NET_ADMIN, in this network namespace)"
                .into(),
            libc::EOPNOTSUPP => "this kernel cannot do that".into(),
            libc::ENODEV => "there is no such interface".into(),
            libc::EEXIST => "it exists already".into(),
            libc::ENETUNREACH => "no interface's network leads there".into(),
            libc::EXFULL => "the bridge has all the 1023 ports that a bridge can have".into(),
            libc::ENOBUFS | libc::ENOMEM => "the kernel is short of memory for it".into(),
            code => words(code),
        }
    }
}

/// The system's words for an error, without its number.
fn words(code: i32) -> String {
    let text = io::Error::from_raw_os_error(code).to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.reason())?;
        match &self.kernel {
            Some(text) => write!(f, " (the kernel: {text})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = io::Error::from_raw_os_error(error.errno).kind();
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_and_why_and_no_number() {
        let error = Error::new("make the bridge h1".into(), libc::EPERM, None);
        let text = error.to_string();
        assert!(text.starts_with("cannot make the bridge h1: not allowed"));
        assert!(!text.contains("os error"));
        let error = Error::new("x".into(), libc::EINVAL, Some("Bad mask".into()));
        assert_eq!(
            error.to_string(),
            "cannot x: invalid argument (the kernel: Bad mask)"
        );
    }
}
