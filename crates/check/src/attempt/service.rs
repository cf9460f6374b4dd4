//! Daemons, name and web servers, commands, kernel parameters.

use std::net::IpAddr;

use lab::Test;

use super::Seen::{self, Right, Wrong};
use super::{Finding, Look, Several, matches, regex};
use crate::probe::dns::Answer;
use crate::probe::{Process, Resolver};

impl Look<'_> {
    pub(super) fn at_service(&self, test: &Test) -> Result<Seen, String> {
        match test {
            Test::Daemon {
                name,
                pattern,
                absent,
                ..
            } => self.daemon(name, *pattern, *absent),
            Test::Dns { .. } => self.dns(test),
            Test::Nameserver { server, .. } => self.name_server(*server),
            Test::DnsAuthority {
                zone,
                server,
                authority,
                ..
            } => self.authority(zone, *server, *authority),
            Test::Http { .. } => self.http(test),
            Test::Command { .. } => self.command(test),
            Test::Sysctl { key, value, .. } => self.sysctl(key, value),
            _ => Ok(Seen::Never("this is no test of services".into())),
        }
    }

    fn daemon(&self, name: &str, pattern: bool, absent: bool) -> Result<Seen, String> {
        let list: Vec<Process> = self.probe(&["processes"])?;
        let runs = if pattern {
            let pattern = regex(name)?;
            let found = list.iter().map(|p| matches(&pattern, &p.name));
            found.collect::<Result<Vec<bool>, _>>()?.contains(&true)
        } else {
            list.iter().any(|p| is_daemon(p, name))
        };
        let seen = format!("{name} {}", if runs { "runs" } else { "does not run" });
        Ok(Seen::of(runs != absent, seen))
    }

    fn ask(&self, name: &str, kind: &str, server: Option<IpAddr>) -> Result<Answer, String> {
        let server = server.map(|s| s.to_string());
        let mut words = vec!["dns", name, kind];
        words.extend(server.as_deref());
        self.probe(&words)
    }

    fn dns(&self, test: &Test) -> Result<Seen, String> {
        let Test::Dns {
            name,
            record,
            server,
            answer: wanted,
            only,
            authoritative,
            ..
        } = test
        else {
            return Ok(Seen::Never("this is no test of DNS".into()));
        };
        let kind = record.map_or("A".into(), |r| format!("{r:?}").to_uppercase());
        let answer = self.ask(name, &kind, *server)?;
        let seen = answer_text(&answer, name, &kind);
        let has = wanted
            .as_ref()
            .is_none_or(|w| answer.data.iter().any(|d| same_data(d, w)));
        let allowed = |data: &String| only.is_empty() || only.iter().any(|o| same_data(data, o));
        let right = !answer.data.is_empty() && has && answer.data.iter().all(allowed);
        Ok(match right && (!authoritative || answer.authoritative) {
            true => Right(seen),
            false if right => Wrong(format!("{seen}, but not of the server's own zone")),
            false => Wrong(seen),
        })
    }

    fn name_server(&self, server: IpAddr) -> Result<Seen, String> {
        let resolver: Resolver = self.probe(&["resolver"])?;
        Ok(match resolver.servers.first() {
            None => Wrong("/etc/resolv.conf names no server".into()),
            Some(first) => Seen::of(
                *first == server,
                format!("/etc/resolv.conf names {first} first"),
            ),
        })
    }

    /// Asks a server for a zone's servers and then for their addresses.
    fn authority(&self, zone: &str, server: IpAddr, wanted: IpAddr) -> Result<Seen, String> {
        let answer = self.ask(zone, "NS", Some(server))?;
        if answer.data.is_empty() {
            return Ok(Wrong(answer_text(&answer, zone, "NS")));
        }
        let kind = if wanted.is_ipv4() { "A" } else { "AAAA" };
        let mut found = Vec::new();
        for name in &answer.data {
            let addresses = self.ask(name, kind, Some(server))?.data;
            found.push(format!("{name} ({})", addresses.join(", ")));
            if addresses.contains(&wanted.to_string()) {
                return Ok(Right(format!("{name} has {wanted}")));
            }
        }
        Ok(Wrong(format!("servers of {zone}: {}", found.join(", "))))
    }

    fn http(&self, test: &Test) -> Result<Seen, String> {
        #[derive(serde::Deserialize)]
        struct Page {
            status: u16,
            body: String,
        }
        let Test::Http {
            url,
            method,
            status,
            body,
            contains,
            ..
        } = test
        else {
            return Ok(Seen::Never("this is no test of web servers".into()));
        };
        if url.starts_with("https:") {
            let text = "only http:// is spoken here: use a `command` check with curl";
            return Ok(Seen::Never(text.into()));
        }
        let method = method.as_deref().unwrap_or("GET");
        let page: Page = self.probe(&["http", url, method])?;
        let wanted = status.unwrap_or(200);
        let start: String = page.body.trim().chars().take(60).collect();
        let mut all = vec![Finding::new(
            format!("{url}: status"),
            page.status == wanted,
            format!("status {}", page.status),
        )];
        if let Some(pattern) = body {
            let right = matches(&regex(pattern)?, &page.body)?;
            let about = format!("{url}: body matches `{pattern}`");
            all.push(Finding::new(about, right, format!("body {start:?}")));
        }
        if let Some(text) = contains {
            let about = format!("{url}: body contains `{text}`");
            let right = page.body.contains(text);
            all.push(Finding::new(about, right, format!("body {start:?}")));
        }
        Ok(Several(all))
    }

    fn command(&self, test: &Test) -> Result<Seen, String> {
        let Test::Command {
            run,
            matches: pattern,
            output: wanted,
            status,
            ..
        } = test
        else {
            return Ok(Seen::Never("this is no test of commands".into()));
        };
        let output = self.exec(&["/bin/bash", "-c", run])?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        // a command that says all it has to say on the other stream
        let text = match stdout.trim() {
            "" => stderr.trim(),
            text => text,
        };
        let said: String = text.chars().take(200).collect();
        let seen = format!("status {}, {said:?}", output.status);
        let plain = pattern.is_none() && wanted.is_none();
        let mut all = Vec::new();
        let mut find = |what: &str, right| {
            all.push(Finding::new(format!("`{run}`: {what}"), right, &*seen));
        };
        if let Some(status) = status.or(plain.then_some(0)) {
            find("status", status == output.status);
        }
        if let Some(wanted) = wanted {
            find("output", lines(wanted) == lines(text));
        }
        if let Some(pattern) = pattern {
            find("output matches", matches(&regex(pattern)?, text)?);
        }
        Ok(Several(all))
    }

    fn sysctl(&self, key: &str, value: &str) -> Result<Seen, String> {
        #[derive(serde::Deserialize)]
        struct Parameter {
            value: String,
        }
        let seen: Parameter = self.probe(&["sysctl", key])?;
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = format!("{key} is {}", words(&seen.value));
        Ok(Seen::of(words(&seen.value) == words(value), text))
    }
}

