//! Routes and commands as people write them: `ADDR/MASK [GATEWAY] OUTPUT`, and lines of `ctrl`.

use super::route::{Prefix, Route};
use super::table::{RouteError, RouteTable};
use std::net::Ipv4Addr;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A new route; an error if its prefix has one.
    Add,
    /// A route in place of any other of its prefix.
    Set,
    /// A route less.
    Remove,
}

/// Names that stand for addresses (host order).
type Names<'a> = &'a dyn Fn(&str) -> Option<u32>;

/// Reads a route; only a removal may leave out the port. `names` resolves what is no address.
#[must_use]
pub fn parse_route(text: &str, verb: Verb, names: Names<'_>) -> Option<Route> {
    let mut words = text.split_ascii_whitespace().peekable();
    let prefix = prefix(words.next()?, names)?;
    let gateway = match words.peek() {
        Some(&"-") => Some(0),
        Some(word) => address(word, names),
        None => None,
    };
    if gateway.is_some() {
        words.next();
    }
    let port = match words.next() {
        Some(word) => word.parse().ok()?,
        None if verb == Verb::Remove => -1,
        None => return None,
    };
    let least = if verb == Verb::Remove { -1 } else { 0 };
    let whole = words.next().is_none() && port >= least;
    whole.then_some(Route {
        prefix,
        gateway: gateway.unwrap_or(0),
        port,
    })
}

fn address(word: &str, names: Names<'_>) -> Option<u32> {
    word.parse::<Ipv4Addr>()
        .ok()
        .map(Ipv4Addr::to_bits)
        .or_else(|| names(word))
}

fn prefix(word: &str, names: Names<'_>) -> Option<Prefix> {
    let Some((start, end)) = word.split_once('/') else {
        return Prefix::new(address(word, names)?, 32);
    };
    Prefix::new(short_address(start).or_else(|| names(start))?, length(end)?)
}

/// An address of which trailing zero bytes may be left out: `18.26`.
fn short_address(text: &str) -> Option<u32> {
    let mut bytes = [0; 4];
    for (at, part) in text.split('.').enumerate() {
        *bytes.get_mut(at)? = part.parse().ok()?;
    }
    Some(u32::from_be_bytes(bytes))
}

/// A prefix length, or a mask without gaps.
fn length(text: &str) -> Option<u8> {
    if let Ok(mask) = text.parse::<Ipv4Addr>() {
        let ones = mask.to_bits().leading_ones();
        return (mask.to_bits().count_ones() == ones).then_some(ones as u8);
    }
    text.parse().ok().filter(|&length| length <= 32)
}

impl RouteTable {
    /// Does one command written as text; ports are below `ports`.
    ///
    /// # Errors
    /// `Syntax`, or what the command meets.
    pub fn run_text(
        &mut self,
        verb: Verb,
        text: &str,
        ports: i32,
        names: Names<'_>,
    ) -> Result<(), RouteError> {
        let (verb, route) = command(verb, text, ports, names)?;
        self.run(verb, route).map(drop)
    }

    /// Does a group of lines `add|set|remove ROUTE`, all or none; empty lines are passed over.
    ///
    /// # Errors
    /// That of the first bad line.
    pub fn ctrl(&mut self, lines: &str, ports: i32, names: Names<'_>) -> Result<(), RouteError> {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        self.run_group(lines.map(|line| {
            let (word, rest) = line
                .split_once(|c: char| c.is_ascii_whitespace())
                .unwrap_or((line, ""));
            let verb = match word {
                "add" => Verb::Add,
                "set" => Verb::Set,
                "remove" => Verb::Remove,
                _ => return Err(RouteError::Command(word.to_owned())),
            };
            command(verb, rest, ports, names)
        }))
    }
}

fn command(
    verb: Verb,
    text: &str,
    ports: i32,
    names: Names<'_>,
) -> Result<(Verb, Route), RouteError> {
    let route = parse_route(text, verb, names).filter(|route| route.port < ports);
    route
        .map(|route| (verb, route))
        .ok_or(RouteError::Syntax(verb))
}
