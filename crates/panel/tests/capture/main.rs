//! Captures of real traffic: nodes are processes with network namespaces of their own, their
//! far ends lie in this process's, joined as a lab's are.

#![expect(clippy::print_stderr, reason = "a test without the usual harness")]

mod support;

use std::io::Read;
use std::net::UdpSocket;
use std::os::fd::AsFd;

use packet::pcapng::Direction as Way;
use packet::pcapng::read::Capture;
use packet::{Ethernet, Ipv4, Tcp, Udp, checksum};
use panel::capture::{Direction, Event, Interface, Request};

use support::{Board, Captures, Sink, bulk, request};

type Test = fn(&mut Board);

const TESTS: [(&str, Test); 6] = [
    (
        "a_bulk_transfer_is_seen_as_on_a_wire",
        a_bulk_transfer_is_seen_as_on_a_wire,
    ),
    (
        "each_frame_of_a_bridge_is_seen_once",
        each_frame_of_a_bridge_is_seen_once,
    ),
    (
        "readers_do_not_hold_up_each_other",
        readers_do_not_hold_up_each_other,
    ),
    (
        "a_capture_grows_and_survives_a_new_far_end",
        a_capture_grows_and_survives_a_new_far_end,
    ),
    (
        "a_vlan_tag_is_where_it_belongs",
        a_vlan_tag_is_where_it_belongs,
    ),
    (
        "frames_are_cut_to_the_snaplen",
        frames_are_cut_to_the_snaplen,
    ),
];

fn main() {
    if testkit::listed(&TESTS.map(|(name, _)| name)) {
        return;
    }
    if let Err(why) = support::enter() {
        return eprintln!("skipped: {why}");
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    for (name, test) in TESTS {
        if wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str())) {
            test(&mut Board::new());
            eprintln!("test {name} ... ok");
        }
    }
}

const TRANSFER: usize = 8 << 20;

fn a_bulk_transfer_is_seen_as_on_a_wire(board: &mut Board) {
    let [a, b] = bulk(board, TRANSFER);
    board.wire(a, b);
    let mut capturer = Captures::new();
    let (cooked, raw) = (Sink::new(), Sink::new());
    let ends = board.ends(&[a, b], Direction::Ingress);
    capturer.start(1, request(&ends, false), cooked.fd());
    capturer.start(2, request(&ends, true), raw.fd());
    for id in [1, 2] {
        assert_eq!(capturer.hear(), Event::Started { id });
    }
    assert!(
        !cooked.bytes().is_empty(),
        "the begin of the file is there at once"
    );
    board.play();
    capturer.stop(1);
    capturer.stop(2);
    for _ in 0..2 {
        let event = capturer.hear();
        assert!(
            matches!(
                event,
                Event::Ended {
                    drops: 0,
                    frames: 10..,
                    ..
                }
            ),
            "{event:?}"
        );
    }
    assert!(capturer.capturer.is_idle());
    assert_eq!(capturer.capturer.wait().unwrap(), 0);

    let capture = cooked.capture();
    assert!(
        capture
            .packets
            .iter()
            .all(|p| p.bytes.len() <= 1514 && p.length <= 1514)
    );
    assert!(capture.packets.iter().any(|p| p.bytes.len() == 1514));
    check_checksums(&capture);
    check_stream(&capture);
    support::tshark(&cooked, TRANSFER);
    let whole = raw.capture();
    assert!(
        whole.packets.iter().any(|p| p.bytes.len() > 1514),
        "big frames stay whole"
    );
    assert!(
        whole
            .packets
            .iter()
            .all(|p| p.bytes.len() == p.length as usize)
    );
    check_stream(&whole);
}

/// Every IPv4 header and TCP checksum.
fn check_checksums(capture: &Capture) {
    for packet in &capture.packets {
        let ethernet = Ethernet::parse(&packet.bytes).unwrap();
        let Some(ip) = Ipv4::parse(ethernet.payload()).filter(|_| ethernet.ethertype() == 0x800)
        else {
            continue;
        };
        assert_eq!(checksum::internet(ip.header()), 0);
        let sum = checksum::Sum::new();
        let sum = sum.pseudo_v4(
            ip.source(),
            ip.destination(),
            ip.protocol(),
            ip.payload().len(),
        );
        assert_eq!(sum.bytes(ip.payload()).checksum(), 0);
    }
}

