//! Netlink requests of a few attributes, and the kernel's yes or no to them.

use std::io;

use netlink_sys::{Socket, SocketAddr};

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;

/// A request under construction. Layouts: `linux/netlink.h`.
pub(super) struct Message(Vec<u8>);

impl Message {
    /// A request of a type, with flags, that asks for an acknowledgement.
    pub(super) fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
        bytes[8..12].copy_from_slice(&1u32.to_ne_bytes());
        Self(bytes)
    }

    /// Adds the fixed part behind the header.
    pub(super) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.pad();
        self
    }

    /// Adds an attribute.
    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.fixed(value)
    }

    /// Adds a string attribute.
    pub(super) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.attribute(kind, &bytes)
    }

    /// Adds an attribute made of attributes.
    pub(super) fn nest(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        let mut filled = fill(self);
        let length = u16::try_from(filled.0.len() - start).unwrap_or(u16::MAX);
        filled.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled.0[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        filled
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// A netlink socket.
pub(super) struct Netlink(Socket);

impl Netlink {
    /// Opens one of a protocol (`NETLINK_ROUTE`, …).
    pub(super) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self(socket))
    }

    /// Sends a request and waits for the acknowledgement.
    pub(super) fn ask(&self, message: Message) -> io::Result<()> {
        let mut bytes = message.0;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.0.send(&bytes, 0)?;
        loop {
            let (answer, _) = self.0.recv_from_full()?;
            if let Some(code) = error_code(&answer) {
                return match code {
                    0 => Ok(()),
                    code => Err(io::Error::from_raw_os_error(-code)),
                };
            }
        }
    }
}

/// The code of the acknowledgement among the messages of an answer; 0 is done.
fn error_code(mut answer: &[u8]) -> Option<i32> {
    while answer.len() >= HEADER {
        let length = u32::from_ne_bytes(answer[..4].try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(answer[4..6].try_into().ok()?);
        if kind == NLMSG_ERROR {
            let code = answer.get(HEADER..HEADER + 4)?;
            return Some(i32::from_ne_bytes(code.try_into().ok()?));
        }
        answer = answer.get(length.max(HEADER).next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_nested_and_padded() {
        let message = Message::new(16, 0).nest(18, |m| m.text(1, "veth"));
        let bytes = &message.0[HEADER..];
        assert_eq!(bytes.len(), 16);
        assert_eq!(u16::from_ne_bytes([bytes[0], bytes[1]]), 16);
        assert_eq!(u16::from_ne_bytes([bytes[4], bytes[5]]), 9);
        assert_eq!(&bytes[8..13], b"veth\0");
    }

    #[test]
    fn acknowledgements_are_found_behind_other_messages() {
        let mut answer = vec![0; 40];
        answer[0] = 20;
        answer[4] = 99;
        answer[20] = 20;
        answer[24] = 2;
        answer[36..40].copy_from_slice(&(-95i32).to_ne_bytes());
        assert_eq!(error_code(&answer), Some(-95));
        assert_eq!(error_code(&answer[..20]), None);
    }
}
