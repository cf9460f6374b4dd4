//! A web client that can do as much as checks ask: one request over HTTP/1.1 (RFC 9112).

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{failure, resolve};

/// Bytes of a body that are looked at.
const LONGEST: u64 = 1 << 20;
/// Bytes of a status or header line, and how many of them.
const LONGEST_LINE: u64 = 16 << 10;
const HEADERS: usize = 200;
/// How long one name server is waited for.
const NAME_PATIENCE: Duration = Duration::from_secs(1);

/// Status and body at a URL; redirects are not followed. All of it takes `patience` at most.
pub(super) fn fetch(url: &str, method: &str, patience: Duration) -> Value {
    match ask(url, method, Instant::now() + patience) {
        Ok((status, body)) => {
            json!({ "status": status, "body": String::from_utf8_lossy(&body) })
        }
        Err(e) => json!({ "error": e }),
    }
}

fn ask(url: &str, method: &str, until: Instant) -> Result<(u16, Vec<u8>), String> {
    let (host, port, path) = split(url).ok_or("a URL is written http://host[:port][/path]")?;
    if method.is_empty() || !method.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err(format!("`{method}` is no HTTP method"));
    }
    let name = host.trim_matches(['[', ']']);
    let left = left(until).unwrap_or_default();
    let mut last = format!("{host} has no address");
    for address in resolve::addresses(name, left.min(NAME_PATIENCE))? {
        let stream = TcpStream::connect_timeout(&(address, port).into(), left / 2);
        let stream = stream.map(|stream| Timed { stream, until });
        match stream.and_then(|s| talk(s, method, host, path)) {
            Ok(answer) => return Ok(answer),
            Err(e) if e.kind() == ErrorKind::InvalidData => last = format!("{host}: {e}"),
            Err(e) => last = format!("{address} port {port} {}", failure(&e)),
        }
    }
    Err(last)
}

fn left(until: Instant) -> Option<Duration> {
    let left = until.checked_duration_since(Instant::now());
    left.filter(|l| !l.is_zero())
}

/// A connection with an end to all patience.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = left(self.until).ok_or(ErrorKind::TimedOut)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

/// Host, port and path of a URL.
fn split(url: &str) -> Option<(&str, u16, &str)> {
    let rest = url.strip_prefix("http://")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, "/"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, 80),
    };
    let clean = |text: &str| !text.bytes().any(|b| b.is_ascii_control() || b == b' ');
    let plain = |host: &str| !host.contains(['?', '@']);
    (!host.is_empty() && clean(host) && plain(host) && clean(path)).then_some((host, port, path))
}

fn talk(mut to: Timed, method: &str, host: &str, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    to.stream.set_write_timeout(left(to.until))?;
    let length = match method {
        "GET" | "HEAD" => "",
        _ => "Content-Length: 0\r\n",
    };
    write!(
        to.stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: telaio\r\n\
         Accept: */*\r\n{length}Connection: close\r\n\r\n"
    )?;
    let mut reader = BufReader::new(to);
    loop {
        let head = head(&mut reader)?;
        // those of 1xx come before the answer itself
        if !(100..200).contains(&head.status) {
            let mut body = Vec::new();
            if method != "HEAD" {
                read_body(&mut reader, &head, &mut body)?;
            }
            return Ok((head.status, body));
        }
    }
}

/// What comes before a body.
struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
}

fn head(reader: &mut impl BufRead) -> std::io::Result<Head> {
    let bad = |what| std::io::Error::new(ErrorKind::InvalidData, what);
    let first = line(reader)?;
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|r| r.split(' ').nth(1)?.parse().ok());
    let mut head = Head {
        status: status.ok_or_else(|| bad("what answers there does not speak HTTP/1"))?,
        length: None,
        chunked: false,
    };
    for _ in 0..HEADERS {
        let text = line(reader)?;
        if text.is_empty() {
            return Ok(head);
        }
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => head.length = value.trim().parse().ok(),
            "transfer-encoding" => head.chunked |= value.to_ascii_lowercase().contains("chunked"),
            _ => {}
        }
    }
    Err(bad("too many headers"))
}

fn read_body(reader: &mut impl BufRead, head: &Head, body: &mut Vec<u8>) -> std::io::Result<()> {
    if head.chunked {
        return chunks(reader, body);
    }
    let length = match head.status {
        204 | 304 => 0,
        _ => head.length.unwrap_or(LONGEST).min(LONGEST),
    };
    reader.take(length).read_to_end(body)?;
    Ok(())
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
        assert_eq!(split("http://a/x#y"), Some(("a", 80, "/x")));
        assert_eq!(split("http://a?x"), None);
        assert_eq!(split("http://me@a/"), None);
        assert_eq!(split("https://a"), None);
        assert_eq!(split("http://a/\r\nX: y"), None);
    }

    fn answer(reader: &mut impl BufRead) -> std::io::Result<(u16, Vec<u8>)> {
        let head = head(reader)?;
        let mut body = Vec::new();
        read_body(reader, &head, &mut body)?;
        Ok((head.status, body))
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
