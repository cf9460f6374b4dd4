//! Kernel parameters, below `/proc/sys`. Those of the network are the ones of this thread's
//! network namespace.

use std::io;
use std::path::PathBuf;

/// Sets a parameter: `net.ipv4.ip_forward`, or `net/ipv4/conf/eth0.100/rp_filter` where a part
/// of the name has a dot.
///
/// # Errors
/// In words: the parameter does not exist, may not be set here, or does not take that value.
pub fn write(key: &str, value: &str) -> io::Result<()> {
    let path = path(key)?;
    std::fs::write(path, value).map_err(|e| explain(e, value))
}

/// A parameter's value, without the line's end.
pub fn read(key: &str) -> io::Result<String> {
    let text = std::fs::read_to_string(path(key)?).map_err(|e| explain(e, ""))?;
    Ok(text.trim_end().to_string())
}

/// As `sysctl` reads names: whichever of `.` and `/` comes first parts them; if it is the dot,
/// a slash within a part stands for a dot.
fn path(key: &str) -> io::Result<PathBuf> {
    let slashes = key
        .find(['.', '/'])
        .is_some_and(|at| key.as_bytes()[at] == b'/');
    let swap = |c| match c {
        '.' if !slashes => '/',
        '/' if !slashes => '.',
        other => other,
    };
    let name: String = key.chars().map(swap).collect();
    let safe = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if !name.split('/').all(safe) {
        let text = format!("`{key}` is no name of a kernel parameter");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(PathBuf::from("/proc/sys").join(name))
}

fn explain(error: io::Error, value: &str) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::NotFound => "this kernel has no such parameter".to_string(),
        io::ErrorKind::PermissionDenied => "it may not be changed in here".to_string(),
        io::ErrorKind::ReadOnlyFilesystem => "/proc/sys is mounted read-only".to_string(),
        io::ErrorKind::InvalidInput => format!("it does not take the value `{value}`"),
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_dots_in_interfaces() {
        let of = |key: &str| path(key).unwrap().display().to_string();
        assert_eq!(of("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward");
        assert_eq!(of("net/ipv4/conf/e.1/x"), "/proc/sys/net/ipv4/conf/e.1/x");
        assert_eq!(of("net.ipv4.conf.e/1.x"), "/proc/sys/net/ipv4/conf/e.1/x");
    }

    #[test]
    fn names_stay_below_proc_sys() {
        for key in ["net/../../etc", "", "/etc", "net..x", "net.ipv4.//"] {
            assert!(path(key).is_err(), "{key}");
        }
    }
}
