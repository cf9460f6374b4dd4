//! What packages' own scripts would have made when installed: read from the scripts where they
//! say it plainly (alternatives, Apache's modules), from a table where not. No script is run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Error, layer};

/// One thing that a package's script makes. Paths are the node's, without the leading `/`.
enum Make {
    /// A symbolic link and where it points to.
    Link(&'static str, &'static str),
    /// A copy of a file of the package.
    Copy(&'static str, &'static str),
    /// Copies of all files of a folder of the package that are not there yet.
    CopyAll(&'static str, &'static str),
    /// A file of its own.
    Text(&'static str, &'static str),
    /// Nothing: the package's file must not be there.
    Without(&'static str),
    /// Apache's modules, configurations and sites that are on by default.
    Apache(
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
    ),
}

#[rustfmt::skip]
const TABLE: &[(&str, &[Make])] = &[
    ("apache2", &[Make::Apache(
        &["access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core", "authz_host", "authz_user",
          "autoindex", "deflate", "dir", "env", "filter", "mime", "mpm_event", "negotiation", "reqtimeout", "setenvif", "status"],
        &["charset", "localized-error-pages", "other-vhosts-access-log", "security", "serve-cgi-bin"],
        &["000-default"],
    ), Make::Copy("var/www/html/index.html", "usr/share/apache2/default-site/index.html")]),
    ("chrony", &[Make::Copy("etc/chrony/chrony.conf", "usr/share/chrony/chrony.conf")]),
    ("dovecot-core", &[Make::CopyAll("etc/dovecot", "usr/share/dovecot")]),
    ("dovecot-imapd", &[Make::Text("usr/share/dovecot/protocols.d/imapd.protocol", "protocols = $protocols imap\n")]),
    ("dovecot-lmtpd", &[Make::Text("usr/share/dovecot/protocols.d/lmtpd.protocol", "protocols = $protocols lmtp\n")]),
    ("dovecot-pop3d", &[Make::Text("usr/share/dovecot/protocols.d/pop3d.protocol", "protocols = $protocols pop3\n")]),
    // with an integrated configuration there, FRR would read no other
    ("frr", &[Make::Without("etc/frr/frr.conf")]),
    ("isc-dhcp-server", &[Make::Text("etc/default/isc-dhcp-server", "INTERFACESv4=\"\"\nINTERFACESv6=\"\"\n")]),
    ("isc-dhcp-relay", &[Make::Text("etc/default/isc-dhcp-relay", "SERVERS=\"\"\nINTERFACES=\"\"\nOPTIONS=\"\"\n")]),
    ("nginx-common", &[
        Make::Link("etc/nginx/sites-enabled/default", "/etc/nginx/sites-available/default"),
        Make::Copy("var/www/html/index.nginx-debian.html", "usr/share/nginx/html/index.html"),
    ]),
    ("openssh-server", &[Make::Copy("etc/ssh/sshd_config", "usr/share/openssh/sshd_config")]),
    ("tftpd-hpa", &[Make::Text("etc/default/tftpd-hpa",
        "TFTP_USERNAME=\"tftp\"\nTFTP_DIRECTORY=\"/srv/tftp\"\nTFTP_ADDRESS=\":69\"\nTFTP_OPTIONS=\"--secure\"\n")]),
];

/// Completes a layer made of these packages (name and folder).
pub(super) fn finish(layer: &Path, packages: &[(String, PathBuf)]) -> Result<(), Error> {
    for (name, _) in packages {
        let steps = TABLE.iter().filter(|(package, _)| package == name);
        for step in steps.flat_map(|(_, steps)| *steps) {
            make(layer, step)?;
        }
    }
    let mut chosen = BTreeMap::new();
    for (_, folder) in packages {
        let script = fs::read(folder.join("control/postinst")).unwrap_or_default();
        let commands = commands(&String::from_utf8_lossy(&script));
        for (link, choice) in commands.iter().flat_map(|c| alternatives(c)) {
            prefer(&mut chosen, link, choice);
        }
        apache_modules(layer, &commands)?;
    }
    php(layer)?;
    for (link, choice) in &chosen {
        alternative(layer, link, choice)?;
    }
    Ok(())
}

fn make(root: &Path, step: &Make) -> Result<(), Error> {
    match step {
        Make::Link(link, target) => make_link(&root.join(link), target),
        Make::Copy(to, from) => copy(&root.join(from), &root.join(to)),
        Make::CopyAll(to, from) => copy_all(&root.join(from), &root.join(to)),
        Make::Text(path, text) => write(&root.join(path), text.as_bytes()),
        Make::Without(path) => layer::clear(&root.join(path)),
        Make::Apache(mods, confs, sites) => {
            for (kind, names) in [("mods", mods), ("conf", confs), ("sites", sites)] {
                for name in *names {
                    apache_enable(root, kind, name)?;
                }
            }
            Ok(())
        }
    }
}

fn make_link(link: &Path, target: &str) -> Result<(), Error> {
    if let Some(folder) = link.parent() {
        layer::make_dir(folder, 0o755)?;
    }
    layer::clear(link)?;
    symlink(target, link).map_err(Error::io("linking", link))
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::read(from) {
        Ok(content) => write(to, &content),
        // another version of the package has it elsewhere: its own defaults will do
        Err(_) => Ok(()),
    }
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Error> {
    for name in layer::names(from).unwrap_or_default() {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_all(&from, &to)?;
        } else if to.symlink_metadata().is_err() {
            copy(&from, &to)?;
        }
    }
    Ok(())
}

/// Never written in place: the file may be a link to the package's.
fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        layer::make_dir(folder, 0o755)?;
    }
    layer::clear(path)?;
    fs::write(path, content).map_err(Error::io("writing", path))
}

