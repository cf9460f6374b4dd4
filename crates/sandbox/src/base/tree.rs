//! The lowest layer of every node's `/`: folders and files as Debian and its packages of
//! daemons have them, made anew.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{Base, host};
use crate::error::Error;
use crate::{device, etc, users};

/// Folders with `user:group` and permissions, parents first.
#[rustfmt::skip]
const FOLDERS: &[(&str, &str, u32)] = &[
    ("boot", "", 0o755), ("home", "", 0o755), ("hostlab", "", 0o755), ("media", "", 0o755),
    ("mnt", "", 0o755), ("opt", "", 0o755), ("proc", "", 0o755), ("root", "", 0o700),
    ("srv", "", 0o755), ("sys", "", 0o755), ("tmp", "", 0o1777), ("usr", "", 0o755), ("etc", "", 0o755),
    ("etc/network", "", 0o755), ("etc/network/interfaces.d", "", 0o755),
    ("etc/network/if-up.d", "", 0o755), ("etc/network/if-down.d", "", 0o755),
    ("etc/network/if-pre-up.d", "", 0o755), ("etc/network/if-post-down.d", "", 0o755),
    ("etc/ssl", "", 0o755), ("etc/ssl/private", "root:ssl-cert", 0o710), ("etc/init.d", "", 0o755),
    ("etc/default", "", 0o755), ("etc/profile.d", "", 0o755), ("etc/sysctl.d", "", 0o755),
    ("etc/pam.d", "", 0o755),
    ("run", "", 0o755), ("run/lock", "", 0o1777), ("run/lock/subsys", "", 0o755), ("run/user", "", 0o755),
    ("run/sshd", "", 0o755), ("run/network", "", 0o755), ("run/dbus", "messagebus", 0o755),
    ("run/frr", "frr", 0o775), ("run/quagga", "quagga", 0o775), ("run/bird", "bird", 0o775),
    ("run/named", "bind", 0o775), ("run/apache2", "", 0o755), ("run/lock/apache2", "www-data:root", 0o755),
    ("run/nginx", "", 0o755), ("run/dnsmasq", "dnsmasq:nogroup", 0o755), ("run/radvd", "radvd:nogroup", 0o755),
    ("run/snmpd", "Debian-snmp", 0o755), ("run/mysqld", "mysql", 0o755), ("run/rpcbind", "_rpc:root", 0o755),
    ("run/openvswitch", "", 0o755), ("run/squid", "proxy", 0o755), ("run/unbound", "unbound", 0o755),
    ("run/dovecot", "", 0o755), ("run/exim4", "Debian-exim", 0o750), ("run/proftpd", "", 0o755),
    ("run/avahi-daemon", "avahi", 0o755), ("run/php", "www-data", 0o755), ("run/screen", "root:utmp", 0o1777),
    ("run/systemd", "", 0o755), ("run/xtables", "", 0o755), ("run/haproxy", "haproxy", 0o755),
    ("run/strongswan", "", 0o755), ("run/wpa_supplicant", "", 0o755), ("run/lldpd", "_lldpd", 0o755),
    ("run/chrony", "_chrony", 0o750), ("run/ntpd", "ntp", 0o755), ("run/freeradius", "freerad", 0o755),
    ("var", "", 0o755), ("var/backups", "", 0o755), ("var/cache", "", 0o755), ("var/lib", "", 0o755),
    ("var/local", "root:staff", 0o2775), ("var/log", "", 0o755), ("var/mail", "root:mail", 0o2775),
    ("var/opt", "", 0o755), ("var/spool", "", 0o755), ("var/tmp", "", 0o1777), ("var/www", "", 0o777),
    ("var/www/html", "", 0o777),
    ("var/cache/bind", "root:bind", 0o775), ("var/cache/apache2", "", 0o755),
    ("var/cache/apache2/mod_cache_disk", "www-data", 0o755), ("var/cache/nginx", "www-data:root", 0o755),
    ("var/cache/man", "man", 0o755), ("var/cache/ldconfig", "", 0o700),
    ("var/lib/apache2", "", 0o755), ("var/lib/bind", "root:bind", 0o775), ("var/lib/bird", "bird", 0o755),
    ("var/lib/dhcp", "", 0o755), ("var/lib/misc", "", 0o755), ("var/lib/frr", "frr", 0o755),
    ("var/lib/nginx", "", 0o755), ("var/lib/nginx/body", "www-data:root", 0o700),
    ("var/lib/snmp", "Debian-snmp", 0o755), ("var/lib/mysql", "mysql", 0o700),
    ("var/lib/mysql-files", "mysql", 0o700), ("var/lib/unbound", "unbound", 0o755),
    ("var/lib/dbus", "", 0o755), ("var/lib/dpkg", "", 0o755), ("var/lib/systemd", "", 0o755),
    ("var/lib/openvswitch", "", 0o755), ("var/lib/php", "", 0o755),
    ("var/lib/php/sessions", "root:root", 0o1733), ("var/lib/nfs", "statd:root", 0o755),
    ("var/lib/haproxy", "haproxy", 0o755), ("var/lib/chrony", "_chrony", 0o750),
    ("var/lib/postfix", "postfix", 0o755), ("var/lib/dovecot", "", 0o755), ("var/lib/ntp", "ntp", 0o755),
    ("var/lib/strongswan", "", 0o755), ("var/lib/lldpd", "", 0o755),
    ("var/log/apache2", "root:adm", 0o755), ("var/log/bind", "bind", 0o775), ("var/log/named", "bind", 0o775),
    ("var/log/bird", "bird", 0o775), ("var/log/frr", "frr", 0o775), ("var/log/quagga", "quagga", 0o777),
    ("var/log/nginx", "root:adm", 0o755), ("var/log/squid", "proxy", 0o755), ("var/log/mysql", "mysql:adm", 0o2750),
    ("var/log/openvswitch", "", 0o755), ("var/log/exim4", "Debian-exim:adm", 0o2750),
    ("var/log/lighttpd", "www-data", 0o750), ("var/log/freeradius", "freerad:adm", 0o755),
    ("var/log/ntpsec", "ntpsec", 0o755), ("var/log/chrony", "_chrony", 0o755), ("var/log/proftpd", "", 0o755),
    ("var/log/unbound", "unbound", 0o755),
    ("var/spool/cron", "", 0o755), ("var/spool/cron/crontabs", "root:crontab", 0o1730),
    ("var/spool/exim4", "Debian-exim", 0o750), ("var/spool/mail", "root:mail", 0o2775),
    ("var/spool/postfix", "", 0o755), ("var/spool/squid", "proxy", 0o750), ("var/spool/rsyslog", "root:adm", 0o755),
    ("usr/share", "", 0o755), ("srv/tftp", "", 0o755), ("srv/ftp", "", 0o755),
];

