//! `telaio setup`.

use std::io::{self, Write};

use crate::args::Common;
use crate::failure::{FAILED, Failure, Outcome};
use crate::{setup, ui};

const EXAMPLES: &str = "\
Examples:
  telaio setup --dry-run     show what it would do
  sudo telaio setup          do it: once for a host
  sudo telaio setup --undo   take it back

Labs run without it on most hosts; `telaio doctor` tells what it would improve.";

/// Do once, as root, what labs of users need
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: setup::Options,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut said = Said {
        text: Vec::new(),
        now: !common.json,
    };
    let done = setup::run(&args.options, &mut said);
    let text = String::from_utf8_lossy(&said.text).into_owned();
    match done {
        Ok(()) => {
            if common.json {
                ui::json(&serde_json::json!({ "said": text.lines().collect::<Vec<_>>() }));
            }
            Ok(0)
        }
        Err(e) => Err(Failure::failed(format!("{e:#}")).status(FAILED)),
    }
}

/// Says at once what is said, or keeps it for later.
struct Said {
    text: Vec<u8>,
    now: bool,
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.now {
            true => ui::out(&String::from_utf8_lossy(bytes)),
            false => self.text.extend_from_slice(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
