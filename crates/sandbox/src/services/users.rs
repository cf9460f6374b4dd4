//! Users and groups of a running node: found by name, and made where a daemon wants one that no
//! node has from the start (`crate::users`).

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a user, with a group of its name, where there is none of that name.
pub(super) fn ensure(root: &Path, name: &str) -> io::Result<()> {
    let (passwd, group) = (root.join("etc/passwd"), root.join("etc/group"));
    if id_in(&passwd, name).is_some() {
        return Ok(());
    }
    let id = free_id(&passwd, &group)?;
    if id_in(&group, name).is_none() {
        append(&group, &format!("{name}:x:{id}:"))?;
    }
    append(
        &passwd,
        &format!("{name}:x:{id}:{id}::/nonexistent:/usr/sbin/nologin"),
    )?;
    append(&root.join("etc/shadow"), &format!("{name}:*:19000::::::"))
}

/// Makes a group where there is none of that name.
pub(super) fn ensure_group(root: &Path, name: &str) -> io::Result<()> {
    let group = root.join("etc/group");
    match id_in(&group, name) {
        Some(_) => Ok(()),
        None => append(
            &group,
            &format!("{name}:x:{}:", free_id(&root.join("etc/passwd"), &group)?),
        ),
    }
}

/// A number in Debian's range for packages that neither file has.
fn free_id(passwd: &Path, group: &Path) -> io::Result<u32> {
    let mut taken = Vec::new();
    for file in [passwd, group] {
        let text = fs::read_to_string(file).unwrap_or_default();
        taken.extend(
            text.lines()
                .filter_map(|l| l.split(':').nth(2)?.parse::<u32>().ok()),
        );
    }
    let free = (400..999).find(|id| !taken.contains(id));
    free.ok_or_else(|| io::Error::other("no number below 1000 is left for another user"))
}

fn append(file: &Path, line: &str) -> io::Result<()> {
    let text = fs::read(file).unwrap_or_default();
    let break_before = text.last().is_some_and(|c| *c != b'\n');
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    let line = format!("{}{line}\n", if break_before { "\n" } else { "" });
    file.write_all(line.as_bytes())
}

fn id_in(file: &Path, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    let mut fields = text.lines().map(|l| l.split(':'));
    fields.find_map(|mut f| {
        (f.next() == Some(name))
            .then(|| f.nth(1)?.parse().ok())
            .flatten()
    })
}

/// Whether root is the only user that can be: a lab of somebody without subordinate ids.
pub(super) fn single_id() -> bool {
    is_single(&fs::read_to_string("/proc/self/uid_map").unwrap_or_default())
}

/// One line of an id map says: first id inside, first id outside, how many.
fn is_single(map: &str) -> bool {
    let mut fields = map.split_whitespace();
    fields.nth(2) == Some("1") && fields.next().is_none()
}

/// Makes a user another name of root, and its group another name of root's.
pub(super) fn alias_of_root(root: &Path, name: &str) -> io::Result<()> {
    zero(&root.join("etc/passwd"), name, 2)?;
    zero(&root.join("etc/group"), name, 1)
}

/// Sets the numbers of an entry, which follow the password, to 0.
fn zero(file: &Path, name: &str, numbers: usize) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let change = |line: &str| {
        let mut fields: Vec<_> = line.split(':').collect();
        if fields[0] == name {
            fields
                .iter_mut()
                .skip(2)
                .take(numbers)
                .for_each(|f| *f = "0");
        }
        fields.join(":") + "\n"
    };
    let new: String = text.lines().map(change).collect();
    if new == text {
        Ok(())
    } else {
        fs::write(file, new)
    }
}

/// A user's number.
pub(super) fn user_id(root: &Path, name: &str) -> Option<u32> {
    name.parse()
        .ok()
        .or_else(|| id_in(&root.join("etc/passwd"), name))
}

/// A group's number.
pub(super) fn group_id(root: &Path, name: &str) -> Option<u32> {
    name.parse()
        .ok()
        .or_else(|| id_in(&root.join("etc/group"), name))
}

/// The number of a user's own group.
pub(super) fn group_of(root: &Path, user: &str) -> Option<u32> {
    let text = fs::read_to_string(root.join("etc/passwd")).ok()?;
    let mut fields = text.lines().map(|l| l.split(':'));
    fields.find_map(|mut f| {
        (f.next() == Some(user))
            .then(|| f.nth(2)?.parse().ok())
            .flatten()
    })
}

/// Gives a path to `user:group`, whose names the node knows.
pub(super) fn give(root: &Path, path: &Path, owner: &str) -> io::Result<()> {
    let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
    std::os::unix::fs::lchown(path, user_id(root, user), group_id(root, group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_user_comes_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/bash").unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\nhad:x:400:me\n").unwrap();
        for _ in 0..2 {
            ensure(root, "own-daemon").unwrap();
            ensure_group(root, "had").unwrap();
        }
        let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap();
        assert_eq!(passwd.lines().count(), 2, "{passwd}");
        assert_eq!(user_id(root, "own-daemon"), Some(401));
        assert_eq!(group_of(root, "own-daemon"), Some(401));
        assert_eq!(group_id(root, "had"), Some(400));
    }

    #[test]
    fn a_single_id_is_seen_and_a_user_becomes_root() {
        assert!(is_single("         0      65534          1\n"));
        assert!(!is_single("0 100000 65536\n") && !is_single("0 1000 1\n1 100000 65536\n"));
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        fs::write(
            folder.path().join("etc/passwd"),
            "a:x:1:1:A:/:/bin/sh\nab:x:2:2::/:/bin/sh\n",
        )
        .unwrap();
        fs::write(folder.path().join("etc/group"), "a:x:1:m\n").unwrap();
        alias_of_root(folder.path(), "a").unwrap();
        let text = fs::read_to_string(folder.path().join("etc/passwd")).unwrap();
        assert_eq!(text, "a:x:0:0:A:/:/bin/sh\nab:x:2:2::/:/bin/sh\n");
        assert_eq!(group_id(folder.path(), "a"), Some(0));
    }
}