/// The whole transfer is there.
fn check_stream(capture: &Capture) {
    let (seen, sent) = (stream(capture, 5000), support::pattern(TRANSFER));
    assert_eq!(seen.len(), sent.len());
    let wrong = seen.iter().zip(&sent).position(|(seen, sent)| seen != sent);
    assert_eq!(wrong, None, "the first byte that is not as it was sent");
}

/// What was sent to a port over TCP, put together from the segments.
fn stream(capture: &Capture, port: u16) -> Vec<u8> {
    let (mut first, mut stream) = (0, Vec::new());
    for packet in &capture.packets {
        let ethernet = Ethernet::parse(&packet.bytes).unwrap();
        let Some(ip) = Ipv4::parse(ethernet.payload()).filter(|ip| ip.protocol() == 6) else {
            continue;
        };
        let tcp = Tcp::parse(ip.payload()).unwrap();
        if tcp.destination() != port
            || tcp.payload().is_empty() && tcp.flags() & packet::tcp::SYN == 0
        {
            continue;
        }
        if tcp.flags() & packet::tcp::SYN != 0 {
            first = tcp.sequence().wrapping_add(1);
            continue;
        }
        let at = tcp.sequence().wrapping_sub(first) as usize;
        let end = at + tcp.payload().len();
        assert!(end <= TRANSFER);
        stream.resize(stream.len().max(end), 0);
        stream[at..end].copy_from_slice(tcp.payload());
    }
    stream
}

/// Sends datagrams to a port, each with its number.
fn send(count: u32, to: &str) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect(to).unwrap();
    for number in 0..count {
        while socket.send(&number.to_be_bytes()).is_err() {}
    }
}

/// The numbers of the datagrams to a port, and which way they went.
fn numbers(capture: &Capture, port: u16) -> Vec<(u32, Option<Way>, String)> {
    let mut numbers = Vec::new();
    for packet in &capture.packets {
        let ethernet = Ethernet::parse(&packet.bytes).unwrap();
        let udp = Ipv4::parse(ethernet.payload())
            .filter(|ip| ip.protocol() == 17)
            .and_then(|ip| Udp::parse(ip.payload()));
        if let Some(udp) = udp.filter(|u| u.destination() == port) {
            let number = u32::from_be_bytes(udp.payload().try_into().unwrap());
            let name = capture.interfaces[packet.interface].name.clone();
            numbers.push((number, packet.direction, name));
        }
    }
    numbers
}

fn each_frame_of_a_bridge_is_seen_once(board: &mut Board) {
    let a = board.node("a", "10.0.0.1/24", || {
        let socket = UdpSocket::bind("10.0.0.1:7").unwrap();
        for number in 0..5_u32 {
            socket.send_to(&number.to_be_bytes(), "10.0.0.2:8").unwrap();
            socket.recv(&mut [0; 4]).unwrap();
        }
        socket.send_to(&9_u32.to_be_bytes(), "10.0.0.2:8").unwrap();
    });
    let b = board.ready_node("b", "10.0.0.2/24", || {
        let socket = UdpSocket::bind("0.0.0.0:8").unwrap();
        move || {
            for _ in 0..5 {
                let mut number = [0; 4];
                let (_, from) = socket.recv_from(&mut number).unwrap();
                socket.send_to(&number, from).unwrap();
            }
            socket.recv(&mut [0; 4]).unwrap();
        }
    });
    let c = board.node("c", "10.0.0.3/24", || {});
    board.bridge(&[a, b, c]);
    let mut capturer = Captures::new();
    let (whole, member) = (Sink::new(), Sink::new());
    capturer.start(
        1,
        request(&board.ends(&[a, b, c], Direction::Ingress), false),
        whole.fd(),
    );
    capturer.start(
        2,
        request(&board.ends(&[b], Direction::Both), false),
        member.fd(),
    );
    capturer.hear();
    capturer.hear();
    board.play();
    capturer.stop(1);
    capturer.stop(2);
    capturer.hear();
    capturer.hear();
    let there: Vec<u32> = vec![0, 1, 2, 3, 4, 9];
    let out = |name: &str| (Some(Way::Outbound), name.to_string());
    let seen = numbers(&whole.capture(), 8);
    assert_eq!(seen.iter().map(|n| n.0).collect::<Vec<_>>(), there);
    assert!(seen.iter().all(|n| (n.1, n.2.clone()) == out("a:eth0")));
    assert_eq!(numbers(&whole.capture(), 7).len(), 5);
    let seen = numbers(&member.capture(), 8);
    assert_eq!(seen.iter().map(|n| n.0).collect::<Vec<_>>(), there);
    assert!(
        seen.iter()
            .all(|n| n.1 == Some(Way::Inbound) && n.2 == "b:eth0")
    );
    let answers = numbers(&member.capture(), 7);
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|n| (n.1, n.2.clone()) == out("b:eth0")));
}

