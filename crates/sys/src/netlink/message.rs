//! Netlink messages as bytes: requests under construction, attributes of answers.

use std::fmt;

/// Bytes of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;

pub(crate) const NLM_F_REQUEST: u16 = 1;
pub(crate) const NLM_F_ACK: u16 = 4;
pub(crate) const NLM_F_REPLACE: u16 = 0x100;
pub(crate) const NLM_F_EXCL: u16 = 0x200;
pub(crate) const NLM_F_CREATE: u16 = 0x400;
pub(crate) const NLM_F_APPEND: u16 = 0x800;
pub(crate) const NLM_F_DUMP: u16 = 0x300;

/// What a request is about, for messages.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// Said already.
    None,
    /// An interface by its number.
    Index(u32),
    /// Something with a name.
    Name(Box<str>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Index(index) => write!(f, " interface number {index}"),
            Self::Name(name) => write!(f, " {name}"),
        }
    }
}

/// One request to the kernel, ready to be sent by [`super::Socket::run`].
#[derive(Clone, Debug)]
pub struct Request {
    bytes: Vec<u8>,
    what: &'static str,
    subject: Subject,
}

impl Request {
    /// A request of a type, with flags and the fixed part behind the header; `what` and
    /// `subject` complete the sentence "cannot …".
    pub(crate) fn new(
        (kind, flags): (u16, u16),
        fixed: &[u8],
        what: &'static str,
        subject: Subject,
    ) -> Self {
        let mut bytes = Vec::with_capacity(160);
        bytes.resize(HEADER, 0);
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        bytes.extend_from_slice(fixed);
        let mut request = Self {
            bytes,
            what,
            subject,
        };
        request.pad();
        request
    }

    /// Adds an attribute.
    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.pad();
    }

    /// Adds a number of 32 bits.
    pub(crate) fn number(&mut self, kind: u16, value: u32) {
        self.attribute(kind, &value.to_ne_bytes());
    }

    /// Adds a string, with its closing zero.
    pub(crate) fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = Vec::with_capacity(value.len() + 1);
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
        self.attribute(kind, &bytes);
    }

    /// Adds an attribute that begins with fixed bytes and goes on with attributes.
    pub(crate) fn nest(&mut self, kind: u16, fixed: &[u8], fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(fixed);
        fill(self);
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends its bytes, numbered and with flags added, to a batch.
    pub(super) fn append_to(&self, batch: &mut Vec<u8>, sequence: u32, flags: u16) {
        let start = batch.len();
        batch.extend_from_slice(&self.bytes);
        let message = &mut batch[start..];
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        message[..4].copy_from_slice(&length.to_ne_bytes());
        let flags = flags | u16::from_ne_bytes([message[6], message[7]]);
        message[6..8].copy_from_slice(&flags.to_ne_bytes());
        message[8..12].copy_from_slice(&sequence.to_ne_bytes());
    }

    /// What could not be done, if the kernel refuses it.
    pub(super) fn describe(&self) -> String {
        format!("{}{}", self.what, self.subject)
    }
}

/// One message of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: &'a [u8],
}

/// The messages of an answer; ends at the first that makes no sense.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = u32_at(bytes, 0)? as usize;
        let message = bytes.get(..length)?;
        let found = Message {
            kind: u16_at(message, 4)?,
            flags: u16_at(message, 6)?,
            sequence: u32_at(message, 8)?,
            payload: message.get(HEADER..)?,
        };
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(found)
    })
}

/// The attributes in `bytes`: type without flags, value. Ends at the first that makes no sense.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const TYPE_MASK: u16 = 0x3fff;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & TYPE_MASK;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The number of 16 bits at an offset.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The number of 32 bits at an offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The number of 64 bits at an offset.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// A string up to its closing zero.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_nested_padded_and_read_back() {
        let mut request = Request::new((16, 0), &[0; 16], "x", Subject::None);
        request.nest(18, &[], |r| {
            r.text(1, "veth");
            r.number(2, 7);
        });
        let mut bytes = Vec::new();
        request.append_to(&mut bytes, 9, NLM_F_ACK);
        let message = messages(&bytes).next().unwrap();
        assert_eq!((message.kind, message.flags, message.sequence), (16, 5, 9));
        let (kind, nested) = attributes(&message.payload[16..]).next().unwrap();
        assert_eq!(kind, 18);
        let inner: Vec<_> = attributes(nested).collect();
        assert_eq!(inner, [(1, &b"veth\0"[..]), (2, &7u32.to_ne_bytes()[..])]);
    }

    #[test]
    fn damaged_answers_end_early() {
        assert!(messages(&[200, 0, 0, 0, 1, 2]).next().is_none());
        assert!(messages(&[0; 32]).next().is_none());
        assert!(attributes(&[3, 0, 1, 0]).next().is_none());
        assert!(attributes(&[9, 0, 1, 0]).next().is_none());
    }
}
