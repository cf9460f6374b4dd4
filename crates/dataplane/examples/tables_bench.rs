//! How long lookups take and what tables weigh: `cargo run --release -p dataplane --example tables_bench`.

use dataplane::tables::flows::FlowTable;
use dataplane::tables::routes::{Kind, NextHop, Prefix, Route, RouteTable};
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

const ROUTES: usize = 100_000;
const BATCH: usize = 256;
const ROUNDS: usize = 8;

/// A small generator of numbers (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }
}

/// Prefix lengths about as common as on the Internet.
fn length(numbers: &mut Numbers) -> u8 {
    match numbers.next() % 100 {
        0..59 => 24,
        59..69 => 23,
        69..81 => 22,
        81..86 => 21,
        86..91 => 20,
        91..94 => 19,
        94..96 => 18,
        96 => 17,
        97..99 => 16,
        _ => 12,
    }
}

fn filled(numbers: &mut Numbers) -> RouteTable {
    let mut table = RouteTable::new(Kind::Radix);
    while table.len() < ROUTES {
        let (address, length) = (numbers.next(), length(numbers));
        if let Some(prefix) = Prefix::new(address, length) {
            let port = (numbers.next() % 4) as i32;
            let _taken = table.add(Route {
                prefix,
                gateway: 0,
                port,
            });
        }
    }
    table
}

/// The best of some rounds, in nanoseconds per item.
fn best(items: usize, mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64 / items as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn routes(out: &mut impl Write) -> io::Result<()> {
    let mut numbers = Numbers(1);
    let start = Instant::now();
    let mut table = filled(&mut numbers);
    let built = start.elapsed().as_millis();
    writeln!(
        out,
        "{ROUTES} routes: {} bytes (forwarding {}), built in {built} ms",
        table.bytes(),
        table.fib().bytes()
    )?;
    let addresses: Vec<u32> = (0..1 << 20).map(|_| numbers.next()).collect();
    let mut hops = [NextHop::NONE; BATCH];
    let batched = best(addresses.len(), || {
        for addresses in addresses.chunks(BATCH) {
            table.fib().lookup_batch(addresses, &mut hops);
            black_box(&hops);
        }
    });
    let one = best(addresses.len(), || {
        addresses
            .iter()
            .for_each(|&a| _ = black_box(table.fib().lookup(a)))
    });
    writeln!(
        out,
        "lookup, random destinations: batches of {BATCH} {batched:.2} ns, one by one {one:.2} ns"
    )?;
    let host = |numbers: &mut Numbers| Prefix::new(numbers.next(), 32).unwrap_or(Prefix::ALL);
    let fresh: Vec<Prefix> = (0..10_000).map(|_| host(&mut numbers)).collect();
    let change = best(fresh.len(), || {
        for &prefix in &fresh {
            let route = Route {
                prefix,
                gateway: 0,
                port: 1,
            };
            if table.add(route).is_ok() {
                let _gone = table.remove(&route);
            }
        }
    });
    let default = Route {
        prefix: Prefix::ALL,
        gateway: 0,
        port: 1,
    };
    let all = best(1, || {
        _ = table.set(default).and_then(|_| table.remove(&default))
    });
    writeln!(
        out,
        "add and remove: a host route {change:.0} ns, the default route {:.2} ms",
        all / 1e6
    )
}

fn flows(out: &mut impl Write) -> io::Result<()> {
    let mut numbers = Numbers(2);
    let mut table = FlowTable::new(ROUTES, [1, 2]);
    let mut next = || (numbers.next(), numbers.next(), numbers.next(), 6u8);
    let keys: Vec<_> = (0..ROUTES).map(|_| next()).collect();
    keys.iter().for_each(|&key| _ = table.insert(key, 0u64));
    let mut found = [None; BATCH];
    let batched = best(keys.len(), || {
        for keys in keys.chunks(BATCH) {
            table.find_batch(keys, &mut found);
            black_box(&found);
        }
    });
    writeln!(
        out,
        "{} flows: {} bytes; batches of {BATCH} {batched:.2} ns a key",
        table.len(),
        table.bytes()
    )
}

fn main() -> io::Result<()> {
    let out = &mut io::stdout().lock();
    routes(out)?;
    flows(out)
}
