//! The table of `ARPTable` and `ARPQuerier`: link addresses by IPv4 address, and packets that wait for them.
//!
//! Times are nanoseconds, told apart by the millisecond as Click does. Packets that are given up come back in
//! the caller's list, who owns their memory; `P` is its handle of a packet.

use super::flows::{FlowId, FlowTable};
use std::collections::VecDeque;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// A link address.
pub type LinkAddress = [u8; 6];
/// The link address of everybody; in the table: not known.
const BROADCAST: LinkAddress = [0xff; 6];
/// Nanoseconds a millisecond.
const MS: u64 = 1_000_000;
/// So many queries without an answer go out in quick succession ([`QUICK_MS`]), later ones slowly ([`SLOW_MS`]).
const QUICK_POLLS: u8 = 10;
const QUICK_MS: i64 = 100;
const SLOW_MS: i64 = 2000;
/// A fresh entry counts as queried so long ago: it may be queried at once.
const FRESH_MS: i64 = 1000;

/// The limits of a table; a number of 0: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Packets that wait in all.
    pub packets: usize,
    /// Packets that wait for one address.
    pub entry_packets: usize,
    /// Over the limit, one part in so many of the packets is given up, the oldest first; positive.
    pub slim_factor: usize,
    /// Nanoseconds after which an entry is forgotten.
    pub timeout_ns: u64,
}

impl Default for Limits {
    /// As `ARPTable()` without arguments.
    fn default() -> Self {
        Self {
            entries: 0,
            packets: 2048,
            entry_packets: 0,
            slim_factor: 2,
            timeout_ns: 300_000 * MS,
        }
    }
}

/// What became of a packet whose address is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued<P> {
    /// It waits; now is the time to send a query.
    Query,
    /// It waits for the answer to a query.
    Wait,
    /// The address is known: here is the packet, to be sent.
    Known(P),
    /// Too many wait for that address: here is the packet, to be dropped.
    Full(P),
}

/// A known address, and whether to ask anew because it is getting old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The link address.
    pub link: LinkAddress,
    /// Now is the time to send a query.
    pub poll: bool,
}

#[derive(Clone, Debug)]
struct Entry<P> {
    link: LinkAddress,
    known: bool,
    /// Queries since the last answer.
    polls: u8,
    live_ms: i64,
    polled_ms: i64,
    waiting: VecDeque<P>,
    older: Option<FlowId>,
    newer: Option<FlowId>,
}

impl<P> Entry<P> {
    fn is_expired(&self, now: i64, timeout: i64) -> bool {
        timeout > 0 && self.live_ms + timeout < now
    }

    fn is_known(&self, now: i64, timeout: i64) -> bool {
        self.known && !self.is_expired(now, timeout)
    }

    /// Whether a query may go out now, which is noted.
    fn poll(&mut self, now: i64) -> bool {
        let pause = if self.polls >= QUICK_POLLS {
            SLOW_MS
        } else {
            QUICK_MS
        };
        let may = now >= self.polled_ms + pause;
        if may {
            self.polled_ms = now;
            self.polls = self.polls.saturating_add(1);
        }
        may
    }
}

/// The table.
#[derive(Clone, Debug)]
pub struct ArpTable<P> {
    limits: Limits,
    table: FlowTable<u32, Entry<P>>,
    oldest: Option<FlowId>,
    newest: Option<FlowId>,
    packets: usize,
    drops: u64,
}

fn milliseconds(ns: u64) -> i64 {
    (ns / MS) as i64
}

impl<P> ArpTable<P> {
    /// An empty table; `seed` keys its hash.
    #[must_use]
    pub fn new(limits: Limits, seed: [u64; 2]) -> Self {
        let table = FlowTable::new(usize::MAX, seed);
        Self {
            limits,
            table,
            oldest: None,
            newest: None,
            packets: 0,
            drops: 0,
        }
    }

