//! The update side: all routes, exactly, and the forwarding table kept in step with them.

use super::fib::{BLOCKS, Fib, NextHop, Range};
use super::order;
use super::route::{Prefix, Route};
use super::text::Verb;
use std::collections::{BTreeMap, HashMap};
use thiserror::Error;

/// Which element the table plays: they differ in the order of their listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `LinearIPLookup` and `StaticIPLookup`: in order of entry, gaps filled from the front.
    Linear,
    /// `SortedIPLookup`: more specific routes before those that hold them.
    Sorted,
    /// `RadixIPLookup`: in order of entry, the latest gap filled first.
    Radix,
    /// `DirectIPLookup`: by hash value.
    Direct,
    /// `RangeIPLookup`: as `DirectIPLookup`.
    Range,
}

/// Why a change was refused; the text is Click's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RouteError {
    /// Another route has that prefix.
    #[error("conflict with existing route '{0}'")]
    Conflict(Route),
    /// No such route.
    #[error("route '{0}' not found")]
    NotFound(Route),
    /// The command is none.
    #[error("bad command '{0}'")]
    Command(String),
    /// The text is no route, or its port is none of the element's.
    #[error("{}", expected(*.0))]
    Syntax(Verb),
    /// More different pairs of gateway and port than a table holds (65535).
    #[error("virtual port table size limit exceeded")]
    TooManyNextHops,
}

fn expected(verb: Verb) -> &'static str {
    match verb {
        Verb::Remove => "expected 'ADDR/MASK [GATEWAY OUTPUT]'",
        Verb::Add | Verb::Set => "expected 'ADDR/MASK [GATEWAY] OUTPUT'",
    }
}

/// A place of the list of routes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: Prefix,
    hop: NextHop,
    /// The how-manieth addition this was; 0: the place is free.
    serial: u32,
}

#[derive(Clone, Copy, Debug)]
struct Hop {
    gateway: u32,
    port: i32,
    uses: u32,
}

/// The route table of a lookup element.
///
/// A change of a route longer than 16 bits costs a search and the rewriting of one block, in proportion
/// to the routes within that block of 65536 addresses; a change of a shorter one does that for each
/// block it covers (a default route: all of them, some milliseconds).
#[derive(Clone, Debug)]
pub struct RouteTable {
    kind: Kind,
    entries: Vec<Entry>,
    free: Vec<u32>,
    index: BTreeMap<Prefix, u32>,
    serial: u32,
    hops: Vec<Hop>,
    hop_index: HashMap<(u32, i32), NextHop>,
    free_hops: Vec<NextHop>,
    /// Per block, the best route of at most 16 bits: its length and hop.
    base: Box<[(u8, NextHop)]>,
    fib: Fib,
    scratch: Vec<Range>,
}

