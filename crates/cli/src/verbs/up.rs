//! `telaio up`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use formats::Read;
use sandbox::tools::{Hold, Store};
use supervisor::client::Client;
use supervisor::place::Place;
use supervisor::{Keep, Start};
use sys::epoll::Signals;
use sys::features::Features;

use crate::args::Common;
use crate::failure::{FAILED, Failure, Outcome, reason};
use crate::loaded::{self, How};
use crate::progress::{End, Watch};
use crate::{doctor, span, ui};

use super::{check, down, terminals};

const EXAMPLES: &str = "\
Examples:
  telaio up                              the lab of the current folder
  telaio up labs/ospf                    another one: a folder, a lab.conf or a telaio.yaml
  telaio up labs/ospf --name mine        under another name, beside the first
  telaio up labs/ospf --node r1 --node r2
  telaio up labs/ospf --terminals        a window or tmux pane for each node
  telaio up labs/ospf --dry-run          show what would be done

It returns when every startup script has ended, with what failed in them; --wait 0 returns as
soon as all nodes and wires are there, --wait 30s after half a minute at the latest. Ctrl-C
before that ends the lab. Afterwards the lab runs until `telaio down`.

Exit status: 0 all is up; 1 the lab or one of its startup scripts failed (in the latter case it
runs on); 2 the lab cannot run here, or has mistakes: nothing was started.";

/// Ctrl-C, SIGTERM and SIGHUP end a lab that is coming up.
const ENDING: &[i32] = &[1, 2, 15];

/// How long what a failed start leaves is waited for.
const CLEANING: Duration = Duration::from_secs(5);

/// Start a lab
#[derive(Debug, Default, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The lab's folder or main file; by default the current folder
    #[arg(value_name = "LAB")]
    path: Option<PathBuf>,
    /// Call it so (by default as it says, else like its folder)
    #[arg(long)]
    name: Option<String>,
    /// Return at the latest after this time, once all nodes and wires are there
    #[arg(long, value_name = "DURATION", value_parser = span::parse)]
    wait: Option<Duration>,
    /// Show the plan and what this host lacks for it; start nothing
    #[arg(long)]
    dry_run: bool,
    /// Start although this is missing: a feature, program or service that a message named, or
    /// `all` (may be repeated)
    #[arg(long, value_name = "WHAT")]
    without: Vec<String>,
    /// Then run the lab's own checks; exit status 1 if one fails. The lab runs on
    #[arg(long)]
    check: bool,
    /// Open a terminal on each node: tmux panes, or windows of a terminal emulator
    #[arg(long, value_name = "KIND", value_enum, num_args = 0..=1, default_missing_value = "auto", require_equals = true)]
    terminals: Option<terminals::Kind>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let began = Instant::now();
    let path = args
        .path
        .clone()
        .or_else(|| common.lab.as_ref().map(PathBuf::from));
    let path = path.unwrap_or_else(|| ".".into());
    let prepared = Prepared::new(&path, args, common)?;
    if args.dry_run {
        return prepared.show_plan(common);
    }
    let terminals = args
        .terminals
        .map(|kind| terminals::Opener::new(kind, prepared.name.as_str()));
    let opener = terminals.transpose()?;
    let lab = prepared.read.lab.clone();
    let (place, keep) = prepared.start()?;
    // only now: the broker was not to inherit blocked signals
    let signals = Signals::new(ENDING)
        .map_err(|e| Failure::failed(format!("signals cannot be waited for: {}", reason(&e))))?;
    let up = Up {
        args,
        common,
        place,
        lab,
        began,
    };
    up.see_through(keep, &signals, opener)
}

/// A lab that can be started: read, named, and judged against this host.
pub(crate) struct Prepared {
    pub(crate) name: String,
    source: PathBuf,
    read: Read,
    tools: Hold,
    size: plan::size::Size,
}

impl Prepared {
    fn new(path: &Path, args: &Args, common: &Common) -> Result<Self, Failure> {
        let read = loaded::read(path, &args.how)?;
        let name = loaded::name(args.name.as_deref(), &read)?;
        let (folder, language) = (read.folder.display(), loaded::language(read.dialect));
        tracing::info!("read {folder} as {language}: the lab `{name}`");
        loaded::tell(&read.diagnostics, common.verbose > 0);
        Self::of(read, name, loaded::source(path), &args.without, common)
    }

    /// Judges a lab that was read.
    pub(crate) fn of(
        mut read: Read,
        name: String,
        source: PathBuf,
        without: &[String],
        common: &Common,
    ) -> Result<Self, Failure> {
        let tools = Store::of_user()
            .hold()
            .map_err(|e| Failure::usage(e.to_string()))?;
        let adapted = sandbox::routing::adapt(&read.lab, &mut read.snapshot);
        loaded::tell(&adapted, common.verbose > 0);
        let features = Features::try_all();
        let judged = doctor::of_lab(
            &read.lab,
            &read.snapshot,
            &features,
            tools.layers(),
            without,
        );
        let (size, wanting) = judged;
        if wanting.has_errors() {
            let message = format!("the lab `{name}` cannot run on this host");
            return Err(Failure::mistakes(message, wanting)
                .help("`telaio doctor` tells what this host can do"));
        }
        loaded::tell(&wanting, common.verbose > 0);
        tracing::info!("{}", doctor::size_line(&size).trim_end());
        for layer in tools.layers() {
            tracing::info!("nodes see the tools in {}", layer.display());
        }
        Ok(Self {
            name,
            source,
            read,
            tools,
            size,
        })
    }

