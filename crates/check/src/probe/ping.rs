//! Echo requests of ICMP (RFC 792) and ICMPv6 (RFC 4443), to several targets at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use packet::icmp::Icmp;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use serde::{Deserialize, Serialize};

use super::{failure, resolve};

/// Requests that are sent before an address counts as not reached: the first one may be lost
/// to address resolution.
const TRIES: u16 = 3;
/// Bytes of a request's data.
const DATA: usize = 48;

/// What came of asking a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// As it was asked for.
    pub to: String,
    /// Whether it replied.
    pub reached: bool,
    /// Why it could not be asked, or what another said in its place.
    pub error: Option<String>,
}

/// Asks all targets (addresses or names, of which the first address counts) at once; each
/// request is waited for `patience`.
pub(super) fn all(targets: &[&str], patience: Duration) -> Vec<Echo> {
    let asked: Vec<Asked> = targets.iter().map(|t| Asked::new(t, patience)).collect();
    let mut numbered: Vec<(usize, Asked)> = asked.into_iter().enumerate().collect();
    let of_4 = |(_, asked): &(usize, Asked)| asked.address.is_none_or(|a| a.is_ipv4());
    let (ipv4, ipv6): (Vec<_>, Vec<_>) = numbered.drain(..).partition(of_4);
    let mut done = std::thread::scope(|scope| {
        let other = scope.spawn(|| family(ipv6, false, patience));
        let mut done = family(ipv4, true, patience);
        done.extend(other.join().unwrap_or_default());
        done
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, asked)| asked.echo).collect()
}

fn family(mut targets: Vec<(usize, Asked)>, ipv4: bool, patience: Duration) -> Vec<(usize, Asked)> {
    let mut own: Vec<&mut Asked> = targets.iter_mut().map(|(_, asked)| asked).collect();
    if !own.is_empty()
        && let Err(e) = ask(&mut own, ipv4, patience)
    {
        let text = format!("cannot be asked: {}", failure(&e.into()));
        for asked in own {
            asked.echo.error.get_or_insert_with(|| text.clone());
        }
    }
    targets
}

struct Asked {
    address: Option<SocketAddr>,
    echo: Echo,
}

impl Asked {
    fn new(target: &str, patience: Duration) -> Self {
        let (address, error) = match find(target, patience) {
            Ok(address) => (Some(address), None),
            Err(e) => (None, Some(e)),
        };
        let echo = Echo {
            to: target.into(),
            reached: false,
            error,
        };
        Self { address, echo }
    }
}

/// The address of a target; that of a link may name its interface (`fe80::1%eth0`).
fn find(target: &str, patience: Duration) -> Result<SocketAddr, String> {
    if let Some((address, interface)) = target.split_once('%') {
        let address = address.parse();
        let address = address.map_err(|_| "before `%` stands an IPv6 address".to_string())?;
        let scope = super::network::index(interface)?;
        return Ok(SocketAddrV6::new(address, 0, 0, scope).into());
    }
    let found = resolve::addresses(target, patience)?;
    let first = found.first().copied();
    Ok(SocketAddr::new(
        first.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
        0,
    ))
}

/// Asks targets of one family. An error is one of the socket, so of all of them.
fn ask(targets: &mut [&mut Asked], ipv4: bool, patience: Duration) -> rustix::io::Result<()> {
    let socket = open(ipv4)?;
    let id = std::process::id() as u16;
    for sequence in 0..TRIES {
        for asked in targets.iter_mut().filter(|a| !a.echo.reached) {
            let Some(to) = asked.address else { continue };
            let sent = rustix::net::sendto(
                &socket,
                &request(ipv4, id, sequence),
                SendFlags::empty(),
                &to,
            );
            asked.echo.error = sent.err().map(|e| failure(&e.into()));
        }
        let until = Instant::now() + patience;
        while targets.iter().any(|a| waits(a)) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            set_socket_timeout(&socket, Timeout::Recv, Some(left))?;
            let mut buffer = [0; 1500];
            let received = rustix::net::recvfrom(&socket, &mut buffer[..], RecvFlags::empty());
            // else no time is left, or a request came back with an error
            if let Ok((length, _, Some(from))) = received
                && let Ok(from) = SocketAddr::try_from(from)
            {
                hear(targets, from.ip(), &buffer[..length], ipv4, id);
            }
        }
        if targets.iter().all(|a| a.echo.reached) {
            break;
        }
    }
    Ok(())
}

/// Whether a reply may still come to the last request.
fn waits(asked: &Asked) -> bool {
    !asked.echo.reached && asked.echo.error.is_none()
}

