//! From a lab's model to the contents that its nodes find: one way for every language, so that
//! a converted lab finds the same.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use diag::{Diagnostic, Diagnostics};
use lab::{Entry, EntryKind, FileItem, Lab, Locate, Node, Profile, Script, Snapshot};

use crate::folder::{Folder, Kind};
use crate::text;
use crate::walk::{self, Item, What};

/// Reads all that the lab's nodes need. Each mistake has the place where the lab names the file.
pub(crate) fn take(
    lab: &Lab,
    folder: &Folder,
    locate: &Locate<'_>,
) -> Result<Snapshot, Diagnostics> {
    let mut taker = Taker {
        folder,
        profile: lab.profile,
        snapshot: Snapshot::default(),
        blobs: HashMap::new(),
        folders: HashMap::new(),
        scripts: HashMap::new(),
        entries: 0,
    };
    let mut wrong = Diagnostics::new();
    for (name, node) in &lab.nodes {
        for (path, diagnostic) in taker.node(name, node) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            wrong.push(diagnostic.at_opt(locate(&path)));
        }
        if wrong.iter().count() > 20 {
            break;
        }
    }
    match wrong.is_empty() {
        true => Ok(taker.snapshot),
        false => Err(wrong),
    }
}

/// Most entries that the trees of all nodes may have together.
const MOST_ENTRIES: usize = 5_000_000;

struct Taker<'a> {
    folder: &'a Folder,
    profile: Profile,
    snapshot: Snapshot,
    /// Contents by a hash of them: lists of blobs.
    blobs: HashMap<u64, Vec<usize>>,
    /// Folders that were read, since many nodes may get one: by path, `follow` and `unix_lines`.
    folders: HashMap<(PathBuf, bool, bool), Rc<Vec<Entry>>>,
    scripts: HashMap<PathBuf, usize>,
    entries: usize,
}

type Wrong = Vec<(Vec<String>, Diagnostic)>;

impl Taker<'_> {
    fn node(&mut self, name: &str, node: &Node) -> Wrong {
        let mut wrong = Wrong::new();
        let mut tree = Tree::default();
        for (i, item) in node.files.iter().enumerate() {
            if let Err(d) = self.item(item, &mut tree) {
                wrong.push((path(name, "files", i), d));
            }
        }
        self.entries += tree.entries.len();
        if self.entries > MOST_ENTRIES {
            let many = Diagnostic::error("the nodes of this lab have too many files together");
            wrong.push((vec!["nodes".into(), name.into()], many));
        }
        if !tree.entries.is_empty() {
            self.snapshot.trees.insert(name.into(), tree.entries);
        }
        for (key, list) in [("startup", &node.startup), ("shutdown", &node.shutdown)] {
            let mut scripts = Vec::new();
            for (i, script) in list.iter().enumerate() {
                match self.script(script) {
                    Ok(script) => scripts.push(script),
                    Err(d) => wrong.push((path(name, key, i), d)),
                }
            }
            let map = match key {
                "startup" => &mut self.snapshot.startup,
                _ => &mut self.snapshot.shutdown,
            };
            if !scripts.is_empty() {
                map.insert(name.into(), scripts);
            }
        }
        wrong
    }

    fn item(&mut self, item: &FileItem, tree: &mut Tree) -> Result<(), Diagnostic> {
        let mode = item.mode.as_deref().map(octal).transpose()?;
        let to = clean(&item.to)?;
        let add = |tree: &mut Tree, mut entry: Entry| {
            if let (Some(mode), EntryKind::File(_)) = (mode, &entry.kind) {
                entry.mode = mode;
            }
            entry.owner.clone_from(&item.owner);
            tree.push(entry);
        };
        match (&item.from, &item.text) {
            (None, Some(text)) => {
                let blob = self.blob(text.clone().into_bytes());
                add(tree, entry(to, 0o644, EntryKind::File(blob)));
            }
            (Some(from), None) => match self.folder.kind(from)? {
                Some(Kind::Dir) => {
                    if to != "/" {
                        add(tree, entry(to.clone(), 0o755, EntryKind::Dir));
                    }
                    let below = self.below(from, item)?;
                    for e in below.iter() {
                        let path = format!("{}{}", to.trim_end_matches('/'), e.path);
                        add(tree, Entry { path, ..e.clone() });
                    }
                }
                _ => {
                    let content = self.folder.file(from)?;
                    let blob = self.lines(content.bytes, self.unix(item));
                    let to = into_folder(item, from, to)?;
                    add(tree, entry(to, content.mode, EntryKind::File(blob)));
                }
            },
            _ => {
                return Err(Diagnostic::error("a file needs either `from` or `text`")
                    .help("`from` names a file or folder of the lab, `text` is the content"));
            }
        }
        Ok(())
    }

    /// What lies below a folder of the lab; paths start with `/`.
    fn below(&mut self, from: &Path, item: &FileItem) -> Result<Rc<Vec<Entry>>, Diagnostic> {
        let follow = item.follow.unwrap_or(self.profile == Profile::Kathara);
        let key = (from.to_path_buf(), follow, self.unix(item));
        if let Some(found) = self.folders.get(&key) {
            return Ok(Rc::clone(found));
        }
        let mut list = Vec::new();
        for Item { path, mode, what } in walk::walk(self.folder, from, follow)? {
            let kind = match what {
                What::Dir => EntryKind::Dir,
                What::Link(target) => EntryKind::Symlink(target),
                What::File(bytes) => EntryKind::File(self.lines(bytes, key.2)),
            };
            list.push(entry(format!("/{}", path.display()), mode, kind));
        }
        let list = Rc::new(list);
        self.folders.insert(key, Rc::clone(&list));
        Ok(list)
    }

    fn unix(&self, item: &FileItem) -> bool {
        item.unix_lines.unwrap_or(self.profile != Profile::Telaio)
    }

    fn lines(&mut self, bytes: Vec<u8>, unix: bool) -> usize {
        let bytes = if unix { text::unix(bytes) } else { bytes };
        self.blob(bytes)
    }

    /// A content's number; the same one for the same content.
    fn blob(&mut self, bytes: Vec<u8>) -> usize {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let same = self.blobs.entry(hasher.finish()).or_default();
        let blobs = &mut self.snapshot.blobs;
        if let Some(found) = same.iter().find(|i| blobs[**i] == bytes) {
            return *found;
        }
        blobs.push(bytes);
        same.push(blobs.len() - 1);
        blobs.len() - 1
    }

    fn script(&mut self, script: &Script) -> Result<(String, usize), Diagnostic> {
        match script {
            Script::Run(text) => {
                let blob = self.blob(text.clone().into_bytes());
                Ok((title(text), blob))
            }
            Script::File { file } => {
                let blob = match self.scripts.get(file) {
                    Some(blob) => *blob,
                    None => {
                        let bytes = self.folder.file(file)?.bytes;
                        let blob = self.lines(bytes, true);
                        self.scripts.insert(file.clone(), blob);
                        blob
                    }
                };
                Ok((file.display().to_string(), blob))
            }
        }
    }
}