fn answer_text(answer: &Answer, name: &str, kind: &str) -> String {
    match answer.data.as_slice() {
        [] => format!(
            "{}: no {kind} record for {name} ({})",
            answer.server,
            code_text(answer.code)
        ),
        data => format!("{}: {}", answer.server, data.join(", ")),
    }
}

/// Response codes (RFC 1035, 4.1.1).
fn code_text(code: u8) -> String {
    let text = match code {
        0 => "no error",
        1 => "the server did not understand",
        2 => "the server failed",
        3 => "no such name",
        4 => "not implemented there",
        5 => "refused",
        other => return format!("code {other}"),
    };
    text.into()
}

/// Whether two texts are the same data of a record: final dots, case and quotes aside, and of a
/// mail exchanger its name alone will do.
fn same_data(found: &str, wanted: &str) -> bool {
    let clean = |text: &str| text.trim_matches(['"', '.']).to_ascii_lowercase();
    let words = |text: &str| text.split_whitespace().map(clean).collect::<Vec<_>>();
    if let (Ok(a), Ok(b)) = (found.parse::<IpAddr>(), wanted.parse::<IpAddr>()) {
        return a == b;
    }
    let (found, wanted) = (words(found), words(wanted));
    found == wanted || (found.len() == 2 && wanted.len() == 1 && found[1] == wanted[0])
}

/// Text without differences that are none between systems: line ends, white space at both ends.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .trim()
        .to_string()
}

