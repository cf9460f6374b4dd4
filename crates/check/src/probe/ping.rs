//! Echo requests of ICMP (RFC 792) and ICMPv6 (RFC 4443).

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use serde::{Deserialize, Serialize};

/// Requests that are sent before an address counts as not reached: the first one may be lost
/// to address resolution.
const TRIES: u16 = 2;
/// Bytes of an echo message before its data.
const HEADER: usize = 8;

/// What came of asking an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// As it was asked for.
    pub to: String,
    /// Whether it replied.
    pub reached: bool,
    /// Why it could not be asked, if so.
    pub error: Option<String>,
}

/// Asks each target, an address or a name, one after the other.
pub(super) fn all(targets: &[&str], patience: Duration) -> Vec<Echo> {
    targets.iter().map(|target| one(target, patience)).collect()
}

fn one(target: &str, patience: Duration) -> Echo {
    let (reached, error) = match resolve(target).and_then(|a| ask(a, patience)) {
        Ok(reached) => (reached, None),
        Err(e) => (false, Some(e)),
    };
    Echo {
        to: target.into(),
        reached,
        error,
    }
}

fn resolve(target: &str) -> Result<IpAddr, String> {
    if let Ok(address) = target.parse() {
        return Ok(address);
    }
    let found = (target, 0)
        .to_socket_addrs()
        .map_err(|e| format!("{target}: {e}"))?;
    found
        .map(|a| a.ip())
        .next()
        .ok_or_else(|| format!("{target} has no address"))
}

fn ask(to: IpAddr, patience: Duration) -> Result<bool, String> {
    let say = |e: rustix::io::Errno| format!("{to}: {}", std::io::Error::from(e));
    let (family, protocol) = match to {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let socket = rustix::net::socket_with(
        family,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(protocol),
    )
    .map_err(say)?;
    let id = std::process::id() as u16;
    let address = SocketAddr::new(to, 0);
    let mut refused = None;
    for sequence in 0..TRIES {
        let message = request(to, id, sequence);
        if let Err(e) = rustix::net::sendto(&socket, &message, SendFlags::empty(), &address) {
            refused = Some(say(e));
            continue;
        }
        refused = None;
        let until = Instant::now() + patience;
        while let Some(left) = until
            .checked_duration_since(Instant::now())
            .filter(|l| !l.is_zero())
        {
            set_socket_timeout(&socket, Timeout::Recv, Some(left)).map_err(say)?;
            let mut buffer = [0; 1500];
            match rustix::net::recvfrom(&socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((length, _, _)) if is_reply(to, &buffer[..length], id) => return Ok(true),
                Ok(_) => {}
                // an error message about an earlier request
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }
    refused.map_or(Ok(false), Err)
}

/// An echo request. The kernel completes ICMPv6's checksum, which covers addresses.
fn request(to: IpAddr, id: u16, sequence: u16) -> Vec<u8> {
    let kind = if to.is_ipv4() { 8 } else { 128 };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(id.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    message.extend([0x5a; 48]);
    if to.is_ipv4() {
        let sum = packet::checksum::internet(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    message
}

/// Whether it is a reply to this process. A raw IPv4 socket gives the IP header, too.
fn is_reply(to: IpAddr, bytes: &[u8], id: u16) -> bool {
    let (message, kind, from) = match to {
        IpAddr::V4(to) => {
            let Some(length) = bytes.first().map(|b| usize::from(b & 15) * 4) else {
                return false;
            };
            let from = bytes.get(12..16) == Some(&to.octets()[..]);
            (
                bytes.get(length..).unwrap_or_default(),
                0,
                from || to.is_loopback(),
            )
        }
        IpAddr::V6(_) => (bytes, 129, true),
    };
    from && message.len() >= HEADER && message[0] == kind && message[4..6] == id.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reply_of_the_one_asked_counts() {
        let to: IpAddr = "10.0.0.2".parse().unwrap();
        let mut bytes = vec![0; 28];
        bytes[0] = 0x45;
        bytes[12..16].copy_from_slice(&[10, 0, 0, 2]);
        bytes[24..26].copy_from_slice(&7_u16.to_be_bytes());
        assert!(is_reply(to, &bytes, 7));
        assert!(!is_reply(to, &bytes, 8));
        bytes[15] = 3;
        assert!(!is_reply(to, &bytes, 7), "another's");
        assert!(!is_reply(to, &bytes[..20], 7));
        assert!(!is_reply(to, &[], 7));
    }

    #[test]
    fn a_request_has_the_right_checksum() {
        let message = request("10.0.0.1".parse().unwrap(), 1, 0);
        assert_eq!(packet::checksum::internet(&message), 0);
    }
}
