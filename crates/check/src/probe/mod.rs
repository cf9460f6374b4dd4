//! What runs inside a node to see for a check: `telaio __probe KIND ARGUMENT…` prints one JSON
//! document. It needs no program of the node's (no `ping`, `dig`, `curl`).

pub mod dns;
mod http;
mod network;
mod ping;
mod resolve;

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

pub use network::{Address, Hop, Process, Route};
pub use ping::Echo;
pub use resolve::Resolver;

/// Where the program is in a node.
pub const PROGRAM: &str = "/usr/lib/telaio/telaio";

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_millis(1000);

/// Runs a probe; returns the exit status: 0, or 2 where the words make no sense.
pub fn main(args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let seen = match words.as_slice() {
        ["ping", targets @ ..] if !targets.is_empty() => value(&ping::all(targets, PATIENCE)),
        ["dns", name, kind] => dns::lookup(name, kind, None, PATIENCE),
        ["dns", name, kind, server] => dns::lookup(name, kind, Some(server), PATIENCE),
        ["http", url] => http::fetch(url, "GET", PATIENCE * 5),
        ["http", url, method] => http::fetch(url, method, PATIENCE * 5),
        ["resolver"] => value(&resolve::Resolver::read()),
        ["resolve", name] => result(resolve::addresses(name, PATIENCE)),
        ["addresses"] => result(network::addresses()),
        ["routes"] => result(network::routes()),
        ["processes"] => value(&network::processes()),
        ["sysctl", key] => match sys::sysctl::read(key) {
            Ok(text) => json!({ "value": text }),
            Err(e) => json!({ "error": format!("{key}: {e}") }),
        },
        _ => return 2,
    };
    let written = writeln!(std::io::stdout(), "{seen}");
    i32::from(written.is_err())
}

/// Why an input or output failed, in words.
fn failure(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let text = match error.kind() {
        ErrorKind::ConnectionRefused => "refuses the connection",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "does not answer",
        ErrorKind::NetworkUnreachable => "is in no network that a route leads to",
        ErrorKind::HostUnreachable => "cannot be reached",
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => "broke off",
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            return format!("cannot be asked: {text}");
        }
    };
    text.into()
}

fn value<T: serde::Serialize>(seen: &T) -> Value {
    serde_json::to_value(seen).unwrap_or_default()
}

fn result<T: serde::Serialize>(seen: Result<T, String>) -> Value {
    match seen {
        Ok(seen) => value(&seen),
        Err(e) => json!({ "error": e }),
    }
}