impl RouteTable {
    /// An empty table.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            entries: Vec::new(),
            free: Vec::new(),
            index: BTreeMap::new(),
            serial: 0,
            hops: vec![Hop {
                gateway: 0,
                port: -1,
                uses: 1,
            }],
            hop_index: HashMap::new(),
            free_hops: Vec::new(),
            base: vec![(0, NextHop::NONE); BLOCKS].into_boxed_slice(),
            fib: Fib::default(),
            scratch: Vec::new(),
        }
    }

    /// The forwarding side.
    #[must_use]
    pub fn fib(&self) -> &Fib {
        &self.fib
    }

    /// What a next hop stands for: gateway (0: the destination itself) and port; `None`: no route.
    #[inline]
    #[must_use]
    pub fn hop(&self, hop: NextHop) -> Option<(u32, i32)> {
        let found = self.hops.get(usize::from(hop.0))?;
        (hop != NextHop::NONE).then_some((found.gateway, found.port))
    }

    /// Gateway and port for `address` (host order), `None` without a route.
    #[must_use]
    pub fn lookup(&self, address: u32) -> Option<(u32, i32)> {
        self.hop(self.fib.lookup(address))
    }

    /// The number of routes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no route.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The route of exactly this prefix.
    #[must_use]
    pub fn get(&self, prefix: Prefix) -> Option<Route> {
        self.index
            .get(&prefix)
            .map(|&at| self.route(self.entries[at as usize]))
    }

    fn route(&self, entry: Entry) -> Route {
        let Hop { gateway, port, .. } = self.hops[usize::from(entry.hop.0)];
        Route {
            prefix: entry.prefix,
            gateway,
            port,
        }
    }

    /// Adds a route.
    ///
    /// # Errors
    /// `Conflict` if its prefix has a route, `TooManyNextHops`.
    pub fn add(&mut self, route: Route) -> Result<(), RouteError> {
        if let Some(old) = self.get(route.prefix) {
            return Err(RouteError::Conflict(old));
        }
        let hop = self.hold(route)?;
        self.insert(route, hop);
        Ok(())
    }

    /// Adds a route or replaces that of its prefix, which it returns.
    ///
    /// # Errors
    /// `TooManyNextHops`.
    pub fn set(&mut self, route: Route) -> Result<Option<Route>, RouteError> {
        let hop = self.hold(route)?;
        let Some(&at) = self.index.get(&route.prefix) else {
            self.insert(route, hop);
            return Ok(None);
        };
        let old = self.entries[at as usize];
        let old_route = self.route(old);
        if self.kind == Kind::Radix {
            // there the new route takes a place before the old one's becomes free
            self.occupy(route, hop);
            self.vacate(at);
        } else {
            self.entries[at as usize] = Entry { hop, ..old };
        }
        self.publish(route.prefix, hop);
        self.let_go(old.hop);
        Ok(Some(old_route))
    }

    /// Removes a route and returns it; a port of -1 stands for any.
    ///
    /// # Errors
    /// `NotFound` if there is none, or another port or gateway.
    pub fn remove(&mut self, route: &Route) -> Result<Route, RouteError> {
        let missing = || RouteError::NotFound(*route);
        let at = *self.index.get(&route.prefix).ok_or_else(missing)?;
        let old = self.entries[at as usize];
        let old_route = self.route(old);
        if !route.removes(&old_route) {
            return Err(missing());
        }
        self.index.remove(&route.prefix);
        self.vacate(at);
        self.withdraw(route.prefix);
        self.let_go(old.hop);
        Ok(old_route)
    }

    /// Does one command and returns the command that takes it back.
    ///
    /// # Errors
    /// As [`RouteTable::add`], [`RouteTable::set`], [`RouteTable::remove`].
    pub fn run(&mut self, verb: Verb, route: Route) -> Result<(Verb, Route), RouteError> {
        Ok(match verb {
            Verb::Add => self.add(route).map(|()| (Verb::Remove, route))?,
            Verb::Set => self
                .set(route)?
                .map_or((Verb::Remove, route), |old| (Verb::Set, old)),
            Verb::Remove => (Verb::Add, self.remove(&route)?),
        })
    }

    /// Does all commands or none.
    ///
    /// # Errors
    /// That of the first command that fails; those before it are taken back.
    pub fn run_group(
        &mut self,
        commands: impl IntoIterator<Item = Result<(Verb, Route), RouteError>>,
    ) -> Result<(), RouteError> {
        let mut undo = Vec::new();
        for command in commands {
            match command.and_then(|(verb, route)| self.run(verb, route)) {
                Ok(back) => undo.push(back),
                Err(error) => {
                    self.take_back(undo);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn take_back(&mut self, undo: Vec<(Verb, Route)>) {
        for (verb, route) in undo.into_iter().rev() {
            // what was there has room again
            let done = self.run(verb, route);
            debug_assert!(done.is_ok(), "a rollback failed: {done:?}");
        }
    }

    /// Removes all routes.
    pub fn flush(&mut self) {
        *self = Self::new(self.kind);
    }

    /// The routes in the order of the element's listing.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        let live = self.entries.iter().filter(|entry| entry.serial > 0);
        let mut all: Vec<(u32, Route)> = live
            .map(|entry| (entry.serial, self.route(*entry)))
            .collect();
        if matches!(self.kind, Kind::Direct | Kind::Range) {
            all.sort_by_key(|&(serial, route)| order::hash_key(serial, route.prefix));
        }
        let routes: Vec<Route> = all.into_iter().map(|(_, route)| route).collect();
        match self.kind {
            Kind::Sorted => order::specific_first(&routes),
            _ => routes,
        }
    }

    /// The text of the handler `table`.
    #[must_use]
    pub fn table_text(&self) -> String {
        self.routes().iter().map(Route::table_line).collect()
    }

    /// The text of the handler `lookup` for `address` (host order): port and gateway.
    #[must_use]
    pub fn lookup_text(&self, address: u32) -> String {
        match self.lookup(address) {
            None => "-1".to_owned(),
            Some((0, port)) => port.to_string(),
            Some((gateway, port)) => format!("{port} {}", std::net::Ipv4Addr::from_bits(gateway)),
        }
    }

    /// The bytes that the table takes, both sides (that of the index is an estimate from above).
    #[must_use]
    pub fn bytes(&self) -> usize {
        // a node of the index has room for 11 pairs and is at least 6/11 full
        let index = self.index.len() * (size_of::<Prefix>() + size_of::<u32>()) * 11 / 6 * 9 / 8;
        let hops = self.hops.capacity() * size_of::<Hop>() + self.hop_index.capacity() * 16;
        self.entries.capacity() * size_of::<Entry>()
            + self.free.capacity() * 4
            + index
            + hops
            + size_of_val(&*self.base)
            + self.fib.bytes()
    }

    fn hold(&mut self, route: Route) -> Result<NextHop, RouteError> {
        let key = (route.gateway, route.port);
        if let Some(&hop) = self.hop_index.get(&key) {
            self.hops[usize::from(hop.0)].uses += 1;
            return Ok(hop);
        }
        let new = Hop {
            gateway: route.gateway,
            port: route.port,
            uses: 1,
        };
        let hop = match self.free_hops.pop() {
            Some(hop) => hop,
            None => {
                NextHop(u16::try_from(self.hops.len()).map_err(|_| RouteError::TooManyNextHops)?)
            }
        };
        match self.hops.get_mut(usize::from(hop.0)) {
            Some(place) => *place = new,
            None => self.hops.push(new),
        }
        self.hop_index.insert(key, hop);
        Ok(hop)
    }

    fn let_go(&mut self, hop: NextHop) {
        let entry = &mut self.hops[usize::from(hop.0)];
        entry.uses -= 1;
        if entry.uses == 0 {
            self.hop_index.remove(&(entry.gateway, entry.port));
            self.free_hops.push(hop);
        }
    }

    fn insert(&mut self, route: Route, hop: NextHop) {
        self.occupy(route, hop);
        self.publish(route.prefix, hop);
    }

    fn occupy(&mut self, route: Route, hop: NextHop) {
        self.serial = self.serial.wrapping_add(1).max(1);
        let entry = Entry {
            prefix: route.prefix,
            hop,
            serial: self.serial,
        };
        let at = self.free.pop().unwrap_or(self.entries.len() as u32);
        match self.entries.get_mut(at as usize) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        self.index.insert(route.prefix, at);
    }

    fn vacate(&mut self, at: u32) {
        self.entries[at as usize].serial = 0;
        let place = match self.kind {
            Kind::Radix => self.free.len(),
            // the front-most gap is filled first: kept in falling order
            _ => self.free.partition_point(|&other| other > at),
        };
        self.free.insert(place, at);
    }

    fn publish(&mut self, prefix: Prefix, hop: NextHop) {
        for block in blocks(prefix) {
            let (length, base) = &mut self.base[usize::from(block)];
            if prefix.length() > 16 {
                self.rebuild(block);
            } else if *length <= prefix.length() {
                (*length, *base) = (prefix.length(), hop);
                self.rebuild(block);
            }
        }
    }

    fn withdraw(&mut self, prefix: Prefix) {
        let parent = prefix.parents().find_map(|parent| {
            let at = *self.index.get(&parent)?;
            Some((parent.length(), self.entries[at as usize].hop))
        });
        let parent = parent.unwrap_or((0, NextHop::NONE));
        for block in blocks(prefix) {
            let base = &mut self.base[usize::from(block)];
            if prefix.length() > 16 {
                self.rebuild(block);
            } else if base.0 == prefix.length() {
                *base = parent;
                self.rebuild(block);
            }
        }
    }

    /// Writes a block anew from its routes: a sweep in order of address, with a stack of open prefixes.
    fn rebuild(&mut self, block: u16) {
        let first = u32::from(block) << 16;
        let low = bound(first, 17);
        let mut open: Vec<(u32, NextHop)> = vec![(first | 0xffff, self.base[usize::from(block)].1)];
        let mut ranges = std::mem::take(&mut self.scratch);
        ranges.clear();
        put(&mut ranges, 0, open[0].1);
        let inside = self.index.range(low..=bound(first | 0xffff, 32));
        for (prefix, &at) in inside.filter(|(prefix, _)| prefix.length() > 16) {
            close(&mut ranges, &mut open, prefix.address());
            let hop = self.entries[at as usize].hop;
            put(&mut ranges, prefix.address() as u16, hop);
            open.push((prefix.last(), hop));
        }
        close(&mut ranges, &mut open, first | 0xffff);
        ranges.dedup_by_key(|range| range.hop);
        self.fib.set_block(block, &ranges);
        self.scratch = ranges;
    }
}

/// Ends all open prefixes that lie before `address`: what follows them belongs to the one around.
fn close(ranges: &mut Vec<Range>, open: &mut Vec<(u32, NextHop)>, address: u32) {
    while let [.., (_, outer), (last, _)] = open[..]
        && last < address
    {
        put(ranges, (last + 1) as u16, outer);
        open.pop();
    }
}

/// Appends a range, or replaces one that begins at the same place.
fn put(ranges: &mut Vec<Range>, start: u16, hop: NextHop) {
    match ranges.last_mut() {
        Some(last) if last.start == start => last.hop = hop,
        _ => ranges.push(Range { start, hop }),
    }
}

/// A prefix as a bound of a search in the index.
fn bound(address: u32, length: u8) -> Prefix {
    Prefix::new(address, length).unwrap_or(Prefix::ALL)
}

/// The blocks that a prefix touches.
fn blocks(prefix: Prefix) -> std::ops::RangeInclusive<u16> {
    (prefix.address() >> 16) as u16..=(prefix.last() >> 16) as u16
}