/// Links.
const LINKS: &[(&str, &str)] = &[
    ("var/run", "/run"),
    ("var/lock", "/run/lock"),
    ("etc/mtab", "/proc/mounts"),
    ("var/log/zebra", "quagga"),
];

/// Files with `user:group` and permissions; made before packages' files, which do not replace
/// them.
const FILES: &[(&str, &str, u32, &str)] = &[
    ("etc/hostname", "", 0o644, "localhost\n"),
    ("etc/hosts", "", 0o644, "127.0.0.1\tlocalhost\n"),
    ("etc/resolv.conf", "", 0o644, ""),
    ("etc/fstab", "", 0o644, ""),
    (
        "etc/machine-id",
        "",
        0o444,
        "7465306c61696f2d6e6f64652d303031\n",
    ),
    ("etc/environment", "", 0o644, ""),
    (
        "etc/securetty",
        "",
        0o644,
        "console\ntty1\npts/0\npts/1\npts/2\npts/3\n",
    ),
    ("etc/nsswitch.conf", "", 0o644, NSSWITCH),
    (
        "etc/network/interfaces",
        "",
        0o644,
        "auto lo\niface lo inet loopback\n",
    ),
    ("etc/motd", "", 0o644, ""),
    ("root/.bashrc", "", 0o644, BASHRC),
    (
        "root/.profile",
        "",
        0o644,
        "[ -n \"$BASH\" ] && [ -f ~/.bashrc ] && . ~/.bashrc\n",
    ),
    ("var/log/wtmp", "root:utmp", 0o664, ""),
    ("var/log/btmp", "root:utmp", 0o660, ""),
    ("var/log/lastlog", "root:utmp", 0o664, ""),
    ("run/utmp", "root:utmp", 0o664, ""),
    ("var/lib/dhcp/dhcpd.leases", "", 0o644, ""),
    ("var/lib/dhcp/dhcpd6.leases", "", 0o644, ""),
    (
        "etc/pam.d/common-auth",
        "",
        0o644,
        "auth required pam_unix.so nullok\n",
    ),
    (
        "etc/pam.d/common-account",
        "",
        0o644,
        "account required pam_unix.so\n",
    ),
    (
        "etc/pam.d/common-password",
        "",
        0o644,
        "password required pam_unix.so nullok yescrypt\n",
    ),
    (
        "etc/pam.d/common-session",
        "",
        0o644,
        "session required pam_unix.so\n",
    ),
    (
        "etc/pam.d/common-session-noninteractive",
        "",
        0o644,
        "session required pam_unix.so\n",
    ),
];

