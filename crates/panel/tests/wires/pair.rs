//! Two members: frames of the one come to the other as they were.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use sys::bpf::Redirect;

use crate::support::{ALL, Bench, both, frame, mac};

both!(frames_arrive_unchanged, super::frames);
both!(streams_flow, super::streams);
both!(stations_hear_what_is_theirs, super::stations);
both!(interfaces_are_as_asked_for, super::interfaces);

fn frames(redirect: Option<Redirect>) {
    let bench = Bench::joined(redirect, 2, false);
    let ports = bench.ports();
    let mut list = vec![
        frame(mac(1), 0, b"to the other"),
        frame(mac(9), 0, b"to somebody else"),
        frame(ALL, 0, b"to all"),
        frame([0x33, 0x33, 0, 0, 0, 1], 0, b"to a group"),
        frame(mac(1), 0, &[7; 1486]),
    ];
    // STP, PAUSE, LACP, 802.1X, LLDP and their like
    list.extend((0..16).map(|x| frame([1, 0x80, 0xc2, 0, 0, x], 0, b"link-local")));
    list.extend([
        tagged(&[0x81, 0, 0, 100]),
        tagged(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6]),
    ]);
    for frame in list {
        ports[0].send(&frame);
        ports[1].expect(&frame);
    }
    let back = frame(mac(0), 1, b"back");
    ports[1].send(&back);
    ports[0].expect(&back);
}

fn tagged(tags: &[u8]) -> Vec<u8> {
    let mut frame = frame(ALL, 0, b"tagged");
    frame.splice(12..12, tags.iter().copied());
    frame
}

fn streams(redirect: Option<Redirect>) {
    const SIZE: usize = 4 << 20;
    let bench = Bench::joined(redirect, 2, false);
    bench.nodes[0].address("eth0", "10.0.0.1/24");
    bench.nodes[1].address("eth0", "10.0.0.2/24");
    let listener = bench.nodes[1].run(|| TcpListener::bind("10.0.0.2:80").unwrap());
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        listener
            .accept()
            .unwrap()
            .0
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    });
    let mut stream = bench.nodes[0].run(|| TcpStream::connect("10.0.0.2:80").unwrap());
    let sent: Vec<u8> = (0..SIZE).map(|i| (i / 7) as u8).collect();
    stream.write_all(&sent).unwrap();
    drop(stream);
    assert!(reader.join().unwrap() == sent);
}

/// A node takes in packets that are addressed to its own station only.
fn stations(redirect: Option<Redirect>) {
    let bench = Bench::joined(redirect, 2, false);
    bench.nodes[1].address("eth0", "10.0.0.2/24");
    let socket = bench.nodes[1].run(|| UdpSocket::bind("10.0.0.2:4000").unwrap());
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let port = &bench.ports()[0];
    port.send(&udp(mac(9), b"not yours"));
    port.send(&udp(mac(1), b"yours"));
    let mut buffer = [0; 64];
    let (n, _) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"yours");
    // an interface that got another address takes that one
    let index = bench.nodes[1].link("eth0").index;
    bench.nodes[1]
        .netlink()
        .run(&[sys::netlink::link::set_mac(index, mac(7))])
        .unwrap();
    port.send(&udp(mac(7), b"at the new address"));
    let (n, _) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"at the new address");
}

/// A datagram from 10.0.0.1 to port 4000 of 10.0.0.2, without a checksum of its own.
fn udp(to: [u8; 6], payload: &[u8]) -> Vec<u8> {
    let length = 28 + payload.len();
    let mut ip = vec![0x45, 0, 0, length as u8, 0, 0, 0, 0, 64, 17, 0, 0];
    ip.extend(Ipv4Addr::new(10, 0, 0, 1).octets());
    ip.extend(Ipv4Addr::new(10, 0, 0, 2).octets());
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    let sum: u32 = ip.chunks(2).map(word).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    ip.extend([0x0f, 0xa0, 0x0f, 0xa0, 0, length as u8 - 20, 0, 0]);
    [&to[..], &mac(0), &[8, 0], &ip, payload].concat()
}

fn interfaces(redirect: Option<Redirect>) {
    let mut bench = Bench::joined(redirect, 2, false);
    let link = bench.nodes[0].link("eth0");
    assert_eq!((link.mac, link.mtu), (Some(mac(0)), 1500));
    assert!(link.carrier);
    let far = bench.panel.far_name(bench.ends[0]).unwrap().to_string();
    assert_eq!(far, "f0.0");
    let ports = bench.ports();
    ports[0].send(&frame(ALL, 0, b"counted"));
    ports[1].expect(&frame(ALL, 0, b"counted"));
    let reports = bench.panel.describe().unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].kind, plan::WireKind::Wire);
    let member = &reports[0].members[0];
    assert_eq!((member.interface.as_str(), member.frames), ("eth0", 1));
    assert!(member.wired && member.plugged && member.carrier);
    // what a routing daemon derives its costs from
    let speed = bench.nodes[0].run(|| sys::ethernet::speed("eth0")).unwrap();
    assert_eq!(speed, Some(10_000));
}
