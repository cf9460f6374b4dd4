//! A DNS client (RFC 1035): one question, over UDP and, where an answer is cut, over TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure;
use super::resolve::Resolver;

const PORT: u16 = 53;
/// How often a question is sent.
const TRIES: u32 = 2;
const HEADER: usize = 12;
/// Jumps that a compressed name may make.
const JUMPS: usize = 64;
/// Records of an answer that are looked at.
const RECORDS: usize = 500;

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The server's address.
    pub server: String,
    /// Response code: 0 no error, 3 no such name (RFC 1035, 4.1.1).
    pub code: u8,
    /// Whether the server is one of the zone's own.
    pub authoritative: bool,
    /// Data of the answers of the kind that was asked for, as zone files write them, without
    /// final dots.
    pub data: Vec<String>,
}

/// Looks a name up, or an address for PTR; `server` is an address, by default those of
/// `/etc/resolv.conf` with its search list.
pub(super) fn lookup(name: &str, kind: &str, server: Option<&str>, patience: Duration) -> Value {
    match find(name, kind, server, patience) {
        Ok(answer) => serde_json::to_value(answer).unwrap_or_default(),
        Err(e) => json!({ "error": e }),
    }
}

/// As [`lookup`].
pub(super) fn find(
    name: &str,
    kind: &str,
    server: Option<&str>,
    patience: Duration,
) -> Result<Answer, String> {
    let kind = number(kind).ok_or_else(|| format!("{kind} is no kind of record"))?;
    let name = match (kind, name.parse()) {
        (PTR, Ok(address)) => reverse(address),
        _ => name.to_string(),
    };
    if let Some(server) = server {
        let server = server.parse();
        let server = server.map_err(|_| "a name server is given by its address".to_string())?;
        return ask(server, &name, kind, patience);
    }
    let resolver = Resolver::read();
    let mut last = Err("/etc/resolv.conf names no server".to_string());
    for name in resolver.candidates(&name) {
        last = first_of(&resolver.servers, &name, kind, patience).unwrap_or(last);
        if last.as_ref().is_ok_and(|a| !a.data.is_empty()) {
            break;
        }
    }
    last
}

/// What the first server that answers says; without one, why the last one did not.
fn first_of(
    servers: &[IpAddr],
    name: &str,
    kind: u16,
    patience: Duration,
) -> Option<Result<Answer, String>> {
    let mut last = None;
    for server in servers {
        let answer = ask(*server, name, kind, patience);
        let good = answer.is_ok();
        last = Some(answer);
        if good {
            break;
        }
    }
    last
}

/// The name that stands for an address (RFC 1035, 3.5, and RFC 3596, 2.5).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(a) => {
            let [a, b, c, d] = a.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(a) => {
            let nibbles = a.octets().into_iter().rev().flat_map(|b| [b & 15, b >> 4]);
            let digits: String = nibbles.map(|n| format!("{n:x}.")).collect();
            format!("{digits}ip6.arpa")
        }
    }
}

const PTR: u16 = 12;

/// Numbers of RFC 1035 and RFC 3596.
const KINDS: [(&str, u16); 8] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", PTR),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
];

fn number(kind: &str) -> Option<u16> {
    KINDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(kind))
        .map(|(_, n)| *n)
}

fn ask(server: IpAddr, name: &str, kind: u16, patience: Duration) -> Result<Answer, String> {
    let id = (std::process::id() as u16) ^ 0x5a5a;
    let query = question(id, name, kind)?;
    let to = SocketAddr::new(server, PORT);
    let say = |e: std::io::Error| format!("{server} {}", failure(&e));
    let mut bytes = over_udp(to, &query, id, patience).map_err(say)?;
    if bytes.get(2).is_some_and(|flags| flags & 2 != 0) {
        bytes = over_tcp(to, &query, patience).map_err(say)?;
    }
    let mut answer =
        decode(&bytes, id, kind).ok_or_else(|| format!("{server}: a broken answer"))?;
    answer.server = server.to_string();
    Ok(answer)
}

fn over_udp(to: SocketAddr, query: &[u8], id: u16, patience: Duration) -> std::io::Result<Vec<u8>> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    // the first question may be lost to address resolution
    for _ in 0..TRIES {
        socket.send(query)?;
        let until = Instant::now() + patience;
        while let Some(left) = until
            .checked_duration_since(Instant::now())
            .filter(|l| !l.is_zero())
        {
            socket.set_read_timeout(Some(left))?;
            let mut bytes = vec![0; 4096];
            match socket.recv(&mut bytes) {
                Ok(length) if bytes[..length].starts_with(&id.to_be_bytes()) => {
                    bytes.truncate(length);
                    return Ok(bytes);
                }
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
    }
    Err(ErrorKind::TimedOut.into())
}

fn over_tcp(to: SocketAddr, query: &[u8], patience: Duration) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&to, patience)?;
    stream.set_read_timeout(Some(patience * 2))?;
    stream.write_all(&(query.len() as u16).to_be_bytes())?;
    stream.write_all(query)?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A question that asks for recursion.
