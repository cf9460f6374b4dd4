//! How long classification takes: `cargo run --release -p dataplane --example classify_bench`.
//!
//! Rules of addresses and ports, and packets: random ones, ones that no rule matches, and ones that
//! match the rules in turn.

use click::args::Context;
use dataplane::classify::{Ip, Matcher, NOWHERE, ip_classifier};
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

const PACKETS: usize = 4096;
const BATCH: usize = 256;
const ROUNDS: usize = 20;

/// A small generator of numbers (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as u32 % bound
    }
}

/// What a rule asks for.
#[derive(Clone, Copy)]
struct Rule {
    kind: u32,
    net: [u8; 4],
    port: u16,
}

impl Rule {
    fn random(kind: u32, numbers: &mut Numbers) -> Self {
        let net = [
            10,
            16 + numbers.below(230) as u8,
            numbers.below(256) as u8,
            0,
        ];
        Self {
            kind: kind % 4,
            net,
            port: 1 + numbers.below(60_000) as u16,
        }
    }

    fn text(self) -> String {
        let Self {
            net: [a, b, c, d],
            port,
            ..
        } = self;
        let net = format!("{a}.{b}.{c}.{d}/24");
        match self.kind {
            0 => format!("src net {net} && dst udp port {port}"),
            1 => format!("dst net {net} && src udp port {port}"),
            2 => format!("src net {net} && tcp dst port > {port}"),
            _ => format!("dst net {net} && udp dst port < {port}"),
        }
    }

    /// A packet that matches.
    fn packet(self, numbers: &mut Numbers) -> Vec<u8> {
        let mut net = self.net;
        net[3] = numbers.below(256) as u8;
        let other = [192, 168, 0, numbers.below(256) as u8];
        let (source, destination) = if self.kind.is_multiple_of(2) {
            (net, other)
        } else {
            (other, net)
        };
        let any = numbers.below(65536) as u16;
        let (proto, ports) = match self.kind {
            0 => (17, [any, self.port]),
            1 => (17, [self.port, any]),
            2 => (6, [any, self.port + 1]),
            _ => (17, [any, self.port - 1]),
        };
        packet(proto, source, destination, ports)
    }
}

fn packet(proto: u8, source: [u8; 4], destination: [u8; 4], ports: [u16; 2]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 46, 0, 0, 0, 0, 64, proto, 0, 0];
    packet.extend(source.iter().chain(&destination));
    packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    packet.resize(46, 0);
    packet
}

fn random(numbers: &mut Numbers) -> Vec<u8> {
    let [a, b] = [0; 2].map(|_| [0; 4].map(|_: u8| numbers.below(256) as u8));
    let ports = [0; 2].map(|_| numbers.below(65536) as u16);
    let proto = [6, 17][numbers.below(2) as usize];
    packet(proto, a, b, ports)
}

/// The best of some rounds, in nanoseconds a packet.
fn best(mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64 / PACKETS as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn measure(
    out: &mut impl Write,
    name: &str,
    matcher: &Matcher,
    packets: &[Vec<u8>],
) -> io::Result<()> {
    let views: Vec<Ip<'_>> = packets.iter().map(|packet| Ip::of(packet)).collect();
    let mut outputs = vec![NOWHERE; PACKETS];
    let steps = best(|| {
        let classified = views.iter().map(|view| matcher.program().classify(view));
        outputs
            .iter_mut()
            .zip(classified)
            .for_each(|(output, port)| *output = port);
        black_box(&outputs);
    });
    let wanted = outputs.clone();
    let fast = best(|| {
        for (views, outputs) in views.chunks(BATCH).zip(outputs.chunks_mut(BATCH)) {
            matcher.classify_batch(views, outputs);
        }
        black_box(&outputs);
    });
    let differs = outputs
        .iter()
        .zip(&wanted)
        .position(|(output, wanted)| output != wanted);
    assert_eq!(differs, None, "both forms decide the same");
    let one = best(|| {
        views
            .iter()
            .for_each(|view| _ = black_box(matcher.classify(view)))
    });
    writeln!(
        out,
        "  {name}: step by step {steps:.1} ns, batches of {BATCH} {fast:.1}, one by one {one:.1}"
    )
}

fn rules(out: &mut impl Write, count: usize) -> io::Result<()> {
    let mut numbers = Numbers(count as u64 | 1);
    let rules: Vec<Rule> = (1..count)
        .map(|i| Rule::random(i as u32, &mut numbers))
        .collect();
    let texts: Vec<String> = rules
        .iter()
        .map(|rule| rule.text())
        .chain(["-".into()])
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let start = Instant::now();
    let matcher = ip_classifier(&texts, count, Context::none()).matcher;
    let Some(matcher) = matcher else {
        return writeln!(out, "{count} rules: not understood");
    };
    let built = start.elapsed().as_micros();
    let steps: usize = matcher
        .program()
        .groups()
        .iter()
        .map(|group| group.values.len())
        .sum();
    let bytes = matcher.bytes();
    writeln!(
        out,
        "{count} rules: {steps} steps, {bytes} bytes of the faster form, built in {built} us"
    )?;
    let uniform: Vec<Vec<u8>> = (0..PACKETS).map(|_| random(&mut numbers)).collect();
    measure(out, "random packets", &matcher, &uniform)?;
    let same = vec![packet(17, [192, 168, 0, 1], [192, 168, 0, 2], [1, 2]); PACKETS];
    measure(out, "one packet that no rule matches", &matcher, &same)?;
    let hits: Vec<Vec<u8>> = (0..PACKETS)
        .map(|i| rules[i * 7919 % rules.len()].packet(&mut numbers))
        .collect();
    measure(out, "packets that match", &matcher, &hits)
}

fn main() -> io::Result<()> {
    let out = &mut io::stdout().lock();
    [10, 100, 1000]
        .into_iter()
        .try_for_each(|count| rules(out, count))
}