const MANY: u32 = 80_000;

fn readers_do_not_hold_up_each_other(board: &mut Board) {
    let a = board.node("a", "10.0.0.1/24", || send(MANY, "10.0.0.2:8"));
    board.neighbour(a, "10.0.0.2");
    let mut capturer = Captures::new();
    let ends = board.ends(&[a], Direction::Ingress);
    let file = Sink::new();
    let (mut slow, slow_end) = std::io::pipe().unwrap();
    let (gone, gone_end) = std::io::pipe().unwrap();
    capturer.start(1, request(&ends, false), file.fd());
    capturer.start(2, request(&ends, false), slow_end.as_fd());
    capturer.start(3, request(&ends, false), gone_end.as_fd());
    drop((slow_end, gone_end));
    for id in 1..=3 {
        assert_eq!(capturer.hear(), Event::Started { id });
    }
    drop(gone);
    assert!(matches!(capturer.hear(), Event::Ended { id: 3, .. }));
    board.play();
    capturer.stop(1);
    let event = capturer.hear();
    assert!(
        matches!(event, Event::Ended { id: 1, frames, drops: 0 } if frames >= MANY.into()),
        "{event:?}"
    );
    assert_eq!(numbers(&file.capture(), 8).len(), MANY as usize);
    capturer.stop(2);
    let mut bytes = Vec::new();
    slow.read_to_end(&mut bytes).unwrap();
    let Event::Ended {
        id: 2,
        frames,
        drops,
    } = capturer.hear()
    else {
        panic!("the slow one ends last");
    };
    let capture = packet::pcapng::read::read(&bytes).unwrap();
    assert!(!capture.cut_off && drops > 0);
    assert_eq!(capture.packets.len() as u64, frames);
    assert_eq!(capture.interfaces[0].counted, Some((frames + drops, drops)));
    let seen = numbers(&capture, 8);
    assert!(
        seen.windows(2).all(|w| w[0].0 < w[1].0),
        "what is kept is in order"
    );
}

fn a_capture_grows_and_survives_a_new_far_end(board: &mut Board) {
    let a = board.node("a", "10.0.0.1/24", || send(1, "10.0.0.2:8"));
    let b = board.ready_node("b", "10.0.0.2/24", || {
        let socket = UdpSocket::bind("0.0.0.0:8").unwrap();
        move || assert_eq!(socket.recv(&mut [0; 4]).unwrap(), 4)
    });
    board.wire(a, b);
    let mut capturer = Captures::new();
    let file = Sink::new();
    capturer.start(
        1,
        request(&board.ends(&[a], Direction::Ingress), false),
        file.fd(),
    );
    capturer.hear();
    board.play();

    // the same names behind new far ends, and one that the capture has not had
    let a = board.node("a", "10.0.0.1/24", || send(2, "10.0.0.2:8"));
    let b = board.ready_node("b", "10.0.0.2/24", || {
        let socket = UdpSocket::bind("0.0.0.0:8").unwrap();
        move || {
            for _ in 0..2 {
                socket.recv(&mut [0; 4]).unwrap();
            }
            socket.send_to(&7_u32.to_be_bytes(), "10.0.0.1:9").unwrap();
        }
    });
    board.wire(a, b);
    let mut many = board.ends(&[a, b], Direction::Ingress);
    let mut more = |index| {
        let name = format!("n{index}:eth0");
        many.push(Interface {
            index,
            name,
            direction: Direction::Both,
            description: None,
        });
    };
    (100_000..101_000).for_each(&mut more);
    capturer.capturer.update(1, many).unwrap();
    // an answer to a later command says that this one is done
    let other = Sink::new();
    capturer.start(2, Request::default(), other.fd());
    assert_eq!(capturer.hear(), Event::Started { id: 2 });
    board.play();
    capturer.stop(1);
    assert!(matches!(capturer.hear(), Event::Ended { id: 1, .. }));
    let capture = file.capture();
    assert_eq!(capture.interfaces.len(), 1002);
    let seen = numbers(&capture, 8);
    assert_eq!(seen.iter().map(|n| n.0).collect::<Vec<_>>(), [0, 0, 1]);
    assert!(seen.iter().all(|n| n.2 == "a:eth0"));
    assert_eq!(numbers(&capture, 9)[0].2, "b:eth0");
}

