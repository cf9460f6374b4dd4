//! A web client that can do as much as checks ask: GET over HTTP/1.1 (RFC 9112).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};

/// Bytes of a body that are looked at.
const LONGEST: u64 = 1 << 20;
/// Bytes of a status or header line, and how many of them.
const LONGEST_LINE: u64 = 16 << 10;
const HEADERS: usize = 200;

/// Status and body at a URL; redirects are not followed.
pub(super) fn get(url: &str, patience: Duration) -> Value {
    match fetch(url, patience) {
        Ok((status, body)) => {
            json!({ "status": status, "body": String::from_utf8_lossy(&body) })
        }
        Err(e) => json!({ "error": e }),
    }
}

fn fetch(url: &str, patience: Duration) -> Result<(u16, Vec<u8>), String> {
    let (host, port, path) = split(url).ok_or("a URL is written http://host[:port][/path]")?;
    let say = |e: std::io::Error| format!("{host}: {e}");
    let addresses = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .map_err(say)?;
    let mut last = format!("{host} has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => {
                stream.set_read_timeout(Some(patience)).map_err(say)?;
                stream.set_write_timeout(Some(patience)).map_err(say)?;
                return talk(stream, host, path).map_err(say);
            }
            Err(e) => last = format!("{address}: {e}"),
        }
    }
    Err(last)
}

/// Host, port and path of a URL.
fn split(url: &str) -> Option<(&str, u16, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, "/"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, 80),
    };
    let clean = |text: &str| !text.bytes().any(|b| b.is_ascii_control() || b == b' ');
    (!host.is_empty() && clean(host) && clean(path)).then_some((host, port, path))
}

fn talk(mut stream: TcpStream, host: &str, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: telaio\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )?;
    answer(&mut BufReader::new(stream))
}

fn answer(reader: &mut impl BufRead) -> std::io::Result<(u16, Vec<u8>)> {
    let bad = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let first = line(reader)?;
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|r| r.split(' ').nth(1)?.parse().ok());
    let status: u16 = status.ok_or_else(|| bad("no HTTP answer"))?;
    let (mut length, mut chunked) = (None, false);
    for number in 0.. {
        let text = line(reader)?;
        if text.is_empty() {
            break;
        }
        if number == HEADERS {
            return Err(bad("too many headers"));
        }
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<u64>().ok(),
            "transfer-encoding" => chunked |= value.to_ascii_lowercase().contains("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        chunks(reader, &mut body)?;
    } else {
        reader
            .take(length.unwrap_or(LONGEST).min(LONGEST))
            .read_to_end(&mut body)?;
    }
    Ok((status, body))
}

fn line(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_string())
}

fn chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let text = line(reader)?;
        let size = text.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).unwrap_or(0);
        let room = LONGEST.saturating_sub(body.len() as u64);
        if size == 0 || room == 0 {
            return Ok(());
        }
        reader.take(size.min(room)).read_to_end(body)?;
        line(reader)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        assert_eq!(split("http://a"), Some(("a", 80, "/")));
        assert_eq!(split("http://a:8080/x?y"), Some(("a", 8080, "/x?y")));
        assert_eq!(split("http://[fd00::1]/"), Some(("[fd00::1]", 80, "/")));
        assert_eq!(split("http://[fd00::1]:81"), Some(("[fd00::1]", 81, "/")));
        assert_eq!(split("https://a"), None);
        assert_eq!(split("http://a/\r\nX: y"), None);
    }

    #[test]
    fn bodies_by_length_chunks_and_end() {
        let read = |text: &str| answer(&mut text.as_bytes()).unwrap();
        let (status, body) = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc");
        assert_eq!((status, body.as_slice()), (200, &b"ab"[..]));
        let (_, body) = read(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        );
        assert_eq!(body, b"abcde");
        let (status, body) = read("HTTP/1.0 404 Not Found\r\n\r\ngone");
        assert_eq!((status, body.as_slice()), (404, &b"gone"[..]));
    }

    proptest::proptest! {
        #[test]
        fn hostile_answers_never_panic(bytes: Vec<u8>) {
            let _ = answer(&mut bytes.as_slice());
            let mut text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            text.extend(&bytes);
            let _ = answer(&mut text.as_slice());
        }
    }
}
