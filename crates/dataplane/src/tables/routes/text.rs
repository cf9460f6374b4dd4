//! Routes and commands as people write them: `ADDR/MASK [GATEWAY] OUTPUT`, and lines of `ctrl`.

use click::args::{Context, FromArg, Ipv4Prefix, OrAddress, Parser};

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

/// Reads a route; only a removal may leave out the port. `context` knows what names stand for.
#[must_use]
pub fn parse_route(text: &str, verb: Verb, context: Context<'_>) -> Option<Route> {
    let mut words = text.split_ascii_whitespace().peekable();
    let prefix = prefix(words.next()?, context)?;
    let gateway = match words.peek() {
        Some(&"-") => Some(0),
        Some(word) => Ipv4Addr::from_arg(word, &context)
            .ok()
            .map(Ipv4Addr::to_bits),
        None => None,
    };
    if gateway.is_some() {
        words.next();
    }
    let port = match words.next() {
        Some(word) => i32::from_arg(word, &context).ok()?,
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

/// A prefix, or an address as the longest one; a mask with gaps is none.
fn prefix(word: &str, context: Context<'_>) -> Option<Prefix> {
    let read: Ipv4Prefix = OrAddress.parse(word, &context).ok()?;
    let mask = read.mask.to_bits();
    let length = mask.leading_ones();
    if mask.count_ones() != length {
        return None;
    }
    Prefix::new(read.address.to_bits(), u8::try_from(length).ok()?)
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
        context: Context<'_>,
    ) -> Result<(), RouteError> {
        let (verb, route) = command(verb, text, ports, context)?;
        self.run(verb, route).map(drop)
    }

    /// Does a group of lines `add|set|remove ROUTE`, all or none; empty lines are passed over.
    ///
    /// # Errors
    /// That of the first bad line.
    pub fn ctrl(
        &mut self,
        lines: &str,
        ports: i32,
        context: Context<'_>,
    ) -> Result<(), RouteError> {
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
            command(verb, rest, ports, context)
        }))
    }
}

fn command(
    verb: Verb,
    text: &str,
    ports: i32,
    context: Context<'_>,
) -> Result<(Verb, Route), RouteError> {
    let route = parse_route(text, verb, context).filter(|route| route.port < ports);
    route
        .map(|route| (verb, route))
        .ok_or(RouteError::Syntax(verb))
}
