//! The lab's files as they were read at `up`, with the caller's rights: what nodes find at
//! every start, also after the lab's folder has changed or gone.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// All file contents that a lab's nodes need. Contents are shared between nodes: [`EntryKind::File`] names one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// By node name: its tree, parents before children, a later entry replacing an earlier one
    /// of the same path.
    pub trees: IndexMap<String, Vec<Entry>>,
    /// By node name: startup scripts in order, `(title, blob)`.
    pub startup: IndexMap<String, Vec<(String, usize)>>,
    /// By node name: shutdown scripts in order, `(title, blob)`.
    pub shutdown: IndexMap<String, Vec<(String, usize)>>,
    /// File contents.
    #[serde(skip)]
    pub blobs: Vec<Vec<u8>>,
}

/// A file, folder or link in a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Absolute, without `.` and `..`.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// `user[:group]` by the node's names; root when none.
    pub owner: Option<String>,
    /// What it is.
    pub kind: EntryKind,
}

/// What an [`Entry`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A folder; one that is there already keeps its mode and owner unless the entry sets them.
    Dir,
    /// A file with the content `Snapshot::blobs[i]`.
    File(usize),
    /// A symbolic link, as the node will see it.
    Symlink(String),
}

impl Snapshot {
    /// Adds a content, or finds the same one again (the last 64 are compared).
    pub fn blob(&mut self, content: Vec<u8>) -> usize {
        let from = self.blobs.len().saturating_sub(64);
        match self.blobs[from..].iter().position(|b| *b == content) {
            Some(i) => from + i,
            None => {
                self.blobs.push(content);
                self.blobs.len() - 1
            }
        }
    }

    /// The last content of a path in a node.
    pub fn file(&self, node: &str, path: &str) -> Option<&[u8]> {
        let entry = self
            .trees
            .get(node)?
            .iter()
            .rev()
            .find(|e| e.path == path)?;
        match entry.kind {
            EntryKind::File(blob) => self.blobs.get(blob).map(Vec::as_slice),
            _ => None,
        }
    }

    /// Whether a node has that file or folder, or anything below it.
    pub fn has(&self, node: &str, path: &str) -> bool {
        self.trees.get(node).is_some_and(|t| {
            t.iter().any(|e| {
                e.path
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_path_counts() {
        let mut s = Snapshot::default();
        let (a, b) = (s.blob(b"a".to_vec()), s.blob(b"b".to_vec()));
        assert_eq!(s.blob(b"a".to_vec()), a);
        let entry = |blob| Entry {
            path: "/etc/x".into(),
            mode: 0o644,
            owner: None,
            kind: EntryKind::File(blob),
        };
        s.trees.insert("n".into(), vec![entry(a), entry(b)]);
        assert_eq!(s.file("n", "/etc/x"), Some(&b"b"[..]));
        assert!(s.has("n", "/etc") && !s.has("n", "/et"));
    }
}
