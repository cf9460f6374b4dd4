//! Quagga's and GNU Zebra's configurations as FRR reads them. The languages are the same but for
//! a few commands; what differs in effect is that FRR's BGP wants policies and checked networks
//! unless told otherwise, and that static routes belong to a daemon of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::daemons::Daemons;

/// What could not be kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// The file's name in its folder.
    pub(crate) file: String,
    /// Line number, from 1.
    pub(crate) line: usize,
    /// The line itself.
    pub(crate) text: String,
    /// What happens to it.
    pub(crate) why: &'static str,
}

/// A folder of configurations by file name, and remarks on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) remarks: Vec<Remark>,
}

/// Adapts the content of `/etc/quagga` or `/etc/zebra` for `/etc/frr`.
pub(crate) fn adapt(old: &BTreeMap<String, String>) -> Folder {
    let mut new = Folder::default();
    let mut statics = String::new();
    for (name, text) in old {
        match name.as_str() {
            "daemons" | "debian.conf" => {}
            "Quagga.conf" | "quagga.conf" => {
                let text = config(name, text, None, &mut new.remarks);
                new.files.insert("frr.conf".into(), text);
            }
            _ if name.ends_with(".conf") => {
                let take = (name == "zebra.conf").then_some(&mut statics);
                let text = config(name, text, take, &mut new.remarks);
                new.files.insert(name.clone(), text);
            }
            _ => {}
        }
    }
    if !statics.is_empty() {
        new.files
            .entry("staticd.conf".into())
            .or_default()
            .push_str(&statics);
    }
    let daemons = match old.get("daemons") {
        Some(text) => Daemons::parse(text),
        None => Daemons::of(old.keys().filter_map(|name| name.strip_suffix(".conf"))),
    };
    new.files.insert("daemons".into(), daemons.text());
    new
}

/// Adapts `old` into `new` (`/etc/frr`), if something in `old` is younger than all in `new`: a
/// startup script may have changed it, and what a router's user saved since stays.
pub(crate) fn refresh(old: &Path, new: &Path) -> io::Result<()> {
    if fs::canonicalize(old)? == fs::canonicalize(new)? {
        return Ok(());
    }
    let files = read(old)?;
    let adapted = adapt(&files);
    let known = adapted.files.keys().all(|name| new.join(name).exists());
    if files.is_empty() || known && youngest(old)? <= youngest(new)? {
        return Ok(());
    }
    for (name, text) in &adapted.files {
        fs::write(new.join(name), text)?;
    }
    Ok(())
}

fn read(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            files.insert(name, text);
        }
    }
    Ok(files)
}

fn youngest(folder: &Path) -> io::Result<std::time::SystemTime> {
    let mut youngest = std::time::SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder)? {
        youngest = youngest.max(entry?.metadata()?.modified()?);
    }
    Ok(youngest)
}

/// Commands that FRR has no more: how they begin, and why nothing is lost or what is. The list is
/// what FRR 8.4 refuses of Quagga 1.2's commands.
const GONE: &[(&str, &str)] = &[
    (
        "synchronization",
        "FRR never waits for the interior routes: it is left out",
    ),
    (
        "auto-summary",
        "FRR never summarizes by class: it is left out",
    ),
    ("bgp config-type", "it has no effect in FRR: it is left out"),
    (
        "bgp multiple-instance",
        "FRR always allows several instances: it is left out",
    ),
    (
        "no bgp multiple-instance",
        "FRR always allows several instances: it is left out",
    ),
    (
        "bgp scan-time",
        "FRR follows next hops as they change and does not scan: it is left out",
    ),
    (
        "bgp enforce-first-as",
        "FRR does this for each neighbor: it is left out",
    ),
    (
        "banner motd file",
        "FRR shows no files of other folders: it is left out",
    ),
    (
        "smux ",
        "FRR speaks AgentX to SNMP, not SMUX: it is left out",
    ),
    (
        "table ",
        "FRR has no table of its own choice: it is left out",
    ),
];

/// Words of a neighbor that have become what always is.
const GONE_OF_NEIGHBOR: &[&str] = &["capability route-refresh", "transparent-as", "version 4"];

/// Commands with another name: how they begin, and how they begin now.
const RENAMED: &[(&str, &str)] = &[
    ("ip as-path access-list ", "bgp as-path access-list "),
    ("ip community-list ", "bgp community-list "),
    ("ip extcommunity-list ", "bgp extcommunity-list "),
    ("debug bgp events", "debug bgp neighbor-events"),
    ("debug bgp fsm", "debug bgp neighbor-events"),
    ("debug bgp filters", "debug bgp updates"),
    ("debug rip packet send detail", "debug rip packet send"),
    ("debug rip packet recv detail", "debug rip packet recv"),
    ("ipv6 nd send-ra", "no ipv6 nd suppress-ra"),
    ("no ipv6 nd send-ra", "ipv6 nd suppress-ra"),
    ("rfc1583compatibility", "compatible rfc1583"),
    ("opaque-lsa", "capability opaque"),
    ("dynamic hostname", "hostname dynamic"),
];

