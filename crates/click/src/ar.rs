//! ar(1) archives: a configuration together with files it needs.
//!
//! The common format: a magic line, then members with a 60-byte header in text (name, date, owner,
//! group, mode in octal, size), data padded to an even length. Names longer than 15 characters
//! stand before the data (`#1/LENGTH`, BSD) or in a table (`//`, System V); both are read.

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub data: Vec<u8>,
}

/// An archive that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadArchive {
    /// Where it goes wrong, in bytes from the beginning.
    pub offset: usize,
}

impl std::fmt::Display for BadArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "archive is damaged at byte {}", self.offset)
    }
}

impl std::error::Error for BadArchive {}

/// Whether bytes are an archive.
pub fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The members of an archive, in order.
///
/// # Errors
/// Where a header or the data is cut off or not as the format says.
pub fn read(bytes: &[u8]) -> Result<Vec<Member>, BadArchive> {
    let mut members = Vec::new();
    let mut table = String::new();
    let mut at = MAGIC.len();
    while at < bytes.len() {
        let bad = BadArchive { offset: at };
        let header = bytes.get(at..at + HEADER).ok_or(bad)?;
        if &header[58..] != b"`\n" {
            return Err(bad);
        }
        let field = |from, to| String::from_utf8_lossy(&header[from..to]).trim().to_owned();
        let size: usize = field(48, 58).parse().map_err(|_| bad)?;
        let start = at + HEADER;
        let end = start.checked_add(size).ok_or(bad)?;
        let data = bytes.get(start..end).ok_or(bad)?;
        match field(0, 16).as_str() {
            "//" => table = String::from_utf8_lossy(data).into_owned(),
            "/" => {}
            name => members.push(member(name, data, &table).ok_or(bad)?),
        }
        at = end + (size & 1);
    }
    Ok(members)
}

fn member(name: &str, data: &[u8], table: &str) -> Option<Member> {
    let (name, data) = if let Some(length) = name.strip_prefix("#1/") {
        let (name, data) = data.split_at_checked(length.parse().ok()?)?;
        let name = String::from_utf8_lossy(name);
        (name.trim_end_matches('\0').to_owned(), data)
    } else if let Some(offset) = name.strip_prefix('/') {
        let rest = table.get(offset.parse().ok()?..)?;
        let end = rest.find(['/', '\n']).unwrap_or(rest.len());
        (rest[..end].to_owned(), data)
    } else {
        (name.trim_end_matches('/').to_owned(), data)
    };
    Some(Member {
        name,
        data: data.to_vec(),
    })
}

/// An archive of these members; long names are written the BSD way.
pub fn write(members: &[Member]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for Member { name, data } in members {
        let long = name.len() > 15 || name.contains(' ');
        let prefix = if long { name.as_bytes() } else { b"" };
        let field = if long {
            format!("#1/{}", name.len())
        } else {
            name.clone()
        };
        let size = prefix.len() + data.len();
        out.extend(
            format!(
                "{field:<16}{:<12}{:<6}{:<6}{:<8o}{size:<10}`\n",
                0, 0, 0, 0o644
            )
            .bytes(),
        );
        out.extend(prefix);
        out.extend(data);
        if size % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let member = |name: &str, data: &[u8]| Member {
            name: name.into(),
            data: data.into(),
        };
        let members = [
            member("config", b"Idle;"),
            member("a-name-longer-than-fifteen.cc", b""),
        ];
        let bytes = write(&members);
        assert!(is_archive(&bytes));
        assert_eq!(read(&bytes).unwrap(), members);
        assert_eq!(read(&bytes[..30]), Err(BadArchive { offset: 8 }));
    }
}
