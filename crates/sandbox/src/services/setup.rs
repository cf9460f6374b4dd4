//! Files that packages' scripts would have made at installation and that differ from host to
//! host (keys), and old places of configurations, brought to where today's daemons look.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::users;

pub(super) type Done = Result<(), String>;

pub(super) fn told<T>(result: std::io::Result<T>, what: &str) -> Result<T, String> {
    result.map_err(|e| format!("{what}: {e}"))
}

/// Runs a program that makes something; its own words are the error.
fn run(program: &str, args: &[&str]) -> Done {
    let out = told(Command::new(program).args(args).output(), program)?;
    match out.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&out.stderr).trim()
        )),
    }
}

pub(super) fn give(path: &str, owner: &str) -> Done {
    told(users::give(Path::new("/"), Path::new(path), owner), path)
}

/// Links `new` to `old` where only the old place has something.
fn moved(old: &str, new: &str) -> Done {
    if !Path::new(old).exists() || fs::symlink_metadata(new).is_ok() {
        return Ok(());
    }
    if let Some(folder) = Path::new(new).parent() {
        told(fs::create_dir_all(folder), new)?;
    }
    told(symlink(old, new), new)
}

/// Apache 2.4 reads sites that end in `.conf`; those of 2.2 had no ending.
pub(super) fn apache() -> Done {
    let folder = Path::new("/etc/apache2/sites-enabled");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.contains('.') {
            let link = folder.join(format!("{name}.conf"));
            moved(
                &entry.path().display().to_string(),
                &link.display().to_string(),
            )?;
        }
    }
    Ok(())
}

/// BIRD's configuration was in `/etc` itself once, and its user, whom it had not then, cannot
/// make a log in root's folders.
pub(super) fn bird() -> Done {
    moved("/etc/bird.conf", "/etc/bird/bird.conf")?;
    let text = fs::read_to_string("/etc/bird/bird.conf").unwrap_or_default();
    for path in logs(&text) {
        touch(path)?;
        give(path, "bird:bird")?;
    }
    Ok(())
}

/// The files of `log "FILE" …` lines.
fn logs(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter_map(|l| l.trim().strip_prefix("log "));
    let paths = lines.filter_map(|l| l.trim().strip_prefix('"')?.split('"').next());
    paths.filter(|p| p.starts_with("/var/log/"))
}

/// dnsmasq is told to read this folder.
pub(super) fn dnsmasq() -> Done {
    told(fs::create_dir_all("/etc/dnsmasq.d"), "/etc/dnsmasq.d")
}

/// A certificate that its configuration names.
pub(super) fn dovecot() -> Done {
    several_users("dovecot")?;
    let (folder, key) = ("/etc/dovecot/private", "/etc/dovecot/private/dovecot.key");
    let certificate = "/etc/dovecot/private/dovecot.pem";
    if Path::new(certificate).exists() || !Path::new("/usr/bin/openssl").exists() {
        return Ok(());
    }
    told(fs::create_dir_all(folder), folder)?;
    let new = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
    ];
    let files = [
        "-subj",
        "/CN=localhost",
        "-keyout",
        key,
        "-out",
        certificate,
    ];
    run("openssl", &[&new[..], &files[..]].concat())
}

/// What Debian asks when exim is installed, answered for a machine that sends and receives mail
/// by itself.
pub(super) fn exim() -> Done {
    several_users("exim")?;
    aliases()?;
    let file = "/etc/exim4/update-exim4.conf.conf";
    if Path::new(file).exists() || !Path::new("/etc/exim4/exim4.conf.template").exists() {
        return Ok(());
    }
    let name = told(
        fs::read_to_string("/proc/sys/kernel/hostname"),
        "the host name",
    )?;
    let name = name.trim();
    let mail = fs::read_to_string("/etc/mailname").unwrap_or_default();
    let names = match mail.trim() {
        "" => name.to_owned(),
        mail if mail == name => name.to_owned(),
        mail => format!("{name}:{mail}"),
    };
    let text = format!(
        "dc_eximconfig_configtype='internet'\ndc_other_hostnames='{names}'\ndc_local_interfaces=''\n\
         dc_readhost=''\ndc_relay_domains=''\ndc_minimaldns='false'\ndc_relay_nets=''\ndc_smarthost=''\n\
         CFILEMODE='644'\ndc_use_split_config='false'\ndc_hide_mailname=''\ndc_mailname_in_oh='true'\n\
         dc_localdelivery='mail_spool'\n"
    );
    told(fs::write(file, text), file)?;
    if mail.trim().is_empty() {
        told(
            fs::write("/etc/mailname", format!("{name}\n")),
            "/etc/mailname",
        )?;
    }
    Ok(())
}

