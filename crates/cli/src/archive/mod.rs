//! Files as a stream, between the host and a node: written by [`pack()`] on one side, read by
//! [`unpack()`] on the other, in the form of `tar`. The stream of a node is not trusted.
//!
//! A stream holds one file or folder, which it calls `content` (and what is in it `content/…`):
//! the reader decides what the copy is called.

mod pack;
mod unpack;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What a stream calls the file or folder that it holds.
const ROOT: &str = "content";

pub(crate) use pack::pack;
pub(crate) use unpack::{Trust, unpack};

/// Runs inside a node for `telaio cp`: `__tar pack PATH` writes a stream to standard output,
/// `__tar unpack NAME PATH` reads one from standard input. Returns the exit status.
pub(crate) fn main(words: &[OsString]) -> u8 {
    let done = match words {
        [verb, path] if verb == "pack" => {
            pack(&PathBuf::from(path), io::stdout().lock()).map(|()| Vec::new())
        }
        [verb, name, path] if verb == "unpack" => {
            let input = io::stdin().lock();
            unpack(input, &PathBuf::from(path), name, Trust::Full)
        }
        _ => return 2,
    };
    match done {
        Ok(left_out) => {
            left_out
                .iter()
                .for_each(|text| crate::ui::warning(text, None));
            0
        }
        Err(e) => {
            // a reader that is gone knows why
            if !e.reader_gone {
                crate::ui::err(&format!("{e}\n"));
            }
            1
        }
    }
}

/// Why files could not be copied.
#[derive(Debug)]
pub(crate) struct Error {
    text: String,
    reader_gone: bool,
}

impl Error {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            reader_gone: false,
        }
    }

    fn io(doing: &str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let text = format!("{doing} {}", path.as_ref().display());
        move |e| Self {
            text: format!("{text}: {}", crate::failure::reason(&e)),
            reader_gone: e.kind() == io::ErrorKind::BrokenPipe,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
