//! `IPFilter` and `IPClassifier`: their programs as text, their messages, and which packets go
//! where.

use std::net::Ipv4Addr;

use click::args::{Context, Ipv4Prefix, Names};
use dataplane::classify::{Classified, Ip, Matcher, NOWHERE, ip_classifier, ip_filter};

fn filter(rules: &[&str]) -> Matcher {
    let Classified { matcher, messages } = ip_filter(rules, 2, Context::none());
    matcher.unwrap_or_else(|| panic!("{rules:?}: {messages:?}"))
}

fn messages(rules: &[&str]) -> Vec<String> {
    let messages = ip_filter(rules, 2, Context::none()).messages;
    messages.iter().map(ToString::to_string).collect()
}

/// An IPv4 packet with these bytes after its header.
fn packet(proto: u8, source: [u8; 4], destination: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, proto, 0, 0];
    packet.extend(source.iter().chain(&destination).chain(payload));
    packet
}

fn lines(text: &[&str]) -> String {
    text.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn addresses_of_ethernet_and_ip() {
    let program = filter(&[
        "allow src 0:1:2:3:4:5",
        "allow src 10.0.0.0 & 8.0.0.0 = 8.0.0.0",
        "allow dst 10:20:30:40:50:60",
        "allow host 9:A:B:C:D:E",
        "deny all",
    ]);
    let text = [
        " 0   8/00010203%ffffffff  yes->step 1  no->step 2",
        " 1  12/04050000%ffff0000  yes->[0]  no->step 2",
        " 2 268/0a000000%ffffffff  yes->[0]  no->step 3",
        " 3   0/00001020%0000ffff  yes->step 4  no->step 5",
        " 4   4/30405060%ffffffff  yes->[0]  no->step 5",
        " 5   8/090a0b0c%ffffffff  yes->step 6  no->step 7",
        " 6  12/0d0e0000%ffff0000  yes->[0]  no->step 7",
        " 7   0/0000090a%0000ffff  yes->step 8  no->[X]",
        " 8   4/0b0c0d0e%ffffffff  yes->[0]  no->[X]",
        "safe length 272",
        "alignment offset 0",
    ];
    assert_eq!(program.program().to_string(), lines(&text));
    let network = packet(6, [1; 4], [2; 4], &[]);
    let mut ether = vec![9, 10, 11, 12, 13, 14, 0, 0, 0, 0, 0, 0, 8, 0];
    ether.extend(&network);
    let seen = Ip {
        ether: &ether,
        ..Ip::of(&network)
    };
    assert_eq!(program.classify(&seen), 0);
    assert_eq!(program.classify(&Ip::of(&network)), NOWHERE);
}

#[test]
fn edges() {
    let nothing = ["all->[2147483647]", "safe length 0", "alignment offset 0"];
    assert_eq!(
        filter(&["allow false"]).program().to_string(),
        lines(&nothing)
    );
    assert_eq!(filter(&[]).program().to_string(), lines(&nothing));
    let all = ["all->[0]", "safe length 0", "alignment offset 0"];
    let rules = ["allow false", "allow false", "allow false", "allow true"];
    assert_eq!(filter(&rules).program().to_string(), lines(&all));
    let one = [
        " 0 268/0a000001%ffffffff  yes->[0]  no->[X]",
        "safe length 272",
        "alignment offset 0",
    ];
    let rules = [
        "allow false",
        "allow false",
        "allow false",
        "allow false",
        "allow src 10.0.0.1",
    ];
    for first in [0, 2, 4] {
        assert_eq!(filter(&rules[first..]).program().to_string(), lines(&one));
    }
}

#[test]
fn bits_of_short_packets() {
    let ip = filter(&["0 ip[19]&128==0"]);
    let transport = filter(&["0 transp[1]&128==0"]);
    let whole = packet(17, [1; 4], [2; 4], &[0, 7, 0, 0]);
    assert_eq!(
        (
            ip.classify(&Ip::of(&whole)),
            transport.classify(&Ip::of(&whole))
        ),
        (0, 0)
    );
    assert_eq!(ip.classify(&Ip::of(&whole[..19])), NOWHERE);
    assert_eq!(transport.classify(&Ip::of(&whole[..21])), NOWHERE);
    assert_eq!(transport.classify(&Ip::of(&whole[..22])), 0);
    let not_zero = filter(&["0 transp[1]&128!=0", "1 -"]);
    let not = filter(&["0 not (transp[1]&128==0)"]);
    assert_eq!(not_zero.classify(&Ip::of(&whole[..21])), 1);
    assert_eq!(not.classify(&Ip::of(&whole[..21])), 0);
    assert_eq!(not_zero.classify(&Ip::of(&whole)), 1);
    assert_eq!(not.classify(&Ip::of(&whole)), NOWHERE);
}

#[test]
fn a_range_of_ports_is_few_steps() {
    for (text, least, most) in [
        ("dst port > 1023", 1024, 65535),
        ("dst port >= 80", 80, 65535),
        ("dst port < 80", 0, 79),
        ("dst port <= 80", 0, 80),
    ] {
        let program = filter(&[&format!("0 tcp {text}"), "1 -"]);
        for port in 0..=u16::MAX {
            let port = port.to_be_bytes();
            let packet = packet(6, [1; 4], [2; 4], &[0, 7, port[0], port[1]]);
            let inside = (least..=most).contains(&u16::from_be_bytes(port));
            assert_eq!(
                program.classify(&Ip::of(&packet)) == 0,
                inside,
                "{text}: {port:?}"
            );
        }
    }
}

#[test]
fn qualifiers_are_inherited() {
    let program = filter(&["0 src port 80 or 81", "1 -"]);
    let to = |ports: [u8; 4]| packet(6, [1; 4], [2; 4], &ports);
    assert_eq!(program.classify(&Ip::of(&to([0, 81, 0, 9]))), 0);
    assert_eq!(program.classify(&Ip::of(&to([0, 9, 0, 81]))), 1);
    let udp = packet(17, [1; 4], [2; 4], &[0, 80, 0, 9]);
    assert_eq!(program.classify(&Ip::of(&udp)), 0);
    let mut fragment = udp;
    fragment[7] = 1;
    assert_eq!(program.classify(&Ip::of(&fragment)), 1);
}

#[test]
fn what_is_wrong() {
    let one = |rule: &str, text: &str| assert_eq!(messages(&[rule])[0], text, "{rule}");
    one("", "empty pattern 0");
    one("2 -", "pattern 0: slot '2' out of range");
    one("maybe -", "pattern 0: unknown slot ID 'maybe'");
    one("0 port", "pattern 0: 'port': value missing");
    one("0 host tcp", "pattern 0: 'ip host': address missing");
    one("0 (tcp", "pattern 0: missing ')'");
    one("0 tcp)", "pattern 0: garbage after expression at ')'");
    one("0 tcp or", "pattern 0: missing expression");
    one("0 5", "pattern 0: specify header field or 'port'");
    one("0 icmp port 5", "pattern 0: 'port': bad protocol 1");
    one("0 tos 256", "pattern 0: 'ip tos': out of range, bound 255");
    one(
        "0 tos & 256 = 1",
        "pattern 0: 'ip tos': mask out of range, bound 0xFF",
    );
    one(
        "0 ip[3:2] 0",
        "pattern 0: field [3:2] does not fit in a single word",
    );
    one(
        "0 ip[9000] 0",
        "pattern 0: field [9000:1] is beyond the headers",
    );
    one(
        "0 tcp ? udp",
        "pattern 0: missing ':' in ternary expression",
    );
    one(
        "0 src tcp",
        "pattern 0: warning: 'src proto': 'src' or 'dst' ignored",
    );
    one(
        "0 ttl < 0",
        "pattern 0: warning: relation '< 0' is always false (range 0-255)",
    );
    one("0 not", "pattern 0: missing expression after 'not'");
    let text =
        "pattern 0: '<none>  echo' is ambiguous; try 'port  echo', 'port  echo', 'icmp type  echo'";
    one("0 echo", text);
}

#[test]
fn long_and_deep_expressions() {
    let many = vec!["tcp"; 40_000].join(" and ");
    assert!(messages(&[&format!("0 {many}")])[0].contains("too long"));
    let deep = format!("0 {}tcp{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(messages(&[&deep]).is_empty());
    let nots = format!("0 {} tcp", "not ".repeat(20_001));
    let program = filter(&[&nots]);
    assert_eq!(
        program.classify(&Ip::of(&packet(6, [1; 4], [2; 4], &[]))),
        NOWHERE
    );
}

/// A host and its network have the same name.
struct Lan;

impl Names for Lan {
    fn ip(&self, name: &str, _: &str) -> Option<Ipv4Addr> {
        (name == "lan").then_some(Ipv4Addr::new(10, 1, 2, 3))
    }

    fn ip_prefix(&self, name: &str, _: &str) -> Option<Ipv4Prefix> {
        let (address, mask) = (self.ip(name, "")?, Ipv4Addr::new(255, 255, 0, 0));
        Some(Ipv4Prefix { address, mask })
    }
}

#[test]
fn addresses_have_names() {
    let rules = ["0 src host lan", "1 src net lan"];
    let matcher = ip_filter(&rules, 2, Context::new(&Lan, "x")).matcher;
    let matcher = matcher.unwrap_or_else(|| panic!("{rules:?}"));
    let from = |address| matcher.classify(&Ip::of(&packet(6, address, [2; 4], &[])));
    assert_eq!(
        (
            from([10, 1, 2, 3]),
            from([10, 1, 9, 9]),
            from([10, 2, 2, 3])
        ),
        (0, 1, NOWHERE)
    );
}

#[test]
fn packets_are_not_lost_where_two_ways_meet() {
    let matcher = filter(&["0 ((src port 0 and syn) or (ip unfrag ? port 0 : port 0))"]);
    let udp = packet(
        17,
        [1; 4],
        [2; 4],
        &[0, 0, 128, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    assert_eq!(matcher.program().classify(&Ip::of(&udp)), 0);
    assert_eq!(matcher.classify(&Ip::of(&udp)), 0);
}

#[test]
fn many_values_are_searched() {
    let ports = [1, 6, 24, 96, 384, 1536, 6144]
        .map(|port| format!("{port}"))
        .join(" or ");
    let text = filter(&[&format!("0 tcp src port {ports}")])
        .program()
        .to_string();
    let values: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("512/")?.1.get(..8))
        .collect();
    // the order of a machine that has the least byte first
    let expected = [
        "06000000", "18000000", "00010000", "00060000", "00180000", "00600000", "01800000",
    ];
    assert_eq!(values, expected, "{text}");
}

#[test]
fn patterns_are_rules() {
    let Classified { matcher, messages } =
        ip_classifier(&["tcp", "udp", "tcp"], 3, Context::none());
    assert_eq!(messages[0].text, "output 2 matches no packets");
    let text = [
        " 0 264/00060000%00ff0000  yes->[0]  no->step 1",
        " 1 264/00110000%00ff0000  yes->[1]  no->[X]",
        "safe length 266",
        "alignment offset 0",
    ];
    assert_eq!(
        matcher.map(|matcher| matcher.program().to_string()),
        Some(lines(&text))
    );
    let wrong = ip_classifier(&["tcp"], 2, Context::none()).messages;
    assert_eq!(wrong[0].text, "need 2 arguments, one per output port");
}