fn open(ipv4: bool) -> Result<OwnedFd, Errno> {
    let (family, protocol) = match ipv4 {
        true => (AddressFamily::INET, ipproto::ICMP),
        false => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::CLOEXEC;
    rustix::net::socket_with(family, SocketType::RAW, flags, Some(protocol))
}

/// An echo request. The kernel completes ICMPv6's checksum, which covers addresses.
fn request(ipv4: bool, id: u16, sequence: u16) -> Vec<u8> {
    let kind = if ipv4 { 8 } else { 128 };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(id.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    message.extend([0x5a; DATA]);
    if ipv4 {
        let sum = packet::checksum::internet(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    message
}

/// Takes in what came: a reply of a target, or another's word that it cannot be reached.
fn hear(targets: &mut [&mut Asked], from: IpAddr, bytes: &[u8], ipv4: bool, id: u16) {
    // a raw IPv4 socket gives the IP header, too
    let Some(bytes) = (if ipv4 { after_ipv4(bytes) } else { Some(bytes) }) else {
        return;
    };
    let Some(message) = Icmp::parse(bytes) else {
        return;
    };
    let reply = if ipv4 { 0 } else { 129 };
    if message.kind() == (reply, 0) && message.echo().is_some_and(|(i, _)| i == id) {
        let is_from = |a: &&mut &mut Asked| a.address.is_some_and(|to| to.ip() == from);
        for asked in targets.iter_mut().filter(is_from) {
            asked.echo.reached = true;
            asked.echo.error = None;
        }
    }
    let Some((to, text)) = refusal(&message, ipv4, id) else {
        return;
    };
    for asked in targets.iter_mut() {
        if asked.address.is_some_and(|a| a.ip() == to) && !asked.echo.reached {
            asked.echo.error = Some(format!("{from} says: {text}"));
        }
    }
}

fn after_ipv4(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::from(bytes.first()? & 15) * 4;
    bytes.get(length..)
}

/// What a message says about a request of ours: where it was to go, and why it did not. Numbers
/// of RFC 792 and RFC 4443.
fn refusal(message: &Icmp<'_>, ipv4: bool, id: u16) -> Option<(IpAddr, &'static str)> {
    let text = match (ipv4, message.kind()) {
        (true, (3, 0)) | (false, (1, 0)) => "no route to that network",
        (true, (3, 1)) | (false, (1, 3)) => "that host does not answer",
        (true, (3, 9 | 10 | 13)) | (false, (1, 1 | 5)) => "administratively prohibited",
        (true, (3, _)) | (false, (1, _)) => "unreachable",
        (true, (11, _)) | (false, (3, _)) => "too many hops, there may be a loop",
        _ => return None,
    };
    // the packet that it is about follows
    let packet = message.payload();
    let (to, inner): (IpAddr, &[u8]) = if ipv4 {
        let to = <[u8; 4]>::try_from(packet.get(16..20)?).ok()?;
        (to.into(), after_ipv4(packet)?)
    } else {
        let to = <[u8; 16]>::try_from(packet.get(24..40)?).ok()?;
        (to.into(), packet.get(40..)?)
    };
    let (own, _) = Icmp::parse(inner)?.echo()?;
    (own == id).then_some((to, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(to: &str) -> Asked {
        Asked::new(to, Duration::ZERO)
    }

    fn heard(from: &str, bytes: &[u8], id: u16) -> Echo {
        let mut one = asked("10.0.0.2");
        hear(&mut [&mut one], from.parse().unwrap(), bytes, true, id);
        one.echo
    }

    fn reply() -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes[0] = 0x45;
        bytes.extend(request(true, 7, 0));
        bytes[20] = 0;
        bytes
    }

    #[test]
    fn only_a_reply_of_the_one_asked_counts() {
        assert!(heard("10.0.0.2", &reply(), 7).reached);
        assert!(!heard("10.0.0.2", &reply(), 8).reached);
        assert!(!heard("10.0.0.3", &reply(), 7).reached);
        assert!(!heard("10.0.0.2", &reply()[..20], 7).reached);
        assert!(!heard("10.0.0.2", &[], 7).reached);
    }

    #[test]
    fn a_routers_word_is_told() {
        let mut bytes = vec![0x45; 1];
        bytes.resize(20, 0);
        bytes.extend([3, 1, 0, 0, 0, 0, 0, 0, 0x45]);
        bytes.resize(28 + 16, 0);
        bytes.extend([10, 0, 0, 2]);
        bytes.extend(request(true, 7, 0));
        let echo = heard("10.0.0.1", &bytes, 7);
        let text = "10.0.0.1 says: that host does not answer";
        assert_eq!(echo.error.as_deref(), Some(text));
        assert_eq!(heard("10.0.0.1", &bytes, 8).error, None);
    }

    #[test]
    fn a_request_has_the_right_checksum() {
        let message = request(true, 1, 0);
        assert_eq!(packet::checksum::internet(&message), 0);
    }

    proptest::proptest! {
        #[test]
        fn hostile_packets_never_panic(bytes: Vec<u8>, ipv4: bool) {
            let mut one = asked("10.0.0.2");
            let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
            hear(&mut [&mut one], from, &bytes, ipv4, 7);
        }
    }
}
