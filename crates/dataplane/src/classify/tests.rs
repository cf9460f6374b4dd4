//! Programs against the rules that they are made from, and faster forms against programs, over
//! random rules and packets: short ones, fragments, odd lengths of headers.

use super::filter;
use super::message::Messages;
use super::program::{Draft, Grouping, Jump};
use super::{Ip, NOWHERE, Raw, View, classifier, ip_filter};
use click::args::Context;
use proptest::prelude::*;
use proptest::sample::select;

const ADDRESSES: [&str; 6] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.1.1",
    "10.128.0.1",
    "0.0.0.0",
    "255.255.255.255",
];
const PORTS: [u16; 9] = [0, 1, 22, 53, 80, 1023, 1024, 32768, 65535];
const ETHERS: [&str; 3] = ["1:2:3:4:5:6", "1:2:3:4:5:7", "ff:ff:ff:ff:ff:ff"];
const PROTOS: [u8; 6] = [0, 1, 2, 6, 17, 255];

fn ends() -> impl Strategy<Value = &'static str> {
    select(&["", "src ", "dst ", "src or dst ", "src and dst "][..])
}

fn relation() -> impl Strategy<Value = &'static str> {
    select(&["", "= ", "!= ", "> ", "< ", ">= ", "<= "][..])
}

fn mask() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => (1..256u32).prop_map(|mask| format!("& {mask} "))]
}

fn test() -> BoxedStrategy<String> {
    let proto = select(&["", "tcp ", "udp ", "tcpudp "][..]);
    let port = (ends(), proto, relation(), select(&PORTS[..]))
        .prop_map(|(ends, proto, relation, port)| format!("{ends}{proto}port {relation}{port}"));
    let host =
        (ends(), select(&ADDRESSES[..])).prop_map(|(ends, host)| format!("{ends}host {host}"));
    let net = (ends(), select(&ADDRESSES[..]), 0..=32u8)
        .prop_map(|(ends, net, length)| format!("{ends}net {net}/{length}"));
    let odd = (
        ends(),
        select(&ADDRESSES[..]),
        any::<u32>().prop_map(std::net::Ipv4Addr::from),
    )
        .prop_map(|(ends, net, mask)| format!("{ends}{net} mask {mask}"));
    let ether =
        (ends(), select(&ETHERS[..])).prop_map(|(ends, ether)| format!("{ends}ether host {ether}"));
    let named = select(
        &[
            "tcp",
            "udp",
            "icmp",
            "syn",
            "ack",
            "tcp opt 18",
            "ip frag",
            "ip unfrag",
            "ip ce",
            "ip ect",
            "icmp type echo",
            "tcp win > 100",
            "true",
            "false",
            "tcpudp",
            "ip proto > 5",
            "proto 5",
        ][..],
    );
    let named = named.prop_map(str::to_owned);
    let field = select(&["ttl", "tos", "dscp", "ip len", "ip id", "hl", "vers"][..]);
    let field = (
        field,
        mask(),
        relation(),
        prop_oneof![3 => 0..16u32, 1 => 0..256u32],
    )
        .prop_map(|(field, mask, relation, value)| format!("{field} {mask}{relation}{value}"));
    let bytes = (
        select(&["ip", "tcp", "udp", "transp", "icmp"][..]),
        0..24u32,
        1..=4u32,
        mask(),
        relation(),
        0..256u32,
    )
        .prop_map(|(proto, position, length, mask, relation, value)| {
            let length = length.min(4 - position % 4);
            format!("{proto}[{position}:{length}] {mask}{relation}{value}")
        });
    prop_oneof![3 => port, 2 => host, 3 => net, 1 => odd, 1 => ether, 3 => named, 2 => field, 2 => bytes].boxed()
}

fn expression() -> impl Strategy<Value = String> {
    test().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    let action = select(&["0", "1", "2", "drop"][..]);
    let rule =
        (action, expression()).prop_map(|(action, expression)| format!("{action} {expression}"));
    proptest::collection::vec(rule, 1..12)
}