/// Some daemons look whether they have become who they wanted to be, and there is no way around.
fn several_users(daemon: &str) -> Done {
    match users::single_id() {
        false => Ok(()),
        true => Err(format!(
            "{daemon} insists on being several users, and this lab has one: root can run it, or give \
             you more ids once (`telaio setup`)"
        )),
    }
}

/// Whose mail root's helpers' is; a mail server without this file takes no mail.
fn aliases() -> Done {
    let file = "/etc/aliases";
    if Path::new(file).exists() {
        return Ok(());
    }
    let names = [
        "mailer-daemon",
        "abuse",
        "hostmaster",
        "webmaster",
        "nobody",
    ];
    let lines: String = names.map(|n| format!("{n}: postmaster\n")).concat();
    told(fs::write(file, format!("{lines}postmaster: root\n")), file)
}

/// dhcpd wants a file of leases; its configuration had another folder once.
pub(super) fn dhcpd() -> Done {
    let (old, new) = ("/etc/dhcp3/dhcpd.conf", "/etc/dhcp/dhcpd.conf");
    if Path::new(old).exists() && !says_something(new, "subnet") {
        told(fs::create_dir_all("/etc/dhcp"), "/etc/dhcp")?;
        told(fs::copy(old, new), new)?;
    }
    touch("/var/lib/dhcp/dhcpd.leases")
}

/// Likewise for IPv6.
pub(super) fn dhcpd6() -> Done {
    touch("/var/lib/dhcp/dhcpd6.leases")
}

/// Whether a configuration has a line that begins with `word`.
fn says_something(path: &str, word: &str) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|l| l.trim_start().starts_with(word))
}

fn touch(path: &str) -> Done {
    let opened = fs::File::options().append(true).create(true).open(path);
    told(opened, path).map(drop)
}

/// The system's own tables.
pub(super) fn mariadb() -> Done {
    if Path::new("/var/lib/mysql/mysql").exists() {
        return Ok(());
    }
    run(
        "mariadb-install-db",
        &["--user=mysql", "--datadir=/var/lib/mysql", "--skip-test-db"],
    )
}

/// NTPsec reads another file than ntpd did.
pub(super) fn ntp() -> Done {
    let (old, new) = ("/etc/ntp.conf", "/etc/ntpsec/ntp.conf");
    if Path::new(old).exists() {
        told(fs::create_dir_all("/etc/ntpsec"), "/etc/ntpsec")?;
        told(fs::copy(old, new), new)?;
    }
    Ok(())
}

/// The kernel's messages are the host's: rsyslog's reader of them would only complain.
pub(super) fn rsyslog() -> Done {
    let file = "/etc/rsyslog.conf";
    let Ok(text) = fs::read_to_string(file) else {
        return Ok(());
    };
    let is_it =
        |l: &&str| l.starts_with("module(load=\"imklog\"") || l.starts_with("$ModLoad imklog");
    if !text.lines().any(|l| is_it(&l)) {
        return Ok(());
    }
    let off = |l: &str| {
        if is_it(&l) {
            format!("#{l}\n")
        } else {
            format!("{l}\n")
        }
    };
    told(
        fs::write(file, text.lines().map(off).collect::<String>()),
        file,
    )
}

/// The machine's keys.
pub(super) fn ssh() -> Done {
    run("ssh-keygen", &["-A"])
}

/// It keeps users in their own folders only where they may not write to these; where all users are
/// one they always may.
pub(super) fn vsftpd() -> Done {
    let cage = "/run/vsftpd/empty";
    if users::single_id() && Path::new(cage).is_dir() {
        run(
            "mount",
            &["-t", "tmpfs", "-o", "ro,size=4k", "telaio", cage],
        )?;
    }
    let (file, option) = ("/etc/vsftpd.conf", "allow_writeable_chroot");
    if !users::single_id() || says_something(file, option) {
        return Ok(());
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    told(fs::write(file, format!("{text}\n{option}=YES\n")), file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bird_s_logs_are_found() {
        let text = "log syslog all;\n log \"/var/log/b.log\" all;\n# log \"/var/log/no\"\nlog \"/etc/x\" all;\n";
        assert_eq!(logs(text).collect::<Vec<_>>(), ["/var/log/b.log"]);
    }
}