const NSSWITCH: &str = "\
passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files dns\nnetworks: files
protocols: files\nservices: files\nethers: files\nrpc: files\n";

const BASHRC: &str = "\
case $- in *i*) ;; *) return ;; esac
PS1='\\u@\\h:\\w\\$ '
HISTSIZE=1000
shopt -s checkwinsize histappend
alias ls='ls --color=auto'
alias grep='grep --color=auto'
";

/// Default pages: below `/usr`, and below `/var/www/html`.
const PAGES: [(&str, &str); 3] = [
    ("share/apache2/default-site/index.html", "index.html"),
    ("share/nginx/html/index.html", "index.nginx-debian.html"),
    ("share/lighttpd/index.html", "index.lighttpd.html"),
];

/// Folders of daemons' settings that belong to them, where they are there.
#[rustfmt::skip]
const OWNED: &[(&str, &str, u32)] = &[
    ("etc/frr", "frr", 0o775), ("etc/quagga", "quagga", 0o775), ("etc/bind", "root:bind", 0o2775),
    ("etc/bird", "bird", 0o775),
];

/// Fills the base.
pub(super) fn make(base: &Base, tools: usize) -> Result<(), Error> {
    let root = base.place.join("base");
    let mut tree = Tree {
        root: &root,
        owners: !base.single_id,
    };
    tree.fill(base, tools).map_err(Error::at("filling", &root))
}

struct Tree<'a> {
    root: &'a Path,
    /// Whether there are other ids than root's.
    owners: bool,
}

