//! What of the host's `/etc` a node may see: files that packages brought, by an allow-list.
//!
//! A file is taken only if everybody on the host may read it, if it is not too large, and if
//! nothing in its name hints at a secret. In folders of daemons only files that Debian's `dpkg`
//! knows are taken, so what the host's own administrator put there (sites, zones, keys) stays
//! with him. Symbolic links are taken as links: in a node they lead to the node's own files.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Files and folders that are taken whole.
#[rustfmt::skip]
const GENERAL: &[&str] = &[
    "alternatives", "bash.bashrc", "bash_completion", "bash_completion.d", "bindresvport.blacklist",
    "ca-certificates", "ca-certificates.conf", "debian_version", "dictionaries-common", "ethertypes",
    "fonts", "gai.conf", "groff", "host.conf", "inputrc", "issue", "issue.net", "java",
    "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "libnl-3", "locale.alias", "locale.conf", "localtime", "login.defs", "lsb-release",
    "lynx", "magic", "magic.mime", "mailcap", "manpath.config", "mime.types", "nanorc", "netconfig",
    "networks", "os-release", "perl", "pki", "profile", "profile.d", "protocols", "python",
    "python2.7", "python3", "python3.11", "python3.12", "python3.13", "redhat-release", "rpc",
    "screenrc", "services", "shells", "skel", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
    "tmux.conf", "ucf.conf", "vim", "wgetrc", "xattr.conf", "xtables",
];

/// Folders of daemons and tools, of which only packages' own files are taken.
#[rustfmt::skip]
const PACKAGES: &[&str] = &[
    "apache2", "apparmor.d/abstractions", "avahi", "bind", "bird", "bird.conf", "chrony", "crypto-policies",
    "dbus-1", "default", "dhcp", "dhcpcd.conf", "dnsmasq.conf", "dnsmasq.d", "dovecot", "email-addresses",
    "ettercap", "exim4", "freeradius", "frr", "gss", "haproxy", "hosts.allow", "hosts.deny", "httpd",
    "ifplugd", "inetd.conf", "init.d", "insserv.conf.d", "ipsec.d", "iproute2", "iptables", "ldap",
    "lighttpd", "links", "links2", "lldpd.d", "logrotate.conf", "logrotate.d", "mtr.conf", "mysql", "my.cnf",
    "named", "ndisc6", "nftables.conf", "nginx", "nsd", "ntp.conf", "ntpsec", "openvpn",
    "openvswitch", "pam.conf", "pam.d", "php", "postfix", "ppp", "proftpd", "quagga", "radsecproxy.conf",
    "radvd.conf", "rc0.d", "rc1.d", "rc2.d", "rc3.d", "rc4.d", "rc5.d", "rc6.d", "rcS.d", "request-key.conf",
    "resolvconf", "rsyslog.conf", "rsyslog.d", "security", "sensors.d", "sensors3.conf", "sgml", "snmp",
    "squid", "ssh/moduli", "ssh/ssh_config", "ssh/ssh_config.d", "ssh/sshd_config", "ssh/sshd_config.d",
    "strongswan.conf", "strongswan.d", "swanctl", "sysctl.conf", "sysctl.d", "tinyproxy", "ufw/applications.d",
    "unbound", "update-motd.d", "vsftpd.conf", "w3m", "wireshark", "xdg", "xinetd.conf", "xinetd.d", "xl2tpd", "xml",
];

/// Larger files stay with the host.
const LARGEST: u64 = 1 << 20;
/// No more than so many files.
const MOST: usize = 20_000;

/// Copies the host's files below `host` (its `/etc`) to `to`.
pub(crate) fn copy_host(host: &Path, dpkg: &Path, to: &Path) -> io::Result<()> {
    let known = conffiles(dpkg);
    let mut copy = Copy {
        known: None,
        strict: true,
        left: MOST,
    };
    for name in GENERAL {
        copy.entry(&host.join(name), &to.join(name))?;
    }
    copy.known = known;
    for name in PACKAGES {
        copy.entry(&host.join(name), &to.join(name))?;
    }
    Ok(())
}

/// Copies all of a folder of a tool layer, whose files come from packages only.
pub(crate) fn copy_layer(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = Copy {
        known: None,
        strict: false,
        left: MOST,
    };
    copy.entry(from, to)
}