/// A command as FRR has it; `block` is the line that began the block it stands in.
fn renamed(line: &str, block: &str) -> String {
    let word = line.trim_start();
    let indent = &line[..line.len() - word.len()];
    if word == "debug bgp" {
        return format!("{indent}debug bgp neighbor-events");
    }
    if word.starts_with("router-id ") && block.starts_with("router ospf6") {
        return format!("{indent}ospf6 {word}");
    }
    if let Some(times) = word.strip_prefix("timers spf ") {
        return format!("{indent}timers throttle spf {}", throttle(times));
    }
    let found = RENAMED.iter().find(|(old, _)| word.starts_with(old));
    let Some((old, new)) = found else {
        return line.to_owned();
    };
    // without a value, a list's entry stands for whatever it meets
    let bare =
        new.contains("community-list") && (word.ends_with(" permit") || word.ends_with(" deny"));
    let value = if bare { " internet" } else { "" };
    format!("{indent}{new}{}{value}", &word[old.len()..])
}

/// Seconds of delay and hold as milliseconds of delay, first hold and longest hold.
fn throttle(times: &str) -> String {
    let ms = |i: usize| {
        let seconds = times
            .split_whitespace()
            .nth(i)
            .and_then(|t| t.parse::<u32>().ok());
        seconds.unwrap_or(1).saturating_mul(1000).min(600_000)
    };
    format!("{} {} {}", ms(0), ms(1), ms(1))
}

/// Why a line is left out, if it is.
fn gone(word: &str, block: &str) -> Option<&'static str> {
    if begins(word, "router zebra")
        || block == "router zebra" && !word.is_empty() && !word.starts_with('!')
    {
        return Some("it has no effect in FRR: it is left out");
    }
    if begins(word, "neighbor ") && GONE_OF_NEIGHBOR.iter().any(|g| word.ends_with(g)) {
        return Some("FRR always does this: it is left out");
    }
    let found = GONE.iter().find(|(start, _)| begins(word, start));
    found.map(|(_, why)| *why)
}

/// One file. `statics` takes zebra's static routes.
fn config(
    name: &str,
    text: &str,
    mut statics: Option<&mut String>,
    remarks: &mut Vec<Remark>,
) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut out = String::with_capacity(text.len() + 64);
    let mut block = "";
    for (i, line) in lines.iter().enumerate() {
        let word = line.trim_start();
        if ends_block(line) {
            block = word;
        }
        if let Some(statics) = statics.as_deref_mut().filter(|_| is_static_route(word)) {
            statics.push_str(word);
            statics.push('\n');
        } else if let Some(why) = gone(word, block) {
            remarks.push(Remark {
                file: name.into(),
                line: i + 1,
                text: word.into(),
                why,
            });
        } else {
            out.push_str(&logs(&renamed(line, block)));
            out.push('\n');
            if word.starts_with("router bgp ") {
                out.push_str(&bgp_defaults(&lines[i + 1..]));
            }
        }
    }
    out
}

fn begins(line: &str, start: &str) -> bool {
    line.strip_prefix(start)
        .is_some_and(|rest| start.ends_with(' ') || rest.is_empty() || rest.starts_with(' '))
}

fn is_static_route(line: &str) -> bool {
    let line = line.strip_prefix("no ").unwrap_or(line);
    ["ip route ", "ipv6 route ", "ip mroute "]
        .iter()
        .any(|s| line.starts_with(s))
}

/// Logs go where FRR's user may write.
fn logs(line: &str) -> String {
    let mut line = line.to_owned();
    for old in ["/var/log/quagga/", "/var/log/zebra/"] {
        line = line.replace(old, "/var/log/frr/");
    }
    line
}

/// What Quagga's BGP did by itself and FRR's does when told, unless the block says it either way.
fn bgp_defaults(block: &[&str]) -> String {
    let end = block
        .iter()
        .position(|l| ends_block(l))
        .unwrap_or(block.len());
    let says = |what: &str| block[..end].iter().any(|l| l.contains(what));
    let mut out = String::new();
    for what in ["bgp ebgp-requires-policy", "bgp network import-check"] {
        if !says(what) {
            out.push_str(&format!(" no {what}\n"));
        }
    }
    out
}

/// Whether a line begins something else: blocks have no end mark and need not be indented.
fn ends_block(line: &str) -> bool {
    let starts = [
        "router ",
        "interface ",
        "route-map ",
        "access-list ",
        "ip ",
        "ipv6 ",
        "line ",
        "hostname ",
        "password ",
        "enable ",
        "log ",
        "debug ",
        "end",
        "banner ",
        "service ",
    ];
    starts.iter().any(|s| line.trim_start().starts_with(s))
}