/// A node's entries, and the folders that it has among them.
#[derive(Default)]
struct Tree {
    entries: Vec<Entry>,
    folders: HashSet<String>,
}

impl Tree {
    /// Adds an entry after the folders above it.
    fn push(&mut self, entry: Entry) {
        let above: Vec<usize> = entry
            .path
            .match_indices('/')
            .skip(1)
            .map(|(i, _)| i)
            .collect();
        for end in above {
            if !self.folders.contains(&entry.path[..end]) {
                let folder = entry.path[..end].to_string();
                self.folders.insert(folder.clone());
                self.entries
                    .push(self::entry(folder, 0o755, EntryKind::Dir));
            }
        }
        if entry.kind == EntryKind::Dir && !self.folders.insert(entry.path.clone()) {
            return;
        }
        self.entries.push(entry);
    }
}

fn entry(path: String, mode: u32, kind: EntryKind) -> Entry {
    Entry {
        path,
        mode,
        owner: None,
        kind,
    }
}

fn path(node: &str, key: &str, index: usize) -> Vec<String> {
    vec!["nodes".into(), node.into(), key.into(), index.to_string()]
}

/// An absolute path in a node without `.`, `..` and doubled slashes.
fn clean(path: &Path) -> Result<String, Diagnostic> {
    let bad = || {
        Diagnostic::error(format!("bad path in a node: `{}`", path.display()))
            .help("it starts with `/` and has no `..`")
    };
    let text = path.to_str().ok_or_else(bad)?;
    let rest = text.strip_prefix('/').ok_or_else(bad)?;
    let mut out = String::new();
    for part in rest.split('/').filter(|p| !matches!(*p, "" | ".")) {
        if part == ".." || part.contains('\0') {
            return Err(bad());
        }
        out.push('/');
        out.push_str(part);
    }
    Ok(if out.is_empty() { "/".into() } else { out })
}

/// Where a single file goes: with a slash at its end, `to` is the folder.
fn into_folder(item: &FileItem, from: &Path, to: String) -> Result<String, Diagnostic> {
    if !item.to.as_os_str().to_string_lossy().ends_with('/') {
        return Ok(to);
    }
    let name = from.file_name().and_then(|n| n.to_str());
    let name = name.ok_or_else(|| Diagnostic::error("`from` has no file name"))?;
    Ok(format!("{}/{name}", to.trim_end_matches('/')))
}

/// Permission bits.
fn octal(text: &str) -> Result<u32, Diagnostic> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o7777 && !digits.starts_with('+') => Ok(mode),
        _ => Err(Diagnostic::error(format!("bad permissions `{text}`"))
            .help("write them in octal, like \"0644\" or \"0755\"")),
    }
}

/// What a shell text is called in lists: its first line.
fn title(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty() && !l.starts_with('#'));
    let line = line.unwrap_or("(empty)");
    match line.char_indices().nth(60) {
        Some((i, _)) => format!("{}…", &line[..i]),
        None => line.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_or_refused() {
        assert_eq!(clean(Path::new("/a//./b/")).unwrap(), "/a/b");
        assert_eq!(clean(Path::new("/")).unwrap(), "/");
        assert!(clean(Path::new("/a/../b")).is_err());
        assert!(clean(Path::new("a")).is_err());
    }

    #[test]
    fn folders_come_before_what_they_hold_and_once() {
        let mut tree = Tree::default();
        tree.push(entry("/a/b/c".into(), 0o644, EntryKind::File(0)));
        tree.push(entry("/a/b".into(), 0o700, EntryKind::Dir));
        tree.push(entry("/a/d".into(), 0o644, EntryKind::File(0)));
        let paths: Vec<&str> = tree.entries.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(paths, ["/a", "/a/b", "/a/b/c", "/a/d"]);
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!(octal("0644").unwrap(), 0o644);
        assert_eq!(octal("1777").unwrap(), 0o1777);
        for bad in ["", "9", "+644", "17777"] {
            assert!(octal(bad).is_err(), "{bad}");
        }
    }
}