/// An Ethernet frame with an IP packet, as long as it may be.
#[derive(Clone, Debug)]
struct Frame {
    bytes: Vec<u8>,
    header_length: usize,
}

impl Frame {
    fn ip(&self) -> Ip<'_> {
        let (network, ether) = match self.bytes.get(14..) {
            Some(network) => (network, &self.bytes[..]),
            None => (&[][..], &[][..]),
        };
        Ip {
            ether,
            network,
            header_length: self.header_length,
        }
    }
}

fn frame() -> impl Strategy<Value = Frame> {
    let address = select(&ADDRESSES[..])
        .prop_map(|text| text.parse::<std::net::Ipv4Addr>().unwrap().octets());
    let port = prop_oneof![4 => select(&PORTS[..]), 1 => any::<u16>()];
    let ether = select(&[[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 7], [255; 6]][..]);
    let words = (
        5..16usize,
        any::<[u8; 12]>(),
        select(&PROTOS[..]),
        0..3u8,
        any::<[u8; 40]>(),
    );
    let length = prop_oneof![3 => Just(200usize), 1 => 0..100usize];
    (
        words,
        [address.clone(), address],
        [port.clone(), port],
        [ether.clone(), ether],
        length,
    )
        .prop_map(
            |((words, head, proto, fragment, payload), addresses, ports, ethers, length)| {
                let mut bytes = [&ethers[0][..], &ethers[1], &[8, 0]].concat();
                let mut header = [&head[..], &addresses[0], &addresses[1]].concat();
                header[0] = 0x40 | words as u8;
                header[6] &= 0x20;
                header[7] = fragment & 1;
                header[9] = proto;
                header.resize(words * 4, 7);
                bytes.extend(header);
                ports
                    .iter()
                    .for_each(|port| bytes.extend(port.to_be_bytes()));
                bytes.extend(payload);
                bytes.truncate(length);
                Frame {
                    bytes,
                    header_length: words * 4,
                }
            },
        )
}

/// The output of the first rule that a packet matches, each rule being a program of its own that
/// nothing was left out of.
fn by_rules(rules: &[Draft], packet: &impl View) -> u16 {
    let fails = 3;
    for rule in rules {
        let mut rule = rule.clone();
        rule.set_failure(Jump::output(fails));
        let port = rule.finish(Grouping::Single).classify(packet);
        if usize::from(port) != fails {
            return port;
        }
    }
    NOWHERE
}

fn as_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 5000, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn programs_and_faster_forms_agree_with_rules(
        rules in rules(),
        frames in proptest::collection::vec(frame(), 20..60),
    ) {
        let rules = as_strs(&rules);
        let Some(matcher) = ip_filter(&rules, 3, Context::none()).matcher else { return Ok(()) };
        let rules = filter::parse(&rules, 3, Context::none(), &mut Messages::default());
        let views: Vec<Ip<'_>> = frames.iter().map(Frame::ip).collect();
        let mut outputs = vec![0; views.len()];
        matcher.classify_batch(&views, &mut outputs);
        for (view, output) in views.iter().zip(outputs) {
            let steps = matcher.program().classify(view);
            prop_assert_eq!(output, steps, "{}\n{:?}", matcher.program(), view);
            // steps joined with others forget how short packets go, as Click's do
            if rules.iter().flat_map(Draft::steps).all(|step| step.needed() <= view.length()) {
                prop_assert_eq!(steps, by_rules(&rules, view), "{}\n{:?}", matcher.program(), view);
            }
        }
    }
}

/// A clause of a pattern as it is written, and the bytes and masks that it asks for.
#[derive(Clone, Debug)]
struct Clause {
    negated: bool,
    offset: usize,
    bytes: Vec<(u8, u8)>,
}