/// VLAN 5, priority 1, from 10.0.0.1 to 10.0.0.2, UDP from port 7 to 8, the number 3.
const TAGGED: &str = concat!(
    "020000000002020000000001",
    "81002005",
    "0800",
    "4500002000000000401166cb0a0000010a000002",
    "00070008000c0000",
    "00000003",
);

fn a_vlan_tag_is_where_it_belongs(board: &mut Board) {
    if std::process::Command::new("python3")
        .arg("-V")
        .output()
        .is_err()
    {
        return eprintln!("skipped: no python3 to send a frame with");
    }
    let a = board.node("a", "10.0.0.1/24", || {
        // no host is sure to have a way to make tagged frames, but this one is
        let text = "import socket as s; f = s.socket(s.AF_PACKET, s.SOCK_RAW); f.bind(('eth0', 0)); f.send(bytes.fromhex(";
        let script = format!("{text}'{TAGGED}'))");
        let done = std::process::Command::new("python3").args(["-c", &script]).status();
        assert!(done.unwrap().success());
    });
    let mut capturer = Captures::new();
    let file = Sink::new();
    capturer.start(
        1,
        request(&board.ends(&[a], Direction::Ingress), false),
        file.fd(),
    );
    capturer.hear();
    board.play();
    capturer.stop(1);
    capturer.hear();
    let capture = file.capture();
    let tagged = capture
        .packets
        .iter()
        .filter_map(|p| Ethernet::parse(&p.bytes));
    let tagged = tagged.filter(|e| e.tags().map(|t| t.vlan()).eq([5]));
    assert_eq!(tagged.filter(|e| e.ethertype() == 0x800).count(), 1);
    assert_eq!(numbers(&capture, 8)[0].0, 3);
    let whole = capture
        .packets
        .iter()
        .find(|p| p.bytes[12..14] == [0x81, 0])
        .unwrap();
    assert_eq!(hex(&whole.bytes), TAGGED);
}

fn frames_are_cut_to_the_snaplen(board: &mut Board) {
    let a = board.node("a", "10.0.0.1/24", || {
        support::run("ip", "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0");
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.send_to(&[1; 1000], "10.0.0.2:8").unwrap();
    });
    let mut capturer = Captures::new();
    let (socket, mut reader) = std::os::unix::net::UnixStream::pair().unwrap();
    let ends = board.ends(&[a], Direction::Ingress);
    let asked = Request {
        interfaces: ends,
        raw: false,
        snaplen: Some(60),
    };
    capturer.start(1, asked, socket.as_fd());
    drop(socket);
    capturer.hear();
    board.play();
    capturer.stop(1);
    capturer.hear();
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    let capture = packet::pcapng::read::read(&bytes).unwrap();
    let lengths: Vec<_> = capture
        .packets
        .iter()
        .map(|p| (p.bytes.len(), p.length))
        .collect();
    assert!(lengths.contains(&(60, 1042)), "{lengths:?}");
    assert_eq!(capture.interfaces[0].snaplen, 60);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
