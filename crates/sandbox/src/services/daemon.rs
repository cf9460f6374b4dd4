//! Starting, stopping and finding the daemon of a unit. What runs is read from the processes:
//! Telaio keeps no daemon of its own for this, only notes below `/run/telaio`.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use sys::epoll::Poller;

use super::catalog::Extra;
use super::process::{self, Process};
use super::run::{self, End, Environment};
use super::unit::{KillMode, Kind, Unit};
use super::{Failure, prepare};

const NOTES: &str = "/run/telaio/services";
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(10);
/// How long a daemon that says nothing about being ready is watched for an early end.
const EARLY: Duration = Duration::from_millis(150);
const POLL: Duration = Duration::from_millis(5);

/// A unit's daemon.
pub(super) struct Daemon<'a> {
    pub(super) unit: &'a Unit,
    pub(super) extra: Option<&'a Extra>,
}

impl Daemon<'_> {
    fn note(&self, end: &str) -> PathBuf {
        Path::new(NOTES).join(format!("{}.{end}", self.unit.name))
    }

    /// Where its commands' words go.
    pub(super) fn log(&self) -> PathBuf {
        self.note("log")
    }

    /// Its main process, if it runs.
    pub(super) fn main(&self) -> Option<Process> {
        let by_note = Process::recorded(&self.note("pid"));
        let by_file = || self.unit.pidfile.as_deref().and_then(Process::of_pidfile);
        by_note.or_else(by_file).or_else(|| self.by_program())
    }

    /// A daemon that a script started without us.
    fn by_program(&self) -> Option<Process> {
        if self.unit.name.contains('@') || self.unit.kind == Kind::Oneshot {
            return None;
        }
        let service = lab::packages::service_named(&self.unit.name)?;
        process::running(service.program)
    }

    /// Whether it is up: it runs, or it is of a kind that stays so after its commands.
    pub(super) fn active(&self) -> bool {
        match self.unit.kind {
            Kind::Oneshot => self.note("active").exists(),
            _ => self.main().is_some(),
        }
    }

    /// Starts it and waits until it is ready.
    pub(super) fn start(&self) -> Result<(), Failure> {
        if self.active() {
            return Ok(());
        }
        self.forget();
        fs::create_dir_all(NOTES).map_err(|e| Failure::new(1, format!("{NOTES}: {e}")))?;
        let log_from = fs::metadata(self.log()).map_or(0, |m| m.len());
        self.start_steps().map_err(|mut failure| {
            let said = self.said_since(log_from);
            failure.add(if said.is_empty() { self.why() } else { said }.as_str());
            failure
        })
    }

    /// What the service's own check says of its configuration.
    fn why(&self) -> String {
        let Some((program, args)) = self.extra.and_then(|e| e.why.split_first()) else {
            return String::new();
        };
        let out = std::process::Command::new(program).args(args).output();
        let text = out
            .map(|o| [o.stdout, o.stderr].concat())
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().take(20).collect::<Vec<_>>().join("\n")
    }

    fn start_steps(&self) -> Result<(), Failure> {
        prepare::prepare(self.unit, self.extra)?;
        if let Some(setup) = self.extra.and_then(|e| e.setup) {
            setup().map_err(|text| Failure::new(1, text))?;
        }
        let mut environment = Environment::of(self.unit)?;
        let timeout = self.unit.start_timeout.unwrap_or(START).min(5 * START);
        run::all(
            self.unit,
            &self.unit.pre,
            &environment,
            &self.log(),
            timeout,
        )?;
        let deadline = Instant::now() + timeout;
        match self.unit.kind {
            Kind::Oneshot => self.start_oneshot(&environment, timeout)?,
            Kind::Forking => self.start_forking(&environment, deadline)?,
            Kind::Simple => self.start_simple(&environment)?,
            Kind::Notify => self.start_notify(&mut environment, deadline)?,
        }
        self.wait_ready(deadline)?;
        self.with_main_pid(&mut environment);
        run::all(
            self.unit,
            &self.unit.post,
            &environment,
            &self.log(),
            timeout,
        )
    }

    fn start_oneshot(&self, environment: &Environment, timeout: Duration) -> Result<(), Failure> {
        run::all(
            self.unit,
            &self.unit.start,
            environment,
            &self.log(),
            timeout,
        )?;
        if self.unit.remain {
            drop(fs::write(self.note("active"), ""));
        }
        Ok(())
    }

    /// The command ends once its daemon is there; then a named pid file must show up.
    fn start_forking(&self, environment: &Environment, deadline: Instant) -> Result<(), Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        run::all(self.unit, &self.unit.start, environment, &self.log(), left)?;
        let Some(file) = &self.unit.pidfile else {
            return Ok(());
        };
        let wanted = deadline.min(Instant::now() + Duration::from_secs(10));
        while Process::of_pidfile(file).is_none() {
            // some write no file, or another one than their unit says
            if Instant::now() >= wanted {
                let running = self.by_program().is_some();
                return match running {
                    true => Ok(()),
                    false => Err(Failure::new(
                        1,
                        "the daemon ended right after its start".into(),
                    )),
                };
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn start_simple(&self, environment: &Environment) -> Result<(), Failure> {
        let mut child = self.spawn_main(environment)?;
        match run::wait(&mut child, Instant::now() + EARLY) {
            End::StillRuns => Ok(()),
            End::Status(0) if self.unit.remain => Ok(()),
            End::Status(status) => Err(ended(status)),
        }
    }

    /// Starts the main command and notes its process.
    fn spawn_main(&self, environment: &Environment) -> Result<Child, Failure> {
        let exec = self.unit.start.last();
        let exec =
            exec.ok_or_else(|| Failure::new(1, format!("{} has no ExecStart", self.unit.origin)))?;
        let child = run::spawn(self.unit, exec, environment, &self.log())?;
        self.record(child.id().cast_signed());
        Ok(child)
    }

    fn record(&self, pid: i32) {
        if let Some(process) = Process::of(pid) {
            drop(process.record(&self.note("pid")));
        }
    }

    /// By the protocol of sd_notify(3).
    fn start_notify(
        &self,
        environment: &mut Environment,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let path = self.note("notify");
        drop(fs::remove_file(&path));
        let failed =
            |e: std::io::Error| Failure::new(1, format!("{}: {e}", self.note("notify").display()));
        let socket = UnixDatagram::bind(&path).map_err(failed)?;
        open_to_all(&path).map_err(failed)?;
        environment.set("NOTIFY_SOCKET", path.display().to_string());
        let mut child = self.spawn_main(environment)?;
        let ready = self.await_ready(&socket, &mut child, deadline);
        drop(fs::remove_file(&path));
        ready
    }

    fn await_ready(
        &self,
        socket: &UnixDatagram,
        child: &mut Child,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let late = || Failure::new(1, "the daemon did not become ready in time".into());
        let pidfd = sys::process::pidfd_open(child.id().cast_signed()).ok();
        let mut poller = Poller::new().map_err(|_| late())?;
        poller.add(socket, 0).map_err(|_| late())?;
        if let Some(fd) = &pidfd {
            poller.add(fd, 1).map_err(|_| late())?;
        }
        let mut deadline = deadline;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            for event in poller.wait(Some(left)).map_err(|_| late())? {
                if event.token == 0 && self.read_notice(socket)? {
                    return Ok(());
                }
                if event.token == 1 {
                    match child.try_wait() {
                        // it left a daemon behind, which will tell
                        Ok(Some(status)) if status.success() => {
                            pidfd.iter().for_each(|fd| drop(poller.remove(fd)));
                            deadline = deadline.min(Instant::now() + Duration::from_secs(10));
                        }
                        Ok(Some(status)) => return Err(ended(status.code().unwrap_or(1))),
                        _ => {}
                    }
                }
            }
        }
        Err(late())
    }

    /// One message; true if it says ready.
    fn read_notice(&self, socket: &UnixDatagram) -> Result<bool, Failure> {
        let mut buffer = [0; 4096];
        let Ok(length) = socket.recv(&mut buffer) else {
            return Ok(false);
        };
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let field = |name: &str| {
            text.lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix('='))
        };
        if let Some(pid) = field("MAINPID").and_then(|p| p.parse().ok()) {
            self.record(pid);
        }
        match field("ERRNO") {
            Some(number) if number != "0" => {
                let why = field("STATUS").unwrap_or(number);
                Err(Failure::new(1, format!("the daemon gave up: {why}")))
            }
            _ => Ok(field("READY") == Some("1")),
        }
    }

    /// Waits for the sign that Telaio knows this service by.
    fn wait_ready(&self, deadline: Instant) -> Result<(), Failure> {
        let Some(sign) = self
            .extra
            .and_then(|e| e.ready)
            .filter(|_| self.unit.kind != Kind::Oneshot)
        else {
            return Ok(());
        };
        let deadline = deadline.min(Instant::now() + Duration::from_secs(10));
        while !Path::new(sign).exists() && Instant::now() < deadline && self.main().is_some() {
            std::thread::sleep(POLL);
        }
        match Path::new(sign).exists() {
            true => Ok(()),
            false => Err(Failure::new(
                1,
                format!("the daemon runs, but {sign} did not appear"),
            )),
        }
    }

    fn with_main_pid(&self, environment: &mut Environment) {
        if let Some(main) = self.main() {
            environment.set("MAINPID", main.pid.to_string());
        }
    }

    /// Stops it and waits for its end. What does not run is stopped already.
    pub(super) fn stop(&self) -> Result<(), Failure> {
        let main = self.main();
        if main.is_none() && !self.active() {
            return Ok(());
        }
        let family = main.map(process::descendants).unwrap_or_default();
        let timeout = self.unit.stop_timeout.unwrap_or(STOP).min(START);
        let mut environment = Environment::of(self.unit)?;
        self.with_main_pid(&mut environment);
        let asked = run::all(
            self.unit,
            &self.unit.stop,
            &environment,
            &self.log(),
            timeout,
        );
        if let Some(main) = main {
            self.end(main, asked.is_ok() && !self.unit.stop.is_empty(), timeout);
        }
        if self.unit.kill_mode == KillMode::All {
            family.iter().for_each(|p| p.signal(15));
            let rest = family
                .iter()
                .filter(|p| !p.wait_end(Duration::from_secs(2)));
            rest.for_each(|p| p.signal(9));
        }
        drop(run::all(
            self.unit,
            &self.unit.stop_post,
            &environment,
            &self.log(),
            timeout,
        ));
        self.forget();
        Ok(())
    }

    /// Removes what tells of a daemon that has ended: some refuse to start while its file lies.
    fn forget(&self) {
        for end in ["pid", "active"] {
            drop(fs::remove_file(self.note(end)));
        }
        let stale = |f: &&PathBuf| Process::of_pidfile(f).is_none();
        if let Some(file) = self.unit.pidfile.as_ref().filter(stale) {
            drop(fs::remove_file(file));
        }
    }

    /// Ends the main process: by its own stop command, else by its signal, else by force.
    fn end(&self, main: Process, asked: bool, timeout: Duration) {
        if asked && main.wait_end(timeout) {
            return;
        }
        main.signal(self.unit.kill_signal.unwrap_or(15));
        if !main.wait_end(timeout) {
            main.signal(9);
            main.wait_end(timeout);
        }
    }

    /// Has it read its configuration again.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        let Some(_) = self.main() else {
            return Err(Failure::new(
                7,
                format!("{}.service is not active, cannot reload.", self.unit.name),
            ));
        };
        if self.unit.reload.is_empty() {
            return Err(Failure::new(
                3,
                format!(
                    "{}.service cannot reload its configuration: restart it",
                    self.unit.name
                ),
            ));
        }
        let mut environment = Environment::of(self.unit)?;
        self.with_main_pid(&mut environment);
        let from = fs::metadata(self.log()).map_or(0, |m| m.len());
        run::all(
            self.unit,
            &self.unit.reload,
            &environment,
            &self.log(),
            START,
        )
        .map_err(|mut failure| {
            failure.add(&self.said_since(from));
            failure
        })
    }

    /// What its commands said since their log was so long: the last 20 lines.
    fn said_since(&self, from: u64) -> String {
        tail(&self.log(), from, 20)
    }
}

fn ended(status: i32) -> Failure {
    Failure::new(1, format!("the daemon ended with status {status}"))
}

/// The daemon may have become another user before it speaks.
fn open_to_all(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}

/// The last lines of a file after a position, at most 16 KiB of it.
pub(super) fn tail(file: &Path, from: u64, lines: usize) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = fs::File::open(file)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(16384))))?;
        let mut bytes = Vec::new();
        file.take(16384).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
