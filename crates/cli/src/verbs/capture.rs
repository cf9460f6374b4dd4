//! `telaio capture`.

use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use sys::epoll::{Poller, Signals};

use crate::args::Common;
use crate::failure::{Failure, Outcome, reason};
use crate::{choose, target, ui};

const EXAMPLES: &str = "\
Examples:
  telaio capture r1:eth0 | wireshark -k -i -       watch an interface live
  telaio capture A | tcpdump -n -r -               a whole segment
  telaio capture r1:eth0 -w r1.pcapng              into a file, until Ctrl-C
  telaio capture A --snaplen 128 -w heads.pcapng   only the first 128 bytes of each frame

Frames are shown as they would be on a wire: segmented, with complete checksums. With --raw they
are as the kernel passes them, which may be large packets that no wire has seen.";

/// Ctrl-C, SIGTERM and SIGHUP end a capture in order.
const ENDING: &[i32] = &[1, 2, 15];

const SIGNALS: u64 = 0;
const FRAMES: u64 = 1;

/// Record the frames of an interface or a segment
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// An interface (`node:interface`) or a segment
    #[arg(value_name = "NODE:IF|SEGMENT")]
    target: String,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Frames as the kernel passes them
    #[arg(long)]
    raw: bool,
    /// Keep so many bytes of each frame
    #[arg(short, long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(14..=262_144))]
    snaplen: Option<u32>,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    if args.write.is_none() && io::stdout().is_terminal() {
        return Err(Failure::usage("a capture is nothing for a terminal").help(format!(
            "pipe it (`telaio capture {} | wireshark -k -i -`) or write it to a file (`-w FILE`)",
            args.target
        )));
    }
    let client = choose::client(common.lab.as_deref())?;
    target::interfaces(&args.target, &client.status()?)?;
    let broken = |e: io::Error| Failure::failed(format!("no capture: {}", reason(&e)));
    let signals = Signals::new(ENDING).map_err(broken)?;
    let mut output = Output::open(args.write.as_ref())?;
    let (frames, theirs) = io::pipe().map_err(broken)?;
    let capture = client.capture(&args.target, args.raw, args.snaplen, theirs.as_fd())?;
    drop(theirs);
    if args.write.is_some() {
        ui::err(&format!("capturing {}; Ctrl-C ends it\n", args.target));
    }
    let bytes = record(frames, &signals, &mut output, move || drop(capture))?;
    if let Some(path) = &args.write {
        match common.json {
            true => ui::json(&serde_json::json!({ "file": path, "bytes": bytes })),
            false => ui::err(&format!("{bytes} bytes in {}\n", path.display())),
        }
    }
    Ok(0)
}

/// Where frames go.
enum Output {
    Stdout,
    File(File, PathBuf),
}

impl Output {
    fn open(path: Option<&PathBuf>) -> Result<Self, Failure> {
        match path {
            None => Ok(Self::Stdout),
            Some(path) => match File::create(path) {
                Ok(file) => Ok(Self::File(file, path.clone())),
                Err(e) => Err(Failure::io("writing", path.display(), &e)),
            },
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                if let Err(e) = out.write_all(bytes).and_then(|()| out.flush()) {
                    ui::gone(&e);
                }
                Ok(())
            }
            Self::File(file, path) => file
                .write_all(bytes)
                .map_err(|e| Failure::io("writing", path.display(), &e)),
        }
    }
}

/// Copies frames until there are no more, or a signal comes; `stop` ends the capture.
fn record(
    mut frames: PipeReader,
    signals: &Signals,
    output: &mut Output,
    stop: impl FnOnce(),
) -> Result<u64, Failure> {
    let broken = |e: io::Error| Failure::failed(format!("the capture ended: {}", reason(&e)));
    let mut poller = Poller::new().map_err(broken)?;
    poller.add(signals, SIGNALS).map_err(broken)?;
    poller.add(&frames, FRAMES).map_err(broken)?;
    let mut stop = Some(stop);
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        for ready in poller.wait(None).map_err(broken)? {
            if ready.token == SIGNALS {
                // what is under way comes yet, then the pipe is closed
                if signals.take().is_some()
                    && let Some(stop) = stop.take()
                {
                    stop();
                }
                continue;
            }
            match frames.read(&mut buffer).map_err(broken)? {
                0 => return Ok(bytes),
                n => {
                    output.write(&buffer[..n])?;
                    bytes += n as u64;
                }
            }
        }
    }
}
