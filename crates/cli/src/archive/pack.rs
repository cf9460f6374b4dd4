//! Writes a file or folder as a stream.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::{Error, ROOT};

/// Writes a file, or a folder with all that is in it. A link given as `path` is followed, links
/// in a folder stay links; sockets, pipes and devices are left out.
pub(crate) fn pack(path: &Path, to: impl Write) -> Result<(), Error> {
    let metadata = fs::metadata(path).map_err(Error::io("reading", path))?;
    if !metadata.is_dir() && !metadata.is_file() {
        return Err(Error::new(format!(
            "{} is neither a file nor a folder",
            path.display()
        )));
    }
    let mut packer = Packer {
        to: Builder::new(to),
    };
    packer.add(path, Path::new(ROOT), &metadata)?;
    let finished = packer.to.into_inner().and_then(|mut to| to.flush());
    finished.map_err(Error::io("sending", path))
}

struct Packer<W: Write> {
    to: Builder<W>,
}

impl<W: Write> Packer<W> {
    fn add(&mut self, path: &Path, name: &Path, metadata: &Metadata) -> Result<(), Error> {
        if metadata.is_dir() {
            self.folder(path, name, metadata)
        } else if metadata.is_symlink() {
            self.link(path, name, metadata)
        } else if metadata.is_file() {
            self.file(path, name)
        } else {
            Ok(())
        }
    }

    fn folder(&mut self, path: &Path, name: &Path, metadata: &Metadata) -> Result<(), Error> {
        let mut header = header(metadata, EntryType::Directory, 0);
        self.append(path, &mut header, name, io::empty())?;
        let entries = fs::read_dir(path).map_err(Error::io("reading", path))?;
        let mut inside: Vec<PathBuf> = Vec::new();
        for entry in entries {
            inside.push(entry.map_err(Error::io("reading", path))?.path());
        }
        inside.sort();
        for path in inside {
            let metadata = match fs::symlink_metadata(&path) {
                // gone since the folder was read
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(Error::io("reading", &path))?,
            };
            let name = name.join(path.file_name().unwrap_or_default());
            self.add(&path, &name, &metadata)?;
        }
        Ok(())
    }

    fn link(&mut self, path: &Path, name: &Path, metadata: &Metadata) -> Result<(), Error> {
        let target = fs::read_link(path).map_err(Error::io("reading", path))?;
        let mut header = header(metadata, EntryType::Symlink, 0);
        let done = self.to.append_link(&mut header, name, target);
        done.map_err(Error::io("sending", path))
    }

    fn file(&mut self, path: &Path, name: &Path) -> Result<(), Error> {
        let file = File::open(path).map_err(Error::io("reading", path))?;
        let metadata = file.metadata().map_err(Error::io("reading", path))?;
        if !metadata.is_file() {
            return Ok(());
        }
        let mut header = header(&metadata, EntryType::Regular, metadata.len());
        // a file that grows or shrinks meanwhile is cut or filled up to the announced length
        let content = file.chain(io::repeat(0)).take(metadata.len());
        self.append(path, &mut header, name, content)
    }

    fn append(
        &mut self,
        path: &Path,
        header: &mut Header,
        name: &Path,
        content: impl Read,
    ) -> Result<(), Error> {
        let done = self.to.append_data(header, name, content);
        done.map_err(Error::io("sending", path))
    }
}

fn header(metadata: &Metadata, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(metadata.mode() & 0o7777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header
}
