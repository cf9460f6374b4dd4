//! `up --terminals`: a terminal for each node, as tmux panes or windows of a terminal emulator.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use lab::Lab;

use crate::failure::Failure;
use crate::{sealed, ui};

/// More terminals than that at once help nobody.
const MOST: usize = 64;

/// What kind of terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Panes in tmux, or without a display; else windows
    Auto,
    /// Windows of a tmux session `telaio-LAB`
    Tmux,
    /// Windows of a terminal emulator
    Window,
    /// None
    None,
}

/// A terminal emulator, and how it is told a title and a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Emulator {
    program: &'static str,
    title: &'static [&'static str],
    run: &'static [&'static str],
}

/// Known emulators, the system's own choice first.
const EMULATORS: &[Emulator] = &[
    Emulator {
        program: "x-terminal-emulator",
        title: &["-T"],
        run: &["-e"],
    },
    Emulator {
        program: "xterm",
        title: &["-T"],
        run: &["-e"],
    },
    Emulator {
        program: "gnome-terminal",
        title: &["--title"],
        run: &["--"],
    },
    Emulator {
        program: "konsole",
        title: &["-p"],
        run: &["-e"],
    },
    Emulator {
        program: "xfce4-terminal",
        title: &["-T"],
        run: &["-x"],
    },
    Emulator {
        program: "kitty",
        title: &["-T"],
        run: &[],
    },
    Emulator {
        program: "alacritty",
        title: &["-t"],
        run: &["-e"],
    },
    Emulator {
        program: "foot",
        title: &["-T"],
        run: &[],
    },
];

/// Where terminals are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// Panes beside the one that we run in.
    Panes,
    /// A tmux session of the lab's own.
    Session,
    /// Windows of a known emulator.
    Emulator(Emulator),
    /// `TELAIO_TERMINAL`: a command that gets the command to run appended.
    Own(Vec<String>),
}

/// Opens terminals for a lab.
#[derive(Debug)]
pub(crate) struct Opener {
    way: Option<Way>,
    lab: String,
    program: PathBuf,
}

impl Opener {
    /// Chooses how, before the lab is started: a choice that cannot be had is a mistake.
    pub(crate) fn new(kind: Kind, lab: &str) -> Result<Self, Failure> {
        let set = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        let host = Host {
            own: set("TELAIO_TERMINAL"),
            in_tmux: set("TMUX").is_some(),
            display: set("DISPLAY").or_else(|| set("WAYLAND_DISPLAY")).is_some(),
            has: &|program| is_on_path(program),
        };
        Ok(Self {
            way: host.choose(kind)?,
            lab: lab.into(),
            program: sealed::program(),
        })
    }

    /// Opens them; what does not work is told, and the lab goes on.
    pub(crate) fn open(&self, lab: &Lab) {
        let Some(way) = &self.way else {
            return;
        };
        let wanted: Vec<&str> = lab
            .nodes
            .iter()
            .flat_map(|(name, node)| {
                let number = node.terminals.unwrap_or(1).min(16) as usize;
                std::iter::repeat_n(name.as_str(), number)
            })
            .collect();
        if wanted.len() > MOST {
            let text = format!(
                "only the first {MOST} of {} terminals are opened",
                wanted.len()
            );
            ui::warning(&text, Some("`telaio shell NODE` opens others"));
        }
        for (number, node) in wanted.into_iter().take(MOST).enumerate() {
            if let Err(e) = self.open_one(way, number, node) {
                ui::warning(&format!("no terminal for {node}: {e}"), None);
                return;
            }
        }
        if *way == Way::Session {
            ui::err(&format!(
                "terminals: tmux attach -t '=telaio-{}'\n",
                self.lab
            ));
        }
    }

    fn open_one(&self, way: &Way, number: usize, node: &str) -> Result<(), String> {
        let shell = [
            self.program.to_string_lossy().into_owned(),
            "shell".into(),
            "-l".into(),
            self.lab.clone(),
            node.into(),
        ];
        match way {
            Way::Panes => {
                run(
                    "tmux",
                    &[&["split-window", "-d"], words(&shell).as_slice()].concat(),
                )?;
                run("tmux", &["select-layout", "tiled"])
            }
            Way::Session => {
                let session = format!("telaio-{}", self.lab.replace(['.', ':'], "_"));
                let target = format!("={session}:");
                let new: &[&str] = match number {
                    0 => &["new-session", "-d", "-s", &session, "-n", node],
                    _ => &["new-window", "-d", "-t", &target, "-n", node],
                };
                run("tmux", &[new, words(&shell).as_slice()].concat())
            }
            Way::Emulator(e) => {
                let mut command = Command::new(e.program);
                let title = format!("{node} ({})", self.lab);
                command.args(e.title).arg(title).args(e.run).args(&shell);
                spawn(command)
            }
            Way::Own(own) => {
                let mut command = Command::new(&own[0]);
                command.args(&own[1..]).args(&shell);
                spawn(command)
            }
        }
    }
}