/// Paths of packages' configuration files, from dpkg's state; none where there is no dpkg.
/// A line of it: a space, the path, a space, the hash of the file's content.
fn conffiles(dpkg: &Path) -> Option<HashSet<PathBuf>> {
    let text = fs::read(dpkg.join("status")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter(|l| l.starts_with(" /etc/"));
    Some(
        lines
            .filter_map(|l| l.split(' ').nth(1))
            .map(PathBuf::from)
            .collect(),
    )
}

struct Copy {
    /// If set: files that may be taken.
    known: Option<HashSet<PathBuf>>,
    /// Whether files are the host's, and judged.
    strict: bool,
    left: usize,
}

impl Copy {
    fn entry(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let Ok(meta) = fs::symlink_metadata(from) else {
            return Ok(());
        };
        if self.left == 0 || self.strict && secret(from) {
            return Ok(());
        }
        self.left -= 1;
        if meta.is_dir() {
            return self.folder(from, to, meta.mode());
        }
        if meta.is_symlink() {
            let target = fs::read_link(from)?;
            replace(to)?;
            return std::os::unix::fs::symlink(target, to);
        }
        let fits = meta.is_file() && (!self.strict || self.fits(from, &meta));
        if fits {
            copy_file(from, to, meta.mode())
        } else {
            Ok(())
        }
    }

    fn fits(&self, from: &Path, meta: &fs::Metadata) -> bool {
        let known = self.known.as_ref().is_none_or(|k| k.contains(from));
        known && meta.mode() & 0o004 != 0 && meta.len() <= LARGEST
    }

    fn folder(&mut self, from: &Path, to: &Path, mode: u32) -> io::Result<()> {
        if self.strict && mode & 0o005 != 0o005 {
            return Ok(());
        }
        let Ok(entries) = fs::read_dir(from) else {
            return Ok(());
        };
        if !to.is_dir() {
            replace(to)?;
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(to)?;
        }
        for entry in entries.flatten() {
            self.entry(&entry.path(), &to.join(entry.file_name()))?;
        }
        Ok(())
    }
}

/// Makes room for a file or link, and the folder it goes to.
fn replace(to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::symlink_metadata(to) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(to),
        Ok(_) => fs::remove_file(to),
        Err(_) => Ok(()),
    }
}

/// A file that cannot be opened is left out.
fn copy_file(from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let Ok(mut source) = fs::File::open(from) else {
        return Ok(());
    };
    replace(to)?;
    let mut target = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode & 0o755)
        .open(to)?;
    io::copy(&mut source, &mut target).map(drop)
}

/// Whether a file of the host has a name like one with a secret in it.
fn secret(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let public = path
        .components()
        .any(|c| c.as_os_str() == "certs" || c.as_os_str() == "ca-certificates");
    let endings = [".key", ".p12", ".pfx", ".keytab", ".gpg", ".kdbx"];
    let exact = [
        "chap-secrets",
        "pap-secrets",
        "ipsec.secrets",
        "sasldb2",
        "rndc.key",
        "frr.conf",
        "vtysh.conf",
        "private",
        "keys",
        "dhcp-keys",
        "passwd.client",
    ];
    let key_of_host = name.starts_with("ssh_host_");
    exact.contains(&name.as_str())
        || key_of_host
        || endings.iter().any(|e| name.ends_with(e))
        || !public && name.ends_with(".pem")
        || ["secret", "passwd", "htpasswd", "password"]
            .iter()
            .any(|w| name.contains(w) && path.components().all(|c| c.as_os_str() != "pam.d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn write(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn takes_packages_files_and_no_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let (host, to, dpkg) = (
            dir.path().join("etc"),
            dir.path().join("to"),
            dir.path().join("dpkg"),
        );
        for file in [
            "services",
            "apache2/apache2.conf",
            "apache2/mine.conf",
            "ssl/certs/a.pem",
        ] {
            write(&host.join(file), 0o644);
        }
        for file in [
            "shadow",
            "ssl/private/k.key",
            "ssh/ssh_host_rsa_key",
            "apache2/k.key",
            "hostname",
        ] {
            write(&host.join(file), 0o644);
        }
        write(&host.join("profile"), 0o640);
        symlink("/root/.ssh/id", host.join("skel")).unwrap();
        fs::create_dir(&dpkg).unwrap();
        let known = host.join("apache2/apache2.conf");
        fs::write(dpkg.join("status"), "Conffiles:\n /etc/other 00\n").unwrap();
        let mut copy = Copy {
            known: Some([known].into()),
            strict: true,
            left: MOST,
        };
        copy_host(&host, &dpkg, &to).unwrap();
        copy.entry(&host.join("apache2"), &to.join("apache2"))
            .unwrap();
        for there in ["services", "apache2/apache2.conf", "ssl/certs/a.pem"] {
            assert!(to.join(there).is_file(), "{there}");
        }
        for absent in [
            "shadow",
            "ssl/private",
            "ssh",
            "apache2/k.key",
            "hostname",
            "profile",
            "apache2/mine.conf",
        ] {
            assert!(!to.join(absent).exists(), "{absent}");
        }
        assert_eq!(
            fs::read_link(to.join("skel")).unwrap(),
            Path::new("/root/.ssh/id")
        );
    }

    #[test]
    fn reads_dpkgs_list() {
        let dir = tempfile::tempdir().unwrap();
        assert!(conffiles(dir.path()).is_none());
        fs::write(
            dir.path().join("status"),
            "Package: a\nConffiles:\n /etc/a/b 0123 obsolete\nStatus: x\n",
        )
        .unwrap();
        let known = conffiles(dir.path()).unwrap();
        assert!(known.contains(Path::new("/etc/a/b")) && known.len() == 1);
    }
}