impl Clause {
    fn text(&self) -> String {
        let digits = |of: fn(&(u8, u8)) -> u8| {
            self.bytes
                .iter()
                .map(|byte| format!("{:02x}", of(byte)))
                .collect::<String>()
        };
        let not = if self.negated { "!" } else { "" };
        format!(
            "{not}{}/{}%{}",
            self.offset,
            digits(|byte| byte.0),
            digits(|byte| byte.1)
        )
    }

    fn matches(&self, packet: &[u8]) -> bool {
        let byte = |(i, &(value, mask)): (usize, &(u8, u8))| {
            mask == 0
                || packet
                    .get(self.offset + i)
                    .is_some_and(|byte| (byte ^ value) & mask == 0)
        };
        self.bytes.iter().enumerate().all(byte) != self.negated
    }
}

fn clause() -> impl Strategy<Value = Clause> {
    let byte = (0..3u8, select(&[0xff, 0xff, 0xff, 0, 1, 0xf0][..]));
    let bytes = proptest::collection::vec(byte, 1..7);
    (proptest::bool::weighted(0.2), 0..20usize, bytes).prop_map(|(negated, offset, bytes)| Clause {
        negated,
        offset,
        bytes,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 5000, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn patterns_match_bytes(
        patterns in proptest::collection::vec(proptest::collection::vec(clause(), 0..3), 1..8),
        packets in proptest::collection::vec(proptest::collection::vec(0..3u8, 0..30), 20..60),
        align in 0..4u16,
    ) {
        let text = |clauses: &Vec<Clause>| clauses.iter().map(Clause::text).collect::<Vec<_>>().join(" ");
        let texts: Vec<String> = patterns.iter().map(text).collect();
        let matcher = classifier(&as_strs(&texts), align, texts.len()).matcher.unwrap();
        for packet in &packets {
            let matches = |clauses: &Vec<Clause>| clauses.iter().all(|clause| clause.matches(packet));
            let wanted = patterns.iter().position(matches).map_or(NOWHERE, |output| output as u16);
            // tests joined with negated ones of a bit forget how short packets go, as Click's do
            let short = packet.len() < matcher.program().safe_length() as usize;
            let negated = patterns.iter().flatten().any(|clause| clause.negated);
            let wanted = if short && negated { matcher.program().classify(&Raw(packet)) } else { wanted };
            prop_assert_eq!(matcher.program().classify(&Raw(packet)), wanted, "{:?} {}", texts, matcher.program());
            prop_assert_eq!(matcher.classify(&Raw(packet)), wanted, "{:?} {}", texts, matcher.program());
        }
    }
}

/// Rules of an address and ports, all of them different.
fn flat_rules() -> impl Strategy<Value = Vec<String>> {
    let net =
        (0..4u8, any::<u8>(), 8..=32u8).prop_map(|(b, c, length)| format!("10.{b}.{c}.7/{length}"));
    let relation = select(&["", "> ", "< ", ">= ", "<= ", "!= "][..]);
    let proto = select(&["tcp", "udp", "tcpudp"][..]);
    let rule = (
        select(&["src", "dst"][..]),
        net,
        proto,
        ends(),
        relation,
        select(&PORTS[..]),
    );
    let text = |(end, net, proto, ends, relation, port)| {
        format!("{end} net {net} and {ends}{proto} port {relation}{port}")
    };
    proptest::collection::vec(rule.prop_map(text), 60..400)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn many_rules(rules in flat_rules(), frames in proptest::collection::vec(frame(), 400)) {
        let numbered: Vec<String> = (0..).zip(&rules).map(|(i, rule)| format!("{i} {rule}")).collect();
        let matcher = ip_filter(&as_strs(&numbered), rules.len(), Context::none()).matcher.unwrap();
        prop_assert!(matcher.bytes() > 0, "there is a faster form");
        for frame in &frames {
            let view = frame.ip();
            prop_assert_eq!(matcher.classify(&view), matcher.program().classify(&view), "{:?}", view);
        }
    }
}