/// Whether a process is a daemon of that name: by its own name, its program's, or that of the
/// script that it interprets. Names of services that run under another are known.
fn is_daemon(process: &Process, name: &str) -> bool {
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_string();
    let programs: &[&str] = match name {
        "bind" | "bind9" => &["named"],
        "frr" | "quagga" => &["zebra"],
        "ssh" => &["sshd"],
        "apache" | "httpd" => &["apache2"],
        "isc-dhcp-server" => &["dhcpd"],
        other => &[other],
    };
    programs.iter().any(|program| {
        let cut: String = program.chars().take(15).collect();
        process.name == cut
            || process
                .command
                .first()
                .is_some_and(|c| base(c.trim_end_matches(':')) == *program)
            // scripts: the interpreter comes first
            || process
                .command
                .get(1)
                .is_some_and(|c| c.contains('/') && base(c) == *program)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::tests::see;

    #[test]
    fn daemons_by_name_and_program() {
        let process = |name: &str, command: &[&str]| Process {
            name: name.into(),
            command: command.iter().map(|c| (*c).into()).collect(),
        };
        let named = process("named", &["/usr/sbin/named", "-u", "bind"]);
        assert!(is_daemon(&named, "bind9"));
        let script = process("python3", &["python3", "/usr/bin/ryu"]);
        assert!(is_daemon(&script, "ryu"));
        let shell = process("bash", &["bash", "-c", "ospfd"]);
        assert!(!is_daemon(&shell, "ospfd"));
        let ospfd = process("ospfd", &["/usr/lib/frr/ospfd", "-d"]);
        assert!(is_daemon(&ospfd, "ospfd"));
    }

    #[test]
    fn a_pattern_matches_a_part_of_a_name() {
        let list = r#"[{"name": "apache2", "command": ["/usr/sbin/apache2"]}]"#;
        let test = |name: &str, pattern, absent| Test::Daemon {
            node: "n".into(),
            name: name.into(),
            pattern,
            absent,
        };
        assert_eq!(
            see(list, &test("apa", true, false)),
            Right("apa runs".into())
        );
        let not = "apa does not run";
        assert_eq!(see(list, &test("apa", false, false)), Wrong(not.into()));
        assert_eq!(see(list, &test("apa", false, true)), Right(not.into()));
    }

    fn dns(answer: Option<&str>, only: &[&str], authoritative: bool) -> Test {
        Test::Dns {
            node: "n".into(),
            name: "www.example".into(),
            record: None,
            server: None,
            answer: answer.map(Into::into),
            only: only.iter().map(|o| (*o).into()).collect(),
            authoritative,
        }
    }

    #[test]
    fn answers_that_must_and_that_may_be_there() {
        let says = r#"{"server": "10.0.0.53", "code": 0, "authoritative": false,
            "data": ["10.0.0.1", "10.0.0.2"]}"#;
        let right = |test| matches!(see(says, &test), Right(_));
        assert!(right(dns(None, &[], false)));
        assert!(right(dns(Some("10.0.0.2"), &[], false)));
        assert!(!right(dns(Some("10.0.0.3"), &[], false)));
        assert!(right(dns(
            None,
            &["10.0.0.2", "10.0.0.1", "10.0.0.3"],
            false
        )));
        assert!(!right(dns(None, &["10.0.0.2"], false)));
        assert!(!right(dns(None, &[], true)));
    }

    #[test]
    fn record_data_is_compared_as_zone_files_mean_it() {
        assert!(same_data("ns.example", "NS.example."));
        assert!(same_data("10 mail.example", "mail.example."));
        assert!(same_data("10 mail.example", "10 mail.example."));
        assert!(!same_data("10 mail.example", "20 mail.example"));
        assert!(same_data("fd00::1", "fd00:0::1"));
        assert!(same_data("v=1 x", "\"v=1 x\""));
    }

    #[test]
    fn a_page_has_a_status_and_a_body() {
        let page = r#"{"status": 404, "body": "It is gone"}"#;
        let test = Test::Http {
            node: "n".into(),
            url: "http://a/".into(),
            method: None,
            status: None,
            body: Some("^It".into()),
            contains: Some("here".into()),
        };
        let Several(all) = see(page, &test) else {
            panic!("one finding")
        };
        let passed: Vec<bool> = all.iter().map(|f| f.passed).collect();
        assert_eq!(passed, [false, true, false]);
    }

    #[test]
    fn the_first_name_server_counts() {
        let test = Test::Nameserver {
            node: "n".into(),
            server: "10.0.0.2".parse().unwrap(),
        };
        let says = r#"{"servers": ["10.0.0.2", "10.0.0.1"], "search": []}"#;
        assert!(matches!(see(says, &test), Right(_)));
        let says = r#"{"servers": ["10.0.0.1", "10.0.0.2"], "search": []}"#;
        assert!(matches!(see(says, &test), Wrong(_)));
        let says = r#"{"servers": [], "search": []}"#;
        let none = "/etc/resolv.conf names no server";
        assert_eq!(see(says, &test), Wrong(none.into()));
    }
}
