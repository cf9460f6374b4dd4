//! The users and groups of a node: Debian's, and those that its packages of daemons make, under
//! numbers of our own choice where Debian leaves them free.

use std::fmt::Write;

/// Name, number (of the user and its group of the same name), home, shell.
type User = (&'static str, u32, &'static str, &'static str);

const NOLOGIN: &str = "/usr/sbin/nologin";
const FALSE: &str = "/bin/false";

/// Users with a group of their own.
#[rustfmt::skip]
const USERS: &[User] = &[
    ("root", 0, "/root", "/bin/bash"),
    ("daemon", 1, "/usr/sbin", NOLOGIN),
    ("bin", 2, "/bin", NOLOGIN),
    ("sys", 3, "/dev", NOLOGIN),
    ("man", 12, "/var/cache/man", NOLOGIN),
    ("lp", 7, "/var/spool/lpd", NOLOGIN),
    ("mail", 8, "/var/mail", NOLOGIN),
    ("news", 9, "/var/spool/news", NOLOGIN),
    ("uucp", 10, "/var/spool/uucp", NOLOGIN),
    ("proxy", 13, "/bin", NOLOGIN),
    ("www-data", 33, "/var/www", NOLOGIN),
    ("backup", 34, "/var/backups", NOLOGIN),
    ("list", 38, "/var/list", NOLOGIN),
    ("irc", 39, "/run/ircd", NOLOGIN),
    ("gnats", 41, "/var/lib/gnats", NOLOGIN),
    ("_apt", 42, "/nonexistent", NOLOGIN),
    ("systemd-network", 998, "/", NOLOGIN),
    ("systemd-resolve", 997, "/", NOLOGIN),
    ("systemd-timesync", 996, "/", NOLOGIN),
    ("messagebus", 100, "/nonexistent", NOLOGIN),
    ("frr", 101, "/nonexistent", NOLOGIN),
    ("bird", 103, "/run/bird", FALSE),
    ("bind", 104, "/var/cache/bind", NOLOGIN),
    ("dnsmasq", 105, "/var/lib/misc", NOLOGIN),
    ("dhcpd", 106, "/run", NOLOGIN),
    ("radvd", 107, "/run/radvd", NOLOGIN),
    ("sshd", 108, "/run/sshd", NOLOGIN),
    ("Debian-snmp", 109, "/var/lib/snmp", FALSE),
    ("mysql", 110, "/nonexistent", FALSE),
    ("ntp", 111, "/nonexistent", NOLOGIN),
    ("ntpsec", 112, "/nonexistent", NOLOGIN),
    ("_chrony", 113, "/var/lib/chrony", NOLOGIN),
    ("unbound", 114, "/var/lib/unbound", NOLOGIN),
    ("tcpdump", 115, "/nonexistent", NOLOGIN),
    ("_rpc", 116, "/run/rpcbind", NOLOGIN),
    ("statd", 117, "/var/lib/nfs", NOLOGIN),
    ("telnetd", 118, "/nonexistent", NOLOGIN),
    ("ftp", 119, "/srv/ftp", NOLOGIN),
    ("proftpd", 120, "/run/proftpd", NOLOGIN),
    ("postfix", 121, "/var/spool/postfix", NOLOGIN),
    ("Debian-exim", 122, "/var/spool/exim4", NOLOGIN),
    ("dovecot", 123, "/usr/lib/dovecot", NOLOGIN),
    ("dovenull", 124, "/nonexistent", NOLOGIN),
    ("vmail", 125, "/var/mail/vmail", NOLOGIN),
    ("avahi", 126, "/run/avahi-daemon", NOLOGIN),
    ("freerad", 127, "/etc/freeradius", NOLOGIN),
    ("tftp", 128, "/srv/tftp", NOLOGIN),
    ("lldpd", 129, "/run/lldpd", NOLOGIN),
    ("_lldpd", 130, "/run/lldpd", NOLOGIN),
    ("asterisk", 131, "/var/lib/asterisk", NOLOGIN),
    ("tor", 132, "/var/lib/tor", FALSE),
    ("debian-tor", 133, "/var/lib/tor", FALSE),
    ("redis", 134, "/var/lib/redis", NOLOGIN),
    ("postgres", 135, "/var/lib/postgresql", "/bin/bash"),
    ("openldap", 136, "/var/lib/ldap", FALSE),
    ("strongswan", 137, "/var/lib/strongswan", NOLOGIN),
    ("uuidd", 138, "/run/uuidd", NOLOGIN),
    ("iperf3", 139, "/nonexistent", NOLOGIN),
    ("haproxy", 140, "/var/lib/haproxy", NOLOGIN),
    ("memcache", 141, "/nonexistent", FALSE),
    ("gpsd", 142, "/run/gpsd", FALSE),
    ("polkitd", 995, "/nonexistent", NOLOGIN),
    ("_openbgpd", 143, "/run/openbgpd", NOLOGIN),
    ("routinator", 144, "/var/lib/routinator", NOLOGIN),
    ("_rpki-client", 145, "/run/rpki-client", NOLOGIN),
    ("_kea", 146, "/var/lib/kea", NOLOGIN),
    ("openvpn", 147, "/nonexistent", NOLOGIN),
    ("stunnel4", 148, "/run/stunnel4", NOLOGIN),
    ("nobody", 65534, "/nonexistent", NOLOGIN),
];

/// Users whose main group is another's: name, number, group's number, home, shell. `quagga` is
/// `frr` by another name: what a lab gives to the one, FRR can read.
const GUESTS: &[(&str, u32, u32, &str, &str)] = &[
    ("quagga", 101, 101, "/run/quagga", FALSE),
    ("sync", 4, 65534, "/bin", "/bin/sync"),
    ("games", 5, 60, "/usr/games", NOLOGIN),
];

/// Groups without a user of the name: name, number, members.
#[rustfmt::skip]
const GROUPS: &[(&str, u32, &str)] = &[
    ("adm", 4, ""), ("tty", 5, ""), ("disk", 6, ""), ("kmem", 15, ""), ("dialout", 20, ""),
    ("fax", 21, ""), ("voice", 22, ""), ("cdrom", 24, ""), ("floppy", 25, ""), ("tape", 26, ""),
    ("sudo", 27, ""), ("audio", 29, ""), ("dip", 30, ""), ("operator", 37, ""), ("src", 40, ""),
    ("shadow", 46, ""), ("utmp", 43, "telnetd"), ("video", 44, ""), ("sasl", 45, ""),
    ("plugdev", 47, ""), ("staff", 50, ""), ("games", 60, ""), ("users", 1000, ""),
    ("frrvty", 200, "frr"), ("ssl-cert", 202, ""),
    ("postdrop", 203, ""), ("netdev", 204, ""), ("_ssh", 205, ""), ("crontab", 206, ""),
    ("input", 207, ""), ("kvm", 208, ""), ("render", 209, ""), ("sgx", 210, ""),
    ("wireshark", 211, ""), ("systemd-journal", 212, ""),
];

/// Other names of groups.
const ALIASES: &[(&str, &str)] = &[
    ("quagga", "frr"),
    ("quaggavty", "frrvty"),
    ("nogroup", "nobody"),
];

/// Number of a user and of its group.
pub(crate) fn number(name: &str) -> Option<u32> {
    let guest = || GUESTS.iter().find(|u| u.0 == name).map(|u| u.1);
    USERS
        .iter()
        .find(|u| u.0 == name)
        .map(|u| u.1)
        .or_else(guest)
}

/// Number of a group.
pub(crate) fn group_number(name: &str) -> Option<u32> {
    let name = ALIASES.iter().find(|a| a.0 == name).map_or(name, |a| a.1);
    let own = GROUPS.iter().find(|g| g.0 == name).map(|g| g.1);
    own.or_else(|| number(name))
}

/// The text of `/etc/passwd`.
pub(crate) fn passwd() -> String {
    let mut text = String::new();
    for (name, id, home, shell) in USERS {
        let _ = writeln!(text, "{name}:x:{id}:{id}:{name}:{home}:{shell}");
    }
    for (name, id, group, home, shell) in GUESTS {
        let _ = writeln!(text, "{name}:x:{id}:{group}:{name}:{home}:{shell}");
    }
    text
}

/// The text of `/etc/group`.
pub(crate) fn group() -> String {
    let mut text = String::new();
    for (name, id, ..) in USERS {
        let name = if *name == "nobody" { "nogroup" } else { name };
        let _ = writeln!(text, "{name}:x:{id}:");
    }
    for (name, id, members) in GROUPS {
        let _ = writeln!(text, "{name}:x:{id}:{members}");
    }
    for (name, _) in ALIASES.iter().filter(|a| a.0 != "nogroup") {
        let id = group_number(name).unwrap_or_default();
        let _ = writeln!(text, "{name}:x:{id}:");
    }
    text
}

/// The text of `/etc/shadow`: root has no password, nobody else can log in.
pub(crate) fn shadow() -> String {
    let mut text = String::new();
    for name in USERS.iter().map(|u| u.0).chain(GUESTS.iter().map(|u| u.0)) {
        let password = if name == "root" { "" } else { "*" };
        let _ = writeln!(text, "{name}:{password}:19000:0:99999:7:::");
    }
    text
}

/// The text of `/etc/gshadow`.
pub(crate) fn gshadow() -> String {
    let groups = group();
    let mut text = String::new();
    for line in groups.lines() {
        let name = line.split(':').next().unwrap_or_default();
        let members = line.rsplit(':').next().unwrap_or_default();
        let _ = writeln!(text, "{name}:*::{members}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_numbers_are_unique() {
        for text in [passwd(), group()] {
            let mut names = HashSet::new();
            let mut numbers = HashSet::new();
            for line in text.lines() {
                let fields: Vec<_> = line.split(':').collect();
                assert!(names.insert(fields[0].to_string()), "{line}");
                let alias = fields[0].starts_with("quagga");
                assert!(numbers.insert(fields[2].to_string()) || alias, "{line}");
            }
        }
    }

    #[test]
    fn groups_of_users_are_there() {
        assert_eq!(number("www-data"), Some(33));
        assert_eq!(group_number("frrvty"), Some(200));
        assert_eq!(group_number("nogroup"), Some(65534));
        assert_eq!(group_number("quagga"), number("frr"));
        assert_eq!(number("quagga"), number("frr"));
        assert!(passwd().starts_with("root:x:0:0:root:/root:/bin/bash\n"));
        assert!(shadow().starts_with("root::"));
        assert!(gshadow().contains("frrvty:*::frr\n"));
    }
}
