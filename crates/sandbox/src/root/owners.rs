//! Names of owners in a node, as its own `passwd` and `group` have them.

use std::fs;

/// The node's users and groups, read when first asked for.
#[derive(Debug, Default)]
pub(super) struct Owners {
    texts: Option<(String, String)>,
}

impl Owners {
    /// Forgets what was read: a file of the lab may have replaced it.
    pub(super) fn reread(&mut self) {
        self.texts = None;
    }

    /// Numbers of `user[:group]`, by name or number. A user without a group means the user's
    /// main group.
    pub(super) fn find(&mut self, owner: &str) -> Result<(u32, u32), String> {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let (passwd, groups) = self
            .texts
            .get_or_insert_with(|| (read("/etc/passwd"), read("/etc/group")));
        let (user, group) = match owner.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (owner, None),
        };
        let uid = field(passwd, user, 2);
        let uid = uid.ok_or_else(|| format!("there is no user `{user}`"))?;
        let gid = match group {
            Some(group) => field(groups, group, 2),
            None => field(passwd, user, 3).or(Some(uid)),
        };
        let gid = gid.ok_or_else(|| format!("there is no group `{}`", group.unwrap_or(user)))?;
        Ok((uid, gid))
    }
}

/// A number in the line of this name, or the name itself if it is one.
fn field(text: &str, name: &str, index: usize) -> Option<u32> {
    let mut lines = text.lines().map(|l| l.split(':'));
    let found = lines.find_map(|mut fields| {
        (fields.next()? == name).then(|| fields.nth(index - 1)?.parse().ok())
    });
    found.flatten().or_else(|| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let mut owners = Owners {
            texts: Some((
                "root:x:0:0::/root:/bin/sh\nfrr:x:101:102:::\n".into(),
                "frr:x:102:\nfrrvty:x:200:\n".into(),
            )),
        };
        assert_eq!(owners.find("frr"), Ok((101, 102)));
        assert_eq!(owners.find("frr:frrvty"), Ok((101, 200)));
        assert_eq!(owners.find("7:8"), Ok((7, 8)));
        assert_eq!(owners.find("7"), Ok((7, 7)));
        assert_eq!(owners.find("eve"), Err("there is no user `eve`".into()));
        assert_eq!(owners.find("frr:x"), Err("there is no group `x`".into()));
    }
}
