//! What concerns a whole machine: its name, its end.

use super::{Failure, say};

/// `hostnamectl [status]`, `hostnamectl set-hostname NAME`, `hostnamectl hostname [NAME]`.
pub(super) fn hostnamectl(args: &[&str]) -> Result<i32, Failure> {
    let words: Vec<_> = args
        .iter()
        .copied()
        .filter(|a| !a.starts_with('-'))
        .collect();
    match words.as_slice() {
        [] | ["status"] => say(&format!(
            " Static hostname: {}\n  Virtualization: telaio",
            name()
        )),
        ["hostname"] => say(&name()),
        ["set-hostname" | "hostname", new] => rename(new)?,
        [other, ..] => return Err(Failure::new(1, format!("Unknown command verb {other}."))),
    }
    Ok(0)
}

fn name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.unwrap_or_default().trim().to_owned()
}

fn rename(new: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::new(1, format!("the host name could not be set to `{new}`: {e}"))
    };
    sys::process::set_hostname(new).map_err(failed)?;
    std::fs::write("/etc/hostname", format!("{new}\n")).map_err(failed)
}

/// A node cannot end or restart itself: its wires are kept outside of it.
pub(super) fn power(name: &str, _args: &[&str]) -> Result<i32, Failure> {
    let command = match name {
        "reboot" => "restart",
        _ => "down --node",
    };
    let node = self::name();
    Err(Failure::new(
        1,
        format!("{name}: a node does not do this itself; on the host: telaio {command} {node}"),
    ))
}