/// As `a2enmod`, `a2enconf` and `a2ensite` link what is available.
fn apache_enable(root: &Path, kind: &str, name: &str) -> Result<(), Error> {
    let folder = root.join("etc/apache2");
    for end in ["load", "conf"] {
        let file = format!("{name}.{end}");
        if folder
            .join(format!("{kind}-available"))
            .join(&file)
            .exists()
        {
            let link = folder.join(format!("{kind}-enabled")).join(&file);
            make_link(&link, &format!("../{kind}-available/{file}"))?;
        }
    }
    Ok(())
}

/// Modules that packages enable by `apache2_invoke`. PHP's is not safe with threads: it comes
/// with the process model that it asks for.
fn apache_modules(root: &Path, commands: &[Vec<String>]) -> Result<(), Error> {
    for command in commands {
        let [first, action, name, ..] = command.as_slice() else {
            continue;
        };
        match (first.as_str(), action.as_str()) {
            ("apache2_invoke", "enmod") => apache_enable(root, "mods", name)?,
            ("apache2_invoke", "enconf") => apache_enable(root, "conf", name)?,
            _ => continue,
        }
        if name.starts_with("php") && action == "enmod" {
            let enabled = root.join("etc/apache2/mods-enabled");
            layer::clear(&enabled.join("mpm_event.load"))?;
            layer::clear(&enabled.join("mpm_event.conf"))?;
            apache_enable(root, "mods", "mpm_prefork")?;
        }
    }
    Ok(())
}

/// PHP's settings and extensions, which its packages put in place by tools of their own.
fn php(root: &Path) -> Result<(), Error> {
    let versions = layer::names(&root.join("etc/php")).unwrap_or_default();
    for version in versions {
        let folder = root.join("etc/php").join(&version);
        let shared = root.join("usr/lib/php").join(&version);
        for sapi in ["apache2", "fpm", "cli"] {
            if folder.join(sapi).is_dir() {
                copy(
                    &shared.join("php.ini-production"),
                    &folder.join(sapi).join("php.ini"),
                )?;
            }
        }
    }
    Ok(())
}

/// A choice for an alternative's link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    name: String,
    path: String,
    priority: i64,
}

fn prefer(chosen: &mut BTreeMap<String, Choice>, link: String, choice: Choice) {
    let better = chosen
        .get(&link)
        .is_none_or(|c| c.priority < choice.priority);
    if better {
        chosen.insert(link, choice);
    }
}

/// The links of one `update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME
/// PATH]…`.
fn alternatives(command: &[String]) -> Vec<(String, Choice)> {
    if command
        .first()
        .is_none_or(|c| !c.ends_with("update-alternatives"))
    {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut priority = 0;
    let mut words = command.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let main = word == "--install";
        if !main && word != "--slave" {
            continue;
        }
        let (Some(link), Some(name), Some(path)) = (words.next(), words.next(), words.next())
        else {
            break;
        };
        if main {
            priority = words.next().and_then(|p| p.parse().ok()).unwrap_or(0);
        }
        let choice = Choice {
            name: name.into(),
            path: path.into(),
            priority,
        };
        out.push((link.to_owned(), choice));
    }
    let whole = |(link, c): &(String, Choice)| {
        [link, &c.path]
            .iter()
            .all(|p| p.starts_with('/') && !p.contains("..") && !p.contains('$'))
            && !c.name.contains(['/', '$'])
    };
    out.retain(whole);
    out
}

