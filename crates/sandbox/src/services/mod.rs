//! What starts daemons in a node: `systemctl`, `service`, `/etc/init.d/*` and their kin. All of
//! them are the Telaio binary under another name ([`main`]); [`shims`] says where each of them is
//! put. They start the real daemons, as packages' unit files say ([`mod@unit`]) with what Telaio knows
//! of them ([`catalog`]), and wait until they are ready. Not an init: nothing of it stays running.

mod bind;
mod catalog;
mod control;
mod daemon;
mod frr;
mod host;
mod initd;
mod kernel;
mod load;
mod network;
mod prepare;
mod process;
mod run;
mod setup;
mod sysctl;
mod systemctl;
mod unit;
mod users;

use std::io::Write;

/// Names under which the binary is one of the shims.
pub const NAMES: &[&str] = &[
    "systemctl",
    "service",
    "invoke-rc.d",
    "update-rc.d",
    "journalctl",
    "modprobe",
    "insmod",
    "rmmod",
    "lsmod",
    "sysctl",
    "hostnamectl",
    "reboot",
    "halt",
    "poweroff",
    "shutdown",
    "ifup",
    "ifdown",
];

/// Init scripts hold this, which tells them from a package's or a lab's own.
const INIT_MARK: &str = "# telaio: this service is started by";

/// A file that nodes have in place of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shim {
    /// Where it is in a node.
    pub path: String,
    /// A script; none: a symbolic link to [`BINARY`].
    pub script: Option<String>,
    /// It is put there only where neither the host nor a tool layer has something.
    pub fallback: bool,
}

/// Where the Telaio binary is in a node.
pub const BINARY: &str = "/usr/lib/telaio/telaio";

/// All shims of a node.
pub fn shims() -> Vec<Shim> {
    let fallback = ["sysctl", "ifup", "ifdown"];
    let commands = NAMES.iter().map(|name| {
        let folder = match *name {
            "systemctl" | "journalctl" | "hostnamectl" => "/usr/bin",
            _ => "/usr/sbin",
        };
        Shim {
            path: format!("{folder}/{name}"),
            script: None,
            fallback: fallback.contains(name),
        }
    });
    commands.chain(initd::scripts()).collect()
}

/// Whether the binary is a shim under this name (its first argument, perhaps with a folder).
pub fn is_shim(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    NAMES.contains(&name)
}

/// Runs a shim with its arguments, without its name; the exit status to end with.
pub fn main(name: &str, args: &[String]) -> i32 {
    let name = name.rsplit('/').next().unwrap_or(name);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match name {
        "systemctl" => systemctl::main(&args),
        "service" => initd::service(&args),
        "invoke-rc.d" => initd::invoke(&args),
        "update-rc.d" => Ok(0),
        "journalctl" => systemctl::journal(&args),
        "modprobe" | "insmod" | "rmmod" | "lsmod" => kernel::main(name, &args),
        "sysctl" => sysctl::main(&args),
        "hostnamectl" => host::hostnamectl(&args),
        "reboot" | "halt" | "poweroff" | "shutdown" => host::power(name, &args),
        "ifup" | "ifdown" => network::command(name, &args),
        _ => Err(Failure::new(
            127,
            format!("telaio: `{name}` is not known here"),
        )),
    };
    done.unwrap_or_else(|failure| {
        say_err(&failure.text);
        failure.status
    })
}

/// Why a shim did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    status: i32,
    text: String,
}

impl Failure {
    fn new(status: i32, text: String) -> Self {
        Self { status, text }
    }

    /// Adds the daemon's own words.
    fn add(&mut self, words: &str) {
        for line in words.lines().filter(|l| !l.trim().is_empty()) {
            self.text.push_str("\n  ");
            self.text.push_str(line);
        }
    }
}

/// One or more lines to standard output; a closed pipe is nobody's fault.
fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Lines to standard error, if there are any.
fn say_err(text: &str) {
    if !text.is_empty() {
        drop(writeln!(std::io::stderr(), "{text}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shim_has_its_own_place() {
        let shims = shims();
        let paths: std::collections::HashSet<_> = shims.iter().map(|s| &s.path).collect();
        assert_eq!(paths.len(), shims.len());
        assert!(paths.contains(&"/etc/init.d/bind9".to_owned()));
        assert!(is_shim("/bin/systemctl") && !is_shim("telaio"));
    }
}