    fn show_plan(&self, common: &Common) -> Outcome {
        let plan = plan::plan(&self.read.lab, None);
        match common.json {
            true => ui::json(&serde_json::json!({
                "name": self.name,
                "source": self.source,
                "plan": plan,
                "diagnostics": self.read.diagnostics.to_json(),
            })),
            false => ui::out(&format!("{plan}{}", doctor::size_line(&self.size))),
        }
        Ok(0)
    }

    /// Starts it. Only for a process with one thread.
    pub(crate) fn start(mut self) -> Result<(Place, Keep), Failure> {
        let before = self.read.diagnostics.iter().count();
        formats::prepare(&mut self.read)
            .map_err(|d| Failure::mistakes("the lab cannot be prepared", d.into()))?;
        let mut new = diag::Diagnostics::new();
        self.read
            .diagnostics
            .iter()
            .skip(before)
            .for_each(|d| new.push(d.clone()));
        loaded::tell(&new, false);
        let start = Start {
            name: self.name,
            source: self.source,
            folder: self.read.folder,
            lab: self.read.lab,
            snapshot: self.read.snapshot,
            tools: self.tools.layers().to_vec(),
            held: self.tools.into_lock().into_iter().collect(),
        };
        tracing::info!("starting its broker and its process 1");
        supervisor::start(start).map_err(|e| {
            // what a start leaves that failed at the wrong moment
            Place::sweep();
            Failure::from(e)
        })
    }
}

/// A lab that was started and is watched.
struct Up<'a> {
    args: &'a Args,
    common: &'a Common,
    place: Place,
    lab: lab::Lab,
    began: Instant,
}

impl Up<'_> {
    fn see_through(
        &self,
        keep: Keep,
        signals: &Signals,
        opener: Option<terminals::Opener>,
    ) -> Outcome {
        let client = Client::new(&self.place);
        let wires = plan::segments(&self.lab).len();
        let mut watch = Watch::new(
            self.lab.nodes.len(),
            wires,
            self.common.json,
            self.common.verbose > 0,
        );
        let open = || {
            if let Some(opener) = &opener {
                opener.open(&self.lab);
            }
        };
        let end = match client.events(true).map_err(Failure::from) {
            Ok(events) => watch.until_ready(events, signals, self.args.wait, open)?,
            Err(failure) => return self.gone(keep, failure),
        };
        match end {
            End::Ready | End::TimeOver => {
                tracing::info!(
                    "the lab lives on by itself, at {}",
                    self.place.folder().display()
                );
                keep.keep();
            }
            End::Broken(node, message) => {
                let node = node.map(|n| format!("{n}: ")).unwrap_or_default();
                let text = format!("the lab cannot be made: {node}{}", ui::harmless(&message));
                return self.gone(keep, Failure::failed(text));
            }
            End::Gone => return self.gone(keep, self.ended()),
            End::Interrupted(signal) => {
                ui::err("interrupted: the lab goes down\n");
                let status = u8::try_from(128 + signal).unwrap_or(FAILED);
                let stopped = Failure::failed("interrupted before the lab was up").status(status);
                return self.gone(keep, stopped);
            }
        }
        self.finish(&watch, end == End::Ready)
    }

    /// Takes the lab down after a failed start, and waits until nothing is left of it.
    fn gone(&self, keep: Keep, failure: Failure) -> Outcome {
        drop(keep);
        if !self.place.wait_gone(CLEANING) {
            let _ = down::end(&self.place, Duration::ZERO);
        }
        Err(failure)
    }

    fn ended(&self) -> Failure {
        Failure::failed(format!(
            "the lab `{}` ended while it was coming up",
            self.place.name()
        ))
    }

    fn finish(&self, watch: &Watch, ready: bool) -> Outcome {
        let status = if watch.failed.is_empty() { 0 } else { FAILED };
        if self.common.json {
            ui::json(&serde_json::json!({
                "name": self.place.name(),
                "ready": ready,
                "nodes": self.lab.nodes.len(),
                "seconds": self.began.elapsed().as_secs_f64(),
                "failed": watch.failed,
            }));
        } else {
            self.say(watch, ready);
        }
        if self.args.check {
            return self.check(status);
        }
        Ok(status)
    }

    fn check(&self, status: u8) -> Outcome {
        if self.lab.checks.is_empty() {
            ui::warning(
                "the lab has no checks",
                Some("write some under `checks:` in telaio.yaml"),
            );
            return Ok(status);
        }
        let client = Client::new(&self.place);
        let report = check::see(&client, &self.lab, &self.lab.checks, None, self.common);
        Ok(status.max(check::finish(&report, None, self.common)?))
    }

    fn say(&self, watch: &Watch, ready: bool) {
        let name = self.place.name();
        let time = span::show(self.began.elapsed().as_secs_f64());
        let nodes = ui::count(self.lab.nodes.len(), "node");
        let state = match (ready, watch.failed.len()) {
            (true, 0) => format!("{name} is up: {nodes} in {time}"),
            (true, n) => format!(
                "{name} is up in {time}, but the startup of {} of {nodes} failed",
                n
            ),
            (false, _) => {
                format!("{name} is built, {nodes} in {time}; startup scripts go on (`telaio ps`)")
            }
        };
        ui::err(&format!("{state}\n"));
        if let (true, Some(first)) = (io::stderr().is_terminal(), self.lab.nodes.keys().next()) {
            ui::err(&format!(
                "next: telaio shell {first}; telaio ps; telaio down\n"
            ));
        }
    }
}