/// Makes `/etc/alternatives/NAME` and the link that leads there, if the layer has the program.
fn alternative(root: &Path, link: &str, choice: &Choice) -> Result<(), Error> {
    let inside = |path: &str| root.join(merged(path));
    if inside(&choice.path).symlink_metadata().is_err() {
        return Ok(());
    }
    let switch = format!("etc/alternatives/{}", choice.name);
    make_link(&root.join(&switch), &choice.path)?;
    make_link(&inside(link), &format!("/{switch}"))
}

/// Where a path of a package is in a layer, in which `/bin`, `/sbin` and `/lib` are below `usr`.
fn merged(path: &str) -> String {
    let path = path.trim_start_matches('/');
    let old = ["bin/", "sbin/", "lib/"]
        .iter()
        .any(|p| path.starts_with(p));
    match old {
        true => format!("usr/{path}"),
        false => path.to_owned(),
    }
}

/// A script's simple commands as words: lines that go on are joined, and those in a `for` over
/// plain words stand once for each word. No more of the shell is understood: what is built from
/// other variables keeps its `$` and means nothing.
fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let mut out = Vec::new();
    let mut loops: Vec<(String, Vec<String>)> = Vec::new();
    for part in joined.lines().flat_map(|l| l.split([';', '|', '&'])) {
        let mut words: Vec<_> = part.split_whitespace().map(unquote).collect();
        while words
            .first()
            .is_some_and(|w| ["do", "then", "else", "if", "{"].contains(&w.as_str()))
        {
            words.remove(0);
        }
        match words.first().map(String::as_str) {
            None => {}
            Some("for") if words.get(2).is_some_and(|w| w == "in") => {
                loops.push((words[1].clone(), words[3..].to_vec()));
            }
            Some("done") => drop(loops.pop()),
            Some(_) => expand(&words, &loops, &mut out),
        }
    }
    out
}

fn unquote(word: &str) -> String {
    word.trim_matches(['"', '\'']).to_owned()
}

/// Only the innermost loop over plain words is followed.
fn expand(words: &[String], loops: &[(String, Vec<String>)], out: &mut Vec<Vec<String>>) {
    let Some((name, values)) = loops.last() else {
        out.push(words.to_vec());
        return;
    };
    for value in values.iter().take(64) {
        let put = |w: &String| {
            w.replace(&format!("${{{name}}}"), value)
                .replace(&format!("${name}"), value)
        };
        out.push(words.iter().map(put).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "set -e\ncase \"$1\" in\n configure)\n  update-alternatives --install \\\n  \
        /usr/bin/walk walk /usr/bin/walk.own 100 \\\n  --slave /usr/sbin/walk walk.sbin /usr/bin/walk.own\n  \
        for _X in run swim; do\n update-alternatives --install /bin/$_X ${_X} /bin/${_X}.own 5\ndone\n\
        update-alternatives --install /usr/bin/$x x $y 1\n;;\nesac\n";

    #[test]
    fn finds_alternatives_in_a_script() {
        let found: Vec<_> = commands(SCRIPT)
            .iter()
            .flat_map(|c| alternatives(c))
            .collect();
        let links: Vec<_> = found
            .iter()
            .map(|(link, c)| (link.as_str(), c.path.as_str(), c.priority))
            .collect();
        assert_eq!(
            links,
            [
                ("/usr/bin/walk", "/usr/bin/walk.own", 100),
                ("/usr/sbin/walk", "/usr/bin/walk.own", 100),
                ("/bin/run", "/bin/run.own", 5),
                ("/bin/swim", "/bin/swim.own", 5),
            ]
        );
    }

    #[test]
    fn a_layer_gets_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, text) in [
            ("usr/bin/walk.own", ""),
            ("usr/bin/run.own", ""),
            ("etc/apache2/mods-available/dir.load", ""),
            ("etc/apache2/mods-available/dir.conf", ""),
            ("etc/frr/frr.conf", "x"),
        ] {
            write(&root.join(path), text.as_bytes()).unwrap();
        }
        let package = folder.path().join("package");
        write(&package.join("control/postinst"), SCRIPT.as_bytes()).unwrap();
        let packages = ["walk", "apache2", "frr"].map(|n| (n.to_owned(), package.clone()));
        finish(root, &packages).unwrap();
        let link = |p: &str| fs::read_link(root.join(p)).unwrap().display().to_string();
        assert_eq!(link("usr/bin/walk"), "/etc/alternatives/walk");
        assert_eq!(link("etc/alternatives/walk"), "/usr/bin/walk.own");
        assert_eq!(link("usr/bin/run"), "/etc/alternatives/run");
        assert!(root.join("usr/bin/swim").symlink_metadata().is_err());
        assert_eq!(
            link("etc/apache2/mods-enabled/dir.conf"),
            "../mods-available/dir.conf"
        );
        assert!(!root.join("etc/frr/frr.conf").exists());
    }
}
