//! `telaio cp`.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::path::Path;

use supervisor::client::{Client, Command, Running};

use crate::archive::{self, Trust};
use crate::args::Common;
use crate::failure::{Failure, Outcome, reason};
use crate::target::{self, Side};
use crate::{choose, ui};

const EXAMPLES: &str = "\
Examples:
  telaio cp r1:/etc/frr/frr.conf .         out of a node
  telaio cp frr.conf r1:/etc/frr/          into a node, owned by its root
  telaio cp site/. www:/var/www/html       what is in a folder
  telaio cp r1:/var/log r2:/tmp            from node to node

A file or folder that is copied into a folder keeps its name; otherwise the copy is called as
you say. Modes and times are kept. From a node, links that lead outside the copy are left out,
and whatever is neither file, folder nor link.";

/// The program that nodes have for it.
const PROGRAM: &str = "/usr/lib/telaio/telaio";

/// Bytes of a node's complaint that are shown.
const LONGEST_COMPLAINT: u64 = 4096;

/// Copy files into and out of nodes
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to copy: `node:path`, or a path of the host
    source: OsString,
    /// Where to: `node:path`, or a path of the host
    destination: OsString,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let from = side(&args.source);
    let to = side(&args.destination);
    if let (Side::Host(_), Side::Host(_)) = (&from, &to) {
        return Err(
            Failure::usage("neither side is in a node").help("write `node:path` for one of them")
        );
    }
    let client = choose::client(common.lab.as_deref())?;
    let status = client.status()?;
    for side in [&from, &to] {
        if let Side::Node { node, .. } = side {
            target::node_of(node, &status)?;
        }
    }
    let left_out = copy(&client, &from, &to)?;
    if common.json {
        ui::json(&serde_json::json!({ "copied": true, "left_out": left_out }));
    } else {
        left_out.iter().for_each(|text| ui::warning(text, None));
    }
    Ok(0)
}

/// A word that is no text can only be a path.
fn side(word: &OsStr) -> Side {
    word.to_str()
        .map_or_else(|| Side::Host(word.into()), Side::parse)
}

fn copy(client: &Client, from: &Side, to: &Side) -> Result<Vec<String>, Failure> {
    let say = |e: archive::Error| Failure::failed(e.to_string());
    match (from, to) {
        (Side::Node { node, path }, Side::Host(to)) => {
            let mut packer = Far::pack(client, node, path)?;
            let unpacked = archive::unpack(
                &mut packer.output,
                to,
                &name_of(Path::new(path)),
                Trust::None,
            );
            packer.end(unpacked.map_err(say))
        }
        (Side::Host(from), Side::Node { node, path }) => {
            let unpacker = Far::unpack(client, node, path, &name_of(from))?;
            let input = unpacker.1;
            let packed = archive::pack(from, &input);
            drop(input);
            unpacker.0.end(packed.map_err(say).map(|()| Vec::new()))
        }
        (
            Side::Node { node, path },
            Side::Node {
                node: other,
                path: to,
            },
        ) => {
            let mut packer = Far::pack(client, node, path)?;
            let (unpacker, mut input) = Far::unpack(client, other, to, &name_of(Path::new(path)))?;
            let copied = io::copy(&mut packer.output, &mut input).map(|_| Vec::new());
            drop(input);
            let read = packer.end(Ok(Vec::new()));
            let written = unpacker.end(copied.map_err(|e| Failure::io("copying to", other, &e)));
            read.and(written)
        }
        (Side::Host(_), Side::Host(_)) => Ok(Vec::new()),
    }
}

/// What a copy is called in a folder; `.` when it is the content that is wanted.
fn name_of(path: &Path) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_os_str().as_bytes();
    if bytes == b"." || bytes.ends_with(b"/.") || bytes == b"/" {
        return ".".into();
    }
    match path.file_name() {
        Some(name) => name.into(),
        None => path
            .canonicalize()
            .ok()
            .and_then(|p| p.file_name().map(Into::into))
            .unwrap_or_else(|| ".".into()),
    }
}

/// The side of a copy that runs in a node.
struct Far {
    running: Running,
    node: String,
    output: PipeReader,
    errors: PipeReader,
}

impl Far {
    /// A node that sends a file or folder.
    fn pack(client: &Client, node: &str, path: &str) -> Result<Self, Failure> {
        let (far, input) = Self::start(client, node, &["pack", path])?;
        drop(input);
        Ok(far)
    }

    /// A node that takes a file or folder, and what to write it to.
    fn unpack(
        client: &Client,
        node: &str,
        path: &str,
        name: &OsStr,
    ) -> Result<(Self, io::PipeWriter), Failure> {
        let name = name.to_str().ok_or_else(|| {
            Failure::usage("the name of what is to be copied is no text (UTF-8)")
                .help("give the copy another name")
        })?;
        Self::start(client, node, &["unpack", name, path])
    }

    fn start(
        client: &Client,
        node: &str,
        words: &[&str],
    ) -> Result<(Self, io::PipeWriter), Failure> {
        let broken =
            |e: io::Error| Failure::failed(format!("no pipe for the copy: {}", reason(&e)));
        let (their_input, input) = io::pipe().map_err(broken)?;
        let (output, their_output) = io::pipe().map_err(broken)?;
        let (errors, their_errors) = io::pipe().map_err(broken)?;
        let argv = [PROGRAM, "__tar"].into_iter().chain(words.iter().copied());
        let command = Command {
            node: node.into(),
            argv: argv.map(str::to_string).collect(),
            ..Command::default()
        };
        let stdio = [
            their_input.as_fd(),
            their_output.as_fd(),
            their_errors.as_fd(),
        ];
        let running = client.exec(&command, stdio)?;
        let far = Self {
            running,
            node: node.into(),
            output,
            errors,
        };
        Ok((far, input))
    }

    /// Waits for the node's side to end. What the node says of an error is worth more than what
    /// this side sees of it.
    fn end(mut self, here: Result<Vec<String>, Failure>) -> Result<Vec<String>, Failure> {
        // a node that still sends would wait for ever
        drop(self.output);
        let mut said = Vec::new();
        let _ = self.errors.take(LONGEST_COMPLAINT).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        let status = self.running.wait()?;
        if status == 0 || said.trim().is_empty() {
            return match (here, status) {
                (Ok(_), status) if status != 0 => Err(Failure::failed(format!(
                    "{}: copying ended with status {status}",
                    self.node
                ))),
                (here, _) => here,
            };
        }
        let said: Vec<String> = said.trim().lines().map(ui::harmless).collect();
        Err(Failure::failed(format!(
            "{}: {}",
            self.node,
            said.join("; ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_called_as_their_source() {
        let name = |path: &str| name_of(Path::new(path));
        assert_eq!(name("/etc/frr/frr.conf"), "frr.conf");
        assert_eq!(name("site/"), "site");
        assert_eq!(name("site/."), ".");
        assert_eq!(name("/"), ".");
    }
}
