//! What this program is inside a node: the words of init systems (`systemctl`, `service`, …)
//! under which it is called there, and what checks and copies run.

use std::ffi::OsString;
use std::path::Path;

use sandbox::services;

/// Runs as what its words say, if they are words of a node; the exit status.
pub(crate) fn run(words: &[OsString]) -> Option<u8> {
    let (name, rest) = words.split_first()?;
    let name = Path::new(name).file_name()?.to_str()?;
    if services::is_shim(name) && is_inside() {
        let rest: Vec<String> = rest
            .iter()
            .map(|w| w.to_string_lossy().into_owned())
            .collect();
        return Some(status(services::main(name, &rest)));
    }
    match rest.split_first()? {
        (word, rest) if word == "__probe" => {
            let rest: Vec<String> = rest
                .iter()
                .map(|w| w.to_string_lossy().into_owned())
                .collect();
            Some(status(check::probe::main(&rest)))
        }
        (word, rest) if word == "__tar" => Some(crate::archive::main(rest)),
        _ => None,
    }
}

/// Whether this process is in a node, which has its program at a place of its own.
fn is_inside() -> bool {
    Path::new(services::BINARY).exists()
}

fn status(status: i32) -> u8 {
    u8::try_from(status).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_nodes_every_name_is_telaio() {
        if is_inside() {
            eprintln!("skipped: this host has {}", services::BINARY);
            return;
        }
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(run(&words("telaio up")), None);
        assert_eq!(run(&words("/usr/local/bin/telaio-0.1 ls")), None);
        assert_eq!(run(&words("telaio __tar nonsense")), Some(2));
    }
}