    /// Entries: the handler `count`.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table.len()
    }

    /// Packets that wait: the handler `length`.
    #[must_use]
    pub fn length(&self) -> usize {
        self.packets
    }

    /// Packets given up: the handler `drops`.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.drops
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Changes the limits, which hold from the next change of the table on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Finds an address. With a `poll_timeout_ns` other than 0, an entry that old is asked for anew.
    pub fn lookup(&mut self, ip: Ipv4Addr, poll_timeout_ns: u64, now_ns: u64) -> Option<Known> {
        let (now, timeout) = (milliseconds(now_ns), self.timeout());
        let id = self.table.find(&ip.to_bits())?;
        let entry = self
            .table
            .get_mut(id)
            .filter(|entry| entry.is_known(now, timeout))?;
        let old = poll_timeout_ns > 0 && now >= entry.live_ms + milliseconds(poll_timeout_ns);
        Some(Known {
            link: entry.link,
            poll: old && entry.poll(now),
        })
    }

    /// The IPv4 address of a link address: that of the oldest entry that has it.
    #[must_use]
    pub fn reverse_lookup(&self, link: LinkAddress) -> Option<Ipv4Addr> {
        let id = self.by_age().find(|&(_, entry)| entry.link == link)?.0;
        self.table.key(id).map(Ipv4Addr::from_bits)
    }

    /// Learns an address; the broadcast address makes it unknown. Returns the packets that waited for it;
    /// entries beyond the limit go away, their packets into `killed`.
    pub fn insert(
        &mut self,
        ip: Ipv4Addr,
        link: LinkAddress,
        now_ns: u64,
        killed: &mut Vec<P>,
    ) -> VecDeque<P> {
        let now = milliseconds(now_ns);
        let Some(id) = self.ensure(ip, now, killed) else {
            return VecDeque::new();
        };
        self.unlink(id);
        self.link_before(id, None);
        let Some(entry) = self.table.get_mut(id) else {
            return VecDeque::new();
        };
        (entry.link, entry.known, entry.polls) = (link, link != BROADCAST, 0);
        (entry.live_ms, entry.polled_ms) = (now, now - FRESH_MS);
        let waiting = std::mem::take(&mut entry.waiting);
        self.packets -= waiting.len();
        waiting
    }

    /// Forgets an address, as Click does it: it is in the table but not known. Its packets wait on.
    pub fn delete(&mut self, ip: Ipv4Addr, now_ns: u64, killed: &mut Vec<P>) {
        let waiting = self.insert(ip, BROADCAST, now_ns, killed);
        self.packets += waiting.len();
        let id = self.table.find(&ip.to_bits());
        if let Some(entry) = id.and_then(|id| self.table.get_mut(id)) {
            entry.waiting = waiting;
        }
    }

    /// Lets a packet wait for an address.
    pub fn append(
        &mut self,
        ip: Ipv4Addr,
        packet: P,
        now_ns: u64,
        killed: &mut Vec<P>,
    ) -> Queued<P> {
        let (now, timeout) = (milliseconds(now_ns), self.timeout());
        let Some(id) = self.ensure(ip, now, killed) else {
            return self.refuse(packet);
        };
        let Some(entry) = self.table.get(id) else {
            return self.refuse(packet);
        };
        if entry.is_known(now, timeout) {
            return Queued::Known(packet);
        }
        if self.limits.entry_packets > 0 && entry.waiting.len() >= self.limits.entry_packets {
            self.keep_alive(id, now - timeout);
            return self.refuse(packet);
        }
        self.keep_alive(id, now - timeout);
        self.packets += 1;
        if self.limits.packets > 0 && self.packets > self.limits.packets {
            self.slim(now, killed);
        }
        let Some(entry) = self.table.get_mut(id) else {
            self.packets -= 1;
            return self.refuse(packet);
        };
        entry.waiting.push_back(packet);
        if entry.poll(now) {
            Queued::Query
        } else {
            Queued::Wait
        }
    }

    /// Forgets what is too old and what is over the limits; to be done every so often.
    pub fn expire(&mut self, now_ns: u64, killed: &mut Vec<P>) {
        self.slim(milliseconds(now_ns), killed);
    }

    /// Forgets everything.
    pub fn clear(&mut self, killed: &mut Vec<P>) {
        while let Some(id) = self.oldest {
            self.remove(id, killed);
        }
    }

    /// The text of the handler `table`: address, whether known, link address and age in seconds; oldest first.
    #[must_use]
    pub fn table_text(&self, now_ns: u64) -> String {
        let now = milliseconds(now_ns);
        let mut text = String::new();
        for (id, entry) in self.by_age() {
            let ip = Ipv4Addr::from_bits(self.table.key(id).unwrap_or_default());
            let known = u8::from(entry.is_known(now, self.timeout()));
            let link = entry.link.map(|byte| format!("{byte:02X}")).join("-");
            let age = (now - entry.live_ms).max(0);
            // writing to a text does not fail
            let _ = writeln!(
                text,
                "{ip} {known} {link} {}.{:03}000",
                age / 1000,
                age % 1000
            );
        }
        text
    }

    fn timeout(&self) -> i64 {
        milliseconds(self.limits.timeout_ns)
    }

    fn refuse(&mut self, packet: P) -> Queued<P> {
        self.drops += 1;
        Queued::Full(packet)
    }

    fn by_age(&self) -> impl Iterator<Item = (FlowId, &Entry<P>)> {
        let with = |id: FlowId| self.table.get(id).map(|entry| (id, entry));
        std::iter::successors(self.oldest.and_then(with), move |(_, entry)| {
            entry.newer.and_then(with)
        })
    }

    fn ensure(&mut self, ip: Ipv4Addr, now: i64, killed: &mut Vec<P>) -> Option<FlowId> {
        if let Some(id) = self.table.find(&ip.to_bits()) {
            return Some(id);
        }
        if self.limits.entries > 0 && self.count() >= self.limits.entries {
            self.slim_entries(now, self.limits.entries - 1, killed);
        }
        let entry = Entry {
            link: BROADCAST,
            known: false,
            polls: 0,
            live_ms: now,
            polled_ms: now - FRESH_MS,
            waiting: VecDeque::new(),
            older: None,
            newer: None,
        };
        let (id, _) = self.table.insert(ip.to_bits(), entry).ok()?;
        self.link_before(id, None);
        Some(id)
    }

    /// Keeps an entry that is asked for this side of expiring, at its place by age.
    fn keep_alive(&mut self, id: FlowId, least: i64) {
        let Some(entry) = self.table.get_mut(id) else {
            return;
        };
        if self.limits.timeout_ns == 0 || entry.live_ms >= least {
            return;
        }
        entry.live_ms = least;
        let after = entry.newer;
        let mut next = after;
        while let Some(other) = next.and_then(|next| self.table.get(next))
            && other.live_ms < least
        {
            next = other.newer;
        }
        if next != after {
            self.unlink(id);
            self.link_before(id, next);
        }
    }

    fn slim(&mut self, now: i64, killed: &mut Vec<P>) {
        let entries = if self.limits.entries > 0 {
            self.limits.entries
        } else {
            usize::MAX
        };
        self.slim_entries(now, entries, killed);
        let most = self.limits.packets;
        if most == 0 || self.packets <= most {
            return;
        }
        // a packet that is counted may not be in the table yet
        let left = (most - most / self.limits.slim_factor.max(1)).max(1);
        let mut next = self.oldest;
        while let Some(entry) = next.and_then(|id| self.table.get_mut(id)) {
            let count = (self.packets.saturating_sub(left)).min(entry.waiting.len());
            killed.extend(entry.waiting.drain(..count));
            self.packets -= count;
            self.drops += count as u64;
            next = entry.newer;
        }
    }

    fn slim_entries(&mut self, now: i64, most: usize, killed: &mut Vec<P>) {
        let timeout = self.timeout();
        while let Some(id) = self.oldest
            && (self.count() > most
                || self
                    .table
                    .get(id)
                    .is_some_and(|entry| entry.is_expired(now, timeout)))
        {
            self.remove(id, killed);
        }
    }

    fn remove(&mut self, id: FlowId, killed: &mut Vec<P>) {
        self.unlink(id);
        if let Some(entry) = self.table.remove(id) {
            self.packets -= entry.waiting.len();
            self.drops += entry.waiting.len() as u64;
            killed.extend(entry.waiting);
        }
    }

    fn unlink(&mut self, id: FlowId) {
        let Some(entry) = self.table.get_mut(id) else {
            return;
        };
        let (older, newer) = (entry.older.take(), entry.newer.take());
        self.join(older, newer);
    }

    /// Puts an entry that is in no list before `next`, or last.
    fn link_before(&mut self, id: FlowId, next: Option<FlowId>) {
        let older = match next.and_then(|next| self.table.get(next)) {
            Some(entry) => entry.older,
            None => self.newest,
        };
        self.join(older, Some(id));
        self.join(Some(id), next);
    }

    fn join(&mut self, older: Option<FlowId>, newer: Option<FlowId>) {
        match older.and_then(|id| self.table.get_mut(id)) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match newer.and_then(|id| self.table.get_mut(id)) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETHER: LinkAddress = [2, 1, 0, 0, 1, 0xd];

    fn ip(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    fn table(limits: Limits) -> ArpTable<u32> {
        ArpTable::new(limits, [1, 2])
    }

    #[test]
    fn packets_wait_and_are_given_up_by_the_limits() {
        let mut killed = Vec::new();
        let mut by_entry = table(Limits {
            entry_packets: 10,
            ..Limits::default()
        });
        let mut in_all = table(Limits {
            packets: 10,
            ..Limits::default()
        });
        let queries = (0..100u32).filter(|&n| {
            by_entry.append(ip(n as u8 % 2), n, 0, &mut killed);
            in_all.append(ip(1), n, 0, &mut killed) == Queued::Query
        });
        assert_eq!(queries.count(), 1);
        assert_eq!((by_entry.drops(), by_entry.length()), (80, 20));
        assert_eq!((in_all.drops(), in_all.length()), (90, 10));
        assert_eq!(killed, (0..90).collect::<Vec<u32>>());
        assert_eq!(
            in_all.insert(ip(1), ETHER, 0, &mut killed),
            (90..100).collect::<VecDeque<u32>>()
        );
        assert_eq!(
            (in_all.length(), in_all.append(ip(1), 7, 0, &mut killed)),
            (0, Queued::Known(7))
        );
    }

    #[test]
    fn queries_go_out_ten_times_quickly_and_then_slowly() {
        let (mut table, mut killed) = (table(Limits::default()), Vec::new());
        let asks =
            (0..5_000).filter(|&ms| table.append(ip(1), 0, ms * MS, &mut killed) == Queued::Query);
        let times: Vec<u64> = asks.collect();
        let quick = (0..10).map(|n| n * 100);
        assert_eq!(times, quick.chain([2_900, 4_900]).collect::<Vec<u64>>());
    }

    #[test]
    fn entries_age_and_are_polled() {
        let limits = Limits {
            timeout_ns: 100 * MS,
            ..Limits::default()
        };
        let (mut table, mut killed) = (table(limits), Vec::new());
        table.insert(ip(1), ETHER, 0, &mut killed);
        assert_eq!(
            table.lookup(ip(1), 60 * MS, 59 * MS),
            Some(Known {
                link: ETHER,
                poll: false
            })
        );
        assert_eq!(
            table.lookup(ip(1), 60 * MS, 60 * MS),
            Some(Known {
                link: ETHER,
                poll: true
            })
        );
        assert_eq!(
            table.lookup(ip(1), 60 * MS, 61 * MS),
            Some(Known {
                link: ETHER,
                poll: false
            })
        );
        assert_eq!(table.reverse_lookup(ETHER), Some(ip(1)));
        assert_eq!(
            table.table_text(100 * MS),
            "10.0.0.1 1 02-01-00-00-01-0D 0.100000\n"
        );
        assert_eq!(table.lookup(ip(1), 0, 101 * MS), None);
        assert_eq!(table.append(ip(1), 5, 170 * MS, &mut killed), Queued::Query);
        table.expire(170 * MS, &mut killed);
        assert_eq!((table.count(), killed.len()), (1, 0));
        table.expire(171 * MS, &mut killed);
        assert_eq!((table.count(), table.length(), killed), (0, 0, vec![5]));
    }

    #[test]
    fn the_oldest_entry_makes_room() {
        let limits = Limits {
            entries: 2,
            ..Limits::default()
        };
        let (mut table, mut killed) = (table(limits), Vec::new());
        for last in 1..=3 {
            table.append(ip(last), u32::from(last), 0, &mut killed);
        }
        assert_eq!((table.count(), table.length(), &killed), (2, 2, &vec![1]));
        table.insert(ip(2), ETHER, 0, &mut killed);
        table.delete(ip(3), 0, &mut killed);
        let text = table.table_text(0);
        assert_eq!(
            text.lines().next(),
            Some("10.0.0.2 1 02-01-00-00-01-0D 0.000000")
        );
        assert_eq!(table.length(), 1);
        table.clear(&mut killed);
        assert_eq!((table.count(), table.length(), killed), (0, 0, vec![1, 3]));
    }
}