fn words(shell: &[String]) -> Vec<&str> {
    shell.iter().map(String::as_str).collect()
}

fn run(program: &str, words: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|e| format!("{program}: {}", crate::failure::reason(&e)))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{program}: {}",
            ui::harmless(String::from_utf8_lossy(&output.stderr).trim())
        )),
    }
}

/// Starts a window that lives on without us.
fn spawn(mut command: Command) -> Result<(), String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    sys::process::new_session(&mut command, false);
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .spawn()
        .map(drop)
        .map_err(|e| format!("{program}: {}", crate::failure::reason(&e)))
}

/// What there is to choose from.
struct Host<'a> {
    own: Option<String>,
    in_tmux: bool,
    display: bool,
    has: &'a dyn Fn(&str) -> bool,
}

impl Host<'_> {
    fn choose(&self, kind: Kind) -> Result<Option<Way>, Failure> {
        if kind == Kind::None {
            return Ok(None);
        }
        if let Some(own) = &self.own {
            let words: Vec<String> = own.split_whitespace().map(str::to_string).collect();
            if !words.is_empty() {
                return Ok(Some(Way::Own(words)));
            }
        }
        let tmux = match (self.in_tmux, (self.has)("tmux")) {
            (true, true) if kind == Kind::Auto => Some(Way::Panes),
            (_, true) => Some(Way::Session),
            _ => None,
        };
        let emulator = EMULATORS
            .iter()
            .find(|e| self.display && (self.has)(e.program));
        let window = emulator.copied().map(Way::Emulator);
        let chosen = match kind {
            Kind::Tmux => tmux,
            Kind::Window => window,
            _ if self.in_tmux => tmux.or(window),
            _ => window.or(tmux),
        };
        chosen.map(Some).ok_or_else(|| self.nothing(kind))
    }

    fn nothing(&self, kind: Kind) -> Failure {
        let message = match kind {
            Kind::Tmux => "there is no tmux here",
            Kind::Window if !self.display => "there is no display for windows",
            Kind::Window => "no terminal emulator is known here",
            _ => "there is neither tmux nor a terminal emulator here",
        };
        Failure::usage(message)
            .help("install tmux, or set TELAIO_TERMINAL to a command that runs another in a terminal (`xterm -e`)")
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| is_program(&folder.join(program)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(kind: Kind, in_tmux: bool, display: bool, programs: &[&str]) -> Option<Way> {
        let has = |p: &str| programs.contains(&p);
        Host {
            own: None,
            in_tmux,
            display,
            has: &has,
        }
        .choose(kind)
        .unwrap_or(None)
    }

    #[test]
    fn inside_tmux_panes_else_windows_else_a_session() {
        let both = &["tmux", "xterm"];
        assert_eq!(chosen(Kind::Auto, true, true, both), Some(Way::Panes));
        assert_eq!(
            chosen(Kind::Auto, false, true, both),
            Some(Way::Emulator(EMULATORS[1]))
        );
        assert_eq!(chosen(Kind::Auto, false, false, both), Some(Way::Session));
        assert_eq!(chosen(Kind::Tmux, true, true, both), Some(Way::Session));
        assert_eq!(chosen(Kind::Window, true, false, both), None);
        assert_eq!(chosen(Kind::None, true, true, both), None);
    }

    #[test]
    fn ones_own_terminal_comes_first() {
        let host = Host {
            own: Some("st -e".into()),
            in_tmux: true,
            display: true,
            has: &|_| true,
        };
        assert_eq!(
            host.choose(Kind::Auto).unwrap(),
            Some(Way::Own(vec!["st".into(), "-e".into()]))
        );
    }

    #[test]
    fn nothing_to_choose_from_is_said_with_a_mend() {
        let host = Host {
            own: None,
            in_tmux: false,
            display: false,
            has: &|_| false,
        };
        let failure = host.choose(Kind::Auto).unwrap_err();
        assert!(failure.help.unwrap().contains("TELAIO_TERMINAL"));
    }
}