impl Tree<'_> {
    fn fill(&mut self, base: &Base, tools: usize) -> io::Result<()> {
        for (path, owner, mode) in FOLDERS {
            fs::create_dir_all(self.root.join(path))?;
            self.own(path, owner, *mode)?;
        }
        let etc = self.root.join("etc");
        etc::copy_host(Path::new("/etc"), Path::new("/var/lib/dpkg"), &etc)?;
        for i in (0..tools).rev() {
            let layer = base.place.join("tools").join(i.to_string());
            etc::copy_layer(&layer.join("etc"), &etc)?;
            etc::copy_layer(&layer.join("var"), &self.root.join("var"))?;
        }
        for (path, owner, mode, text) in FILES {
            self.file(path, owner, *mode, text)?;
        }
        self.file("etc/passwd", "", 0o644, &users::passwd())?;
        self.file("etc/group", "", 0o644, &users::group())?;
        self.file("etc/shadow", "root:shadow", 0o640, &users::shadow())?;
        self.file("etc/gshadow", "root:shadow", 0o640, &users::gshadow())?;
        self.packages(Path::new("/var/lib/dpkg"))?;
        self.pages(base)?;
        for (path, target) in LINKS {
            replace_by_link(&self.root.join(path), Path::new(target))?;
        }
        for (name, target) in host::links() {
            symlink(target, self.root.join(name))?;
        }
        for (part, _) in &base.parts {
            fs::create_dir_all(self.root.join(part))?;
        }
        device::make_places(&self.root.join("dev"))?;
        let present = OWNED
            .iter()
            .filter(|(path, ..)| self.root.join(path).is_dir());
        for (path, owner, mode) in present {
            self.own(path, owner, *mode)?;
        }
        Ok(())
    }

    /// What dpkg must know to install a lab's own packages: which are there, since `/usr` has
    /// them. Their lists of files are empty.
    fn packages(&self, dpkg: &Path) -> io::Result<()> {
        let to = self.root.join("var/lib/dpkg");
        for folder in ["info", "updates", "triggers", "parts", "alternatives"] {
            fs::create_dir_all(to.join(folder))?;
        }
        for file in ["diversions", "statoverride", "available"] {
            fs::write(to.join(file), "")?;
        }
        match fs::copy(dpkg.join("status"), to.join("status")) {
            Ok(_) => {}
            Err(_) => return fs::write(to.join("status"), ""),
        }
        etc::copy_layer(&dpkg.join("alternatives"), &to.join("alternatives"))?;
        fs::write(to.join("info/format"), "1\n")?;
        for entry in fs::read_dir(dpkg.join("info"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if Path::new(&entry.file_name())
                .extension()
                .is_some_and(|e| e == "list")
            {
                fs::write(to.join("info").join(entry.file_name()), "")?;
            }
        }
        Ok(())
    }

    /// The pages that web servers' packages put into `/var/www`.
    fn pages(&self, base: &Base) -> io::Result<()> {
        let www = self.root.join("var/www/html");
        for (from, to) in PAGES {
            let from = base.place.join("host/usr").join(from);
            if from.is_file() && !www.join(to).exists() {
                fs::copy(from, www.join(to))?;
            }
        }
        Ok(())
    }

    fn file(&self, path: &str, owner: &str, mode: u32, text: &str) -> io::Result<()> {
        let at = self.root.join(path);
        if at.is_symlink() {
            fs::remove_file(&at)?;
        }
        fs::write(&at, text)?;
        self.own(path, owner, mode)
    }

    fn own(&self, path: &str, owner: &str, mode: u32) -> io::Result<()> {
        let at = self.root.join(path);
        if self.owners && !owner.is_empty() {
            let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
            let unknown = || io::Error::other(format!("there is no user `{owner}` for {path}"));
            let user = users::number(user).ok_or_else(unknown)?;
            let group = users::group_number(group).ok_or_else(unknown)?;
            std::os::unix::fs::lchown(&at, Some(user), Some(group))?;
        }
        fs::set_permissions(&at, fs::Permissions::from_mode(mode))
    }
}

fn replace_by_link(at: &Path, target: &Path) -> io::Result<()> {
    match fs::symlink_metadata(at) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(at)?,
        Ok(_) => fs::remove_file(at)?,
        Err(_) => {}
    }
    symlink(target, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_known_users() {
        let folders = FOLDERS.iter().chain(OWNED).map(|f| f.1);
        for owner in folders
            .chain(FILES.iter().map(|f| f.1))
            .filter(|o| !o.is_empty())
        {
            let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
            assert!(users::number(user).is_some(), "{owner}");
            assert!(users::group_number(group).is_some(), "{owner}");
        }
    }
}
