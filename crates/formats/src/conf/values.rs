//! Values of options in a `lab.conf`.

use std::path::PathBuf;

use lab::{Mount, Port, Ulimit};

/// Bytes of a memory size: a number and `b`, `k`, `m` or `g`; without a unit, `bare` bytes each.
pub(crate) fn memory(text: &str, bare: u64) -> Result<u64, &'static str> {
    const HELP: &str = "write a number and a unit, like 64m or 1g";
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => bare,
        "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(HELP),
    };
    number(digits.trim_end())
        .and_then(|n| n.checked_mul(unit))
        .ok_or(HELP)
}

/// Digits and nothing else.
pub(crate) fn number(text: &str) -> Option<u64> {
    let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

/// Yes or no, in the words that Kathara takes.
pub(crate) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
        _ => Err("write `true` or `false`"),
    }
}

/// `[HOST:]GUEST[/PROTOCOL]`; the host's port is 3000 when absent.
pub(crate) fn port(text: &str) -> Result<Port, &'static str> {
    const HELP: &str = "write [HOST:]GUEST[/tcp|udp|sctp], like 8080:80/tcp";
    let (ports, protocol) = match text.split_once('/') {
        Some((ports, protocol)) => (ports, protocol.to_ascii_lowercase()),
        None => (text, "tcp".to_string()),
    };
    let (host, guest) = ports.split_once(':').unwrap_or(("3000", ports));
    let one = |t: &str| {
        number(t)
            .and_then(|n| u16::try_from(n).ok())
            .filter(|n| *n > 0)
    };
    match (one(host), one(guest), protocol.as_str()) {
        (Some(host), Some(guest), "tcp" | "udp" | "sctp") => Ok(Port {
            host,
            guest,
            protocol,
        }),
        _ => Err(HELP),
    }
}

/// `NAME=SOFT[:HARD]`; -1 is unlimited.
pub(crate) fn ulimit(text: &str) -> Result<(String, Ulimit), &'static str> {
    const HELP: &str = "write NAME=SOFT[:HARD], like nofile=1024:2048; -1 is unlimited";
    let (name, values) = text.split_once('=').ok_or(HELP)?;
    let limit = limit(values).ok_or(HELP)?;
    let name = name.trim().to_ascii_lowercase();
    if !lab::ULIMITS.contains(&name.as_str()) {
        return Err(
            "the names are those of the shell's `ulimit`, like nofile, nproc, memlock, stack",
        );
    }
    Ok((name, limit))
}

/// `SOFT[:HARD]`.
pub(crate) fn limit(text: &str) -> Option<Ulimit> {
    let one = |t: &str| t.trim().parse::<i64>().ok().filter(|n| *n >= -1);
    let (soft, hard) = match text.split_once(':') {
        Some((soft, hard)) => (one(soft)?, one(hard)?),
        None => (one(text)?, one(text)?),
    };
    let fits = hard == -1 || (soft != -1 && soft <= hard);
    fits.then_some(Ulimit { soft, hard })
}

/// `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let key = key.trim();
    (!key.is_empty()).then(|| (key.to_string(), value.trim().to_string()))
}

/// A kernel parameter of the network.
pub(crate) fn sysctl(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = pair(text).ok_or("write NAME=VALUE, like net.ipv4.ip_forward=1")?;
    let good = key.starts_with("net.")
        && key.split('.').count() > 2
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !key.contains("..");
    match good {
        true => Ok((key, value)),
        false => Err("only parameters of the network can be set, like net.ipv4.ip_forward=1"),
    }
}

/// `HOST|GUEST[|ro|rw|rx]`, only to be read by default.
pub(crate) fn volume(text: &str) -> Result<Mount, &'static str> {
    const HELP: &str = "write HOST|GUEST|MODE with MODE ro or rw, like data|/data|ro";
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let (host, at, read_only) = match parts.as_slice() {
        [host, at] | [host, at, "ro" | "rx"] => (*host, *at, true),
        [host, at, "rw"] => (*host, *at, false),
        _ => return Err(HELP),
    };
    if host.is_empty() || !at.starts_with('/') || at.split('/').any(|p| p == "..") {
        return Err(HELP);
    }
    Ok(Mount {
        host: PathBuf::from(host),
        at: PathBuf::from(at),
        read_only,
        create: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(memory("64", 1 << 20), Ok(64 << 20));
        assert_eq!(memory("64M", 1 << 20), Ok(64 << 20));
        assert_eq!(memory("512 k", 1), Ok(512 << 10));
        for bad in [
            "",
            "m",
            "-1m",
            "1.5g",
            "99999999999999999999g",
            "1t",
            "18446744073709551615g",
        ] {
            assert!(memory(bad, 1).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_default_to_tcp_from_3000() {
        let port = |text| port(text).map(|p| (p.host, p.guest, p.protocol));
        assert_eq!(port("80"), Ok((3000, 80, "tcp".into())));
        assert_eq!(port("8080:53/udp"), Ok((8080, 53, "udp".into())));
        for bad in ["", ":", "0:80", "1:65536", "1:2/icmp", "a:b"] {
            assert!(port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_are_soft_and_hard() {
        assert_eq!(ulimit("nofile=1:2").map(|u| u.1.hard), Ok(2));
        assert_eq!(ulimit("nproc=-1").map(|u| u.1.soft), Ok(-1));
        for bad in [
            "nofile",
            "nofile=",
            "nofile=2:1",
            "nofile=-2",
            "files=1",
            "nofile=-1:5",
        ] {
            assert!(ulimit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_network_has_parameters() {
        assert!(sysctl("net.ipv6.conf.eth0.accept_ra = 0").is_ok());
        for bad in [
            "kernel.core_pattern=|/x",
            "net.ipv4",
            "net.a..b=1",
            "net.a/../b.c=1",
        ] {
            assert!(sysctl(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn volumes_are_read_only_by_default() {
        assert!(volume("a|/b").unwrap().read_only);
        assert!(!volume("a|/b|rw").unwrap().read_only);
        for bad in ["a", "a|b", "|/b", "a|/b|wx", "a|/../b"] {
            assert!(volume(bad).is_err(), "{bad}");
        }
    }
}