fn question(id: u16, name: &str, kind: u16) -> Result<Vec<u8>, String> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name
        .trim_end_matches('.')
        .split('.')
        .filter(|l| !l.is_empty())
    {
        let length = u8::try_from(label.len()).ok().filter(|l| *l < 64);
        bytes.push(length.ok_or_else(|| format!("{name} is no name"))?);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    if bytes.len() > HEADER + 259 {
        return Err(format!("{name} is too long a name"));
    }
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A name and where what follows it begins.
fn name_at(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut end = None;
    for _ in 0..JUMPS {
        loop {
            let length = *bytes.get(at)?;
            match length {
                0 => return Some((name, end.unwrap_or(at + 1))),
                1..64 => {
                    let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(&String::from_utf8_lossy(label));
                    at += 1 + usize::from(length);
                    if name.len() > 1024 {
                        return None;
                    }
                }
                192.. => {
                    let target = usize::from(u16_at(bytes, at)? & 0x3fff);
                    end = end.or(Some(at + 2));
                    at = target;
                    break;
                }
                _ => return None,
            }
        }
    }
    None
}

fn decode(bytes: &[u8], id: u16, kind: u16) -> Option<Answer> {
    if u16_at(bytes, 0)? != id || bytes.get(2)? & 0x80 == 0 {
        return None;
    }
    let authoritative = bytes.get(2)? & 4 != 0;
    let code = bytes.get(3)? & 15;
    let mut at = HEADER;
    for _ in 0..u16_at(bytes, 4)? {
        at = name_at(bytes, at)?.1 + 4;
    }
    let mut data = Vec::new();
    for _ in 0..usize::from(u16_at(bytes, 6)?).min(RECORDS) {
        let (_, after) = name_at(bytes, at)?;
        let found = u16_at(bytes, after)?;
        let length = usize::from(u16_at(bytes, after + 8)?);
        let start = after + 10;
        bytes.get(start..start + length)?;
        if found == kind {
            data.push(text(bytes, start, length, kind)?);
        }
        at = start + length;
    }
    Some(Answer {
        server: String::new(),
        code,
        authoritative,
        data,
    })
}

/// A record's data as zone files write them.
fn text(bytes: &[u8], start: usize, length: usize, kind: u16) -> Option<String> {
    let raw = bytes.get(start..start + length)?;
    Some(match kind {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(raw).ok()?).to_string(),
        28 => Ipv6Addr::from(<[u8; 16]>::try_from(raw).ok()?).to_string(),
        2 | 5 | 12 => name_at(bytes, start)?.0,
        15 => format!("{} {}", u16_at(bytes, start)?, name_at(bytes, start + 2)?.0),
        6 => {
            let (server, next) = name_at(bytes, start)?;
            let (mail, next) = name_at(bytes, next)?;
            let numbers = (0..5).map(|i| {
                let at = next + i * 4;
                Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?).to_string())
            });
            let numbers: Option<Vec<String>> = numbers.collect();
            format!("{server} {mail} {}", numbers?.join(" "))
        }
        _ => strings(raw)?,
    })
}

fn strings(mut raw: &[u8]) -> Option<String> {
    let mut out = String::new();
    while let Some((length, rest)) = raw.split_first() {
        let (part, rest) = rest.split_at_checked(usize::from(*length))?;
        out.push_str(&String::from_utf8_lossy(part));
        raw = rest;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = question(7, "www.example.org", 1).unwrap();
        bytes[2] |= 0x84;
        bytes[7] = records.len() as u8;
        for (kind, data) in records {
            bytes.extend([0xc0, HEADER as u8]);
            bytes.extend(kind.to_be_bytes());
            bytes.extend([0, 1, 0, 0, 0, 60]);
            bytes.extend((data.len() as u16).to_be_bytes());
            bytes.extend(*data);
        }
        bytes
    }

    #[test]
    fn records_are_written_as_in_zone_files() {
        let bytes = answer(&[(1, &[10, 0, 0, 1]), (5, b"\x03web\xc0\x10")]);
        let seen = decode(&bytes, 7, 1).unwrap();
        assert!(seen.authoritative && seen.code == 0);
        assert_eq!(seen.data, ["10.0.0.1"]);
        assert_eq!(decode(&bytes, 7, 5).unwrap().data, ["web.example.org"]);
        let bytes = answer(&[(15, b"\x00\x0a\x02mx\xc0\x10"), (16, b"\x02ab\x01c")]);
        assert_eq!(decode(&bytes, 7, 15).unwrap().data, ["10 mx.example.org"]);
        assert_eq!(decode(&bytes, 7, 16).unwrap().data, ["abc"]);
    }

    #[test]
    fn a_name_that_points_to_itself_ends() {
        let mut bytes = answer(&[]);
        bytes[7] = 1;
        let at = bytes.len() as u8;
        bytes.extend([0xc0, at, 0, 1]);
        assert_eq!(decode(&bytes, 7, 1), None);
    }

    #[test]
    fn names_of_addresses() {
        let of = |text: &str| reverse(text.parse().unwrap());
        assert_eq!(of("10.0.2.1"), "1.2.0.10.in-addr.arpa");
        let six = of("fd00::1");
        assert!(six.starts_with("1.0.0.0."), "{six}");
        assert!(six.ends_with(".0.0.d.f.ip6.arpa"), "{six}");
    }

    proptest::proptest! {
        #[test]
        fn hostile_answers_never_panic(mut bytes: Vec<u8>, kind in 0_u16..30) {
            let _ = decode(&bytes, 7, kind);
            if bytes.len() > 12 {
                bytes[..4].copy_from_slice(&[0, 7, 0x84, 0]);
                let _ = decode(&bytes, 7, kind);
            }
        }
    }
}