/// Whether a configuration has more than what every fresh one has.
pub(crate) fn says_something(text: &str) -> bool {
    let plain = [
        "!",
        "#",
        "log ",
        "hostname ",
        "service ",
        "frr version",
        "frr defaults",
        "password ",
        "enable password",
        "line vty",
        "end",
        "no ipv6 forwarding",
        "no ip forwarding",
        "ip forwarding",
        "ipv6 forwarding",
    ];
    text.lines()
        .map(str::trim)
        .any(|l| !l.is_empty() && !plain.iter().any(|p| l.starts_with(p)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Folder {
        adapt(
            &files
                .iter()
                .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_bgp_router() {
        let new = folder(&[
            ("daemons", "zebra=yes\nbgpd=yes\n"),
            (
                "bgpd.conf",
                "hostname own\r\nrouter bgp 65001\nsynchronization\nneighbor 10.0.0.2 remote-as 65002\n!\n\
                 router bgp 65003 view other\n bgp network import-check\nlog file /var/log/quagga/bgpd.log\n",
            ),
        ]);
        assert_eq!(
            new.files["bgpd.conf"],
            "hostname own\nrouter bgp 65001\n no bgp ebgp-requires-policy\n no bgp network import-check\n\
             neighbor 10.0.0.2 remote-as 65002\n!\nrouter bgp 65003 view other\n no bgp ebgp-requires-policy\n \
             bgp network import-check\nlog file /var/log/frr/bgpd.log\n"
        );
        assert_eq!(new.remarks.len(), 1);
        assert_eq!(
            (new.remarks[0].line, new.remarks[0].text.as_str()),
            (3, "synchronization")
        );
        assert!(new.files["daemons"].contains("bgpd=yes"));
    }

    #[test]
    fn static_routes_move_to_their_daemon() {
        let new = folder(&[(
            "zebra.conf",
            "hostname r\nip route 10.0.0.0/8 10.1.1.1\ninterface eth0\n ip address 10.1.1.2/24\n",
        )]);
        assert_eq!(new.files["staticd.conf"], "ip route 10.0.0.0/8 10.1.1.1\n");
        assert!(!new.files["zebra.conf"].contains("ip route"));
        // without a daemons file, those with a configuration run
        assert!(new.files["daemons"].contains("zebra=yes"));
        assert!(new.files["daemons"].contains("ospfd=no"));
    }

    #[test]
    fn an_integrated_configuration_is_recognized() {
        let new = folder(&[
            ("Quagga.conf", "router ospf\n"),
            ("vtysh.conf", "username root nopassword\n"),
        ]);
        assert!(new.files.contains_key("frr.conf") && new.files.contains_key("vtysh.conf"));
        assert!(says_something("router ospf\n"));
        assert!(!says_something(
            "! x\nlog syslog informational\n\nhostname a\n"
        ));
    }

    #[test]
    fn commands_have_their_new_names() {
        let new = folder(&[
            (
                "ospf6d.conf",
                "router ospf6\n router-id 1.1.1.1\n!\ninterface eth0\n",
            ),
            (
                "bgpd.conf",
                "debug bgp\ndebug bgp events\nip as-path access-list 1 permit ^1$\nip community-list 1 permit 1:1\nip community-list standard A deny\n",
            ),
            (
                "ospfd.conf",
                "router zebra\n redistribute ospf\nrouter ospf\n router-id 1.1.1.1\n timers spf 5 10\n",
            ),
        ]);
        assert_eq!(
            new.files["ospf6d.conf"],
            "router ospf6\n ospf6 router-id 1.1.1.1\n!\ninterface eth0\n"
        );
        assert_eq!(
            new.files["bgpd.conf"],
            "debug bgp neighbor-events\ndebug bgp neighbor-events\nbgp as-path access-list 1 permit ^1$\nbgp community-list 1 permit 1:1\nbgp community-list standard A deny internet\n"
        );
        assert_eq!(
            new.files["ospfd.conf"],
            "router ospf\n router-id 1.1.1.1\n timers throttle spf 5000 10000 10000\n"
        );
        assert_eq!(new.remarks.len(), 2);
    }

    #[test]
    fn refresh_keeps_what_was_saved_since() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(old.path().join("ripd.conf"), "router rip\n").unwrap();
        refresh(old.path(), new.path()).unwrap();
        let saved = new.path().join("ripd.conf");
        assert_eq!(fs::read_to_string(&saved).unwrap(), "router rip\n");
        fs::write(&saved, "saved\n").unwrap();
        refresh(old.path(), new.path()).unwrap();
        assert_eq!(fs::read_to_string(&saved).unwrap(), "saved\n");
    }
}
