//! Cutting and completing frames, checked by code that shares nothing with the crate's: it sums
//! byte by byte and finds the fields by their fixed places.

use packet::virtio::{Checksum, Gso, GsoKind, VnetHeader};
use packet::wire::{Outcome, Wire, complete};
use packet::{Ethernet, Ipv4, Ipv6, Tcp, Udp, checksum, ethernet};
use proptest::prelude::*;

const FIN_PSH_ACK: u8 = 0x19;
const CWR: u8 = 0x80;

/// Ones' complement sum of bytes, one at a time.
fn slow_sum(parts: &[&[u8]]) -> u16 {
    let all: Vec<u8> = parts.concat();
    let mut sum = 0_u32;
    for (index, byte) in all.iter().enumerate() {
        sum += u32::from(*byte) << (if index % 2 == 0 { 8 } else { 0 });
        if sum > 0xffff {
            sum = sum - 0x1_0000 + 1;
        }
    }
    sum as u16
}

/// Whether the checksum of a transport header behind an IP header of known length is right.
fn transport_is_right(ip: &[u8], protocol: u8) -> bool {
    let (addresses, at) = match ip[0] >> 4 {
        4 => (&ip[12..20], 20),
        _ => (&ip[8..40], 40),
    };
    let rest = &ip[at..];
    let length = (rest.len() as u32).to_be_bytes();
    slow_sum(&[addresses, &length, &[0, protocol], rest]) == 0xffff
}

#[derive(Clone, Debug)]
struct Case {
    v6: bool,
    udp: bool,
    tagged: bool,
    tunnel: bool,
    options: usize,
    flags: u8,
    size: u16,
    payload: Vec<u8>,
}

fn cases() -> impl Strategy<Value = Case> {
    let payload = proptest::collection::vec(any::<u8>(), 1..9000);
    let bools = any::<(bool, bool, bool, bool)>();
    (bools, 0..10_usize, any::<u8>(), 8..3000_u16, payload).prop_map(
        |((v6, udp, tagged, tunnel), options, flags, size, payload)| Case {
            v6,
            udp,
            tagged,
            tunnel,
            options,
            flags,
            size,
            payload,
        },
    )
}

impl Case {
    fn protocol(&self) -> u8 {
        if self.udp { 17 } else { 6 }
    }

    fn transport(&self) -> Vec<u8> {
        let mut out = vec![0x12, 0x34, 0x56, 0x78];
        if self.udp {
            out.extend(((8 + self.payload.len()) as u16).to_be_bytes());
            out.extend([0, 0]);
        } else {
            out.extend(0xffff_ff00_u32.to_be_bytes()); // wraps
            out.extend([
                0,
                0,
                0,
                9,
                ((5 + self.options) << 4) as u8,
                self.flags,
                1,
                0,
                0,
                0,
                0,
                0,
            ]);
            out.extend(vec![1; self.options * 4]);
        }
        out.extend(&self.payload);
        out
    }

    /// The frame and where its transport header begins.
    fn frame(&self) -> (Vec<u8>, usize) {
        let mut frame = ethernet_header(self.v6, self.tagged);
        let inner = ip(self.v6, self.protocol(), &self.transport());
        let header = if self.v6 { 40 } else { 20 };
        if !self.tunnel {
            let at = frame.len() + header;
            frame.extend(inner);
            return (frame, at);
        }
        // VXLAN with an outer checksum, over the other version of IP
        let mut udp = vec![0x99, 0x99, 0x12, 0xb5, 0, 0, 1, 1, 8, 0, 0, 0, 0, 0, 42, 0];
        udp.extend(ethernet_header(self.v6, false));
        let before = udp.len() + header;
        udp.extend(inner);
        let length = (udp.len() as u16).to_be_bytes();
        udp[4..6].copy_from_slice(&length);
        let mut frame = ethernet_header(!self.v6, self.tagged);
        let at = frame.len() + (60 - header) + before;
        frame.extend(ip(!self.v6, 17, &udp));
        (frame, at)
    }

    fn header(&self, start: usize) -> VnetHeader {
        let kind = match (self.udp, self.v6) {
            (true, _) => GsoKind::Udp,
            (false, true) => GsoKind::TcpV6,
            (false, false) => GsoKind::TcpV4,
        };
        VnetHeader {
            checksum: Checksum::Missing {
                start: start as u16,
                offset: if self.udp { 6 } else { 16 },
            },
            gso: Some(Gso {
                kind,
                size: self.size,
                ecn: true,
            }),
            header_length: 0,
        }
    }
}

fn ethernet_header(v6: bool, tagged: bool) -> Vec<u8> {
    let mut out = vec![2; 12];
    if tagged {
        out.extend([0x81, 0, 0x20, 5]);
    }
    out.extend(if v6 { [0x86, 0xdd] } else { [8, 0] });
    out
}

fn ip(v6: bool, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16;
    let mut out = Vec::new();
    if v6 {
        out.extend([0x60, 0, 0, 0]);
        out.extend(length.to_be_bytes());
        out.extend([protocol, 64]);
        out.extend([0xfd; 16]);
        out.extend([0xfc; 16]);
    } else {
        out.extend([0x45, 0]);
        out.extend((length + 20).to_be_bytes());
        out.extend([
            0xff, 0xfe, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
    }
    out.extend(payload);
    out
}

/// Checks lengths and checksums of an IP packet that fills `bytes`.
fn check_ip(bytes: &[u8], v6: bool, protocol: u8, index: usize) {
    if v6 {
        let packet = Ipv6::parse(bytes).unwrap();
        assert_eq!(usize::from(packet.payload_length()), bytes.len() - 40);
    } else {
        let packet = Ipv4::parse(bytes).unwrap();
        assert_eq!(usize::from(packet.total_length()), bytes.len());
        assert_eq!(
            packet.identification(),
            0xfffe_u16.wrapping_add(index as u16)
        );
        assert_eq!(slow_sum(&[packet.header()]), 0xffff);
    }
    assert!(
        transport_is_right(bytes, protocol),
        "checksum of protocol {protocol}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn pieces_make_up_the_payload_again(case in cases()) {
        let (frame, start) = case.frame();
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        let outcome = Wire::new().frames(&frame, case.header(start), |piece| pieces.push(piece.to_vec()));
        let expected = case.payload.len().div_ceil(case.size.into());
        prop_assert_eq!(outcome, Outcome::Wire { frames: expected });
        let mut payload = Vec::<u8>::new();
        for (index, piece) in pieces.iter().enumerate() {
            let view = Ethernet::parse(piece).unwrap();
            let mut packet = view.payload();
            if case.tunnel {
                check_ip(packet, !case.v6, 17, index);
                let udp = Udp::parse(&packet[if case.v6 { 20 } else { 40 }..]).unwrap();
                prop_assert_eq!(usize::from(udp.length()), udp.payload().len() + 8);
                packet = &udp.payload()[8 + 14..];
            }
            check_ip(packet, case.v6, case.protocol(), index);
            let transport = &packet[if case.v6 { 40 } else { 20 }..];
            if case.udp {
                let udp = Udp::parse(transport).unwrap();
                prop_assert_eq!(usize::from(udp.length()), transport.len());
                payload.extend(udp.payload());
                continue;
            }
            let tcp = Tcp::parse(transport).unwrap();
            prop_assert_eq!(tcp.sequence(), 0xffff_ff00_u32.wrapping_add(payload.len() as u32));
            let mut flags = case.flags;
            if index + 1 < pieces.len() {
                flags &= !(FIN_PSH_ACK & !0x10);
            }
            if index > 0 {
                flags &= !CWR;
            }
            prop_assert_eq!(tcp.flags(), flags);
            payload.extend(tcp.payload());
        }
        prop_assert_eq!(payload, case.payload);
    }

    #[test]
    fn a_missing_checksum_is_completed(case in cases()) {
        let case = Case { tunnel: false, ..case };
        let (mut frame, start) = case.frame();
        // what the kernel leaves in the field: the sum of the pseudo header
        let network = frame[start - if case.v6 { 40 } else { 20 }..].to_vec();
        let addresses = if case.v6 { &network[8..40] } else { &network[12..20] };
        let length = ((frame.len() - start) as u32).to_be_bytes();
        let partial = slow_sum(&[addresses, &length, &[0, case.protocol()]]);
        let offset = if case.udp { 6 } else { 16 };
        frame[start + offset..start + offset + 2].copy_from_slice(&partial.to_be_bytes());
        let header = VnetHeader { gso: None, ..case.header(start) };
        let mut seen = Vec::new();
        let outcome = Wire::new().frames(&frame, header, |piece| seen = piece.to_vec());
        prop_assert_eq!(outcome, Outcome::Wire { frames: 1 });
        let network = &seen[start - if case.v6 { 40 } else { 20 }..];
        prop_assert!(transport_is_right(network, case.protocol()));
    }

    #[test]
    fn hostile_bytes_do_no_harm(
        case in cases(), damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut: prop::sample::Index, header: [u8; 10], own_header: bool,
    ) {
        let (mut frame, start) = case.frame();
        for (at, byte) in damage {
            let at = at.index(frame.len().min(120));
            frame[at] = byte;
        }
        frame.truncate(cut.index(frame.len() + 1));
        let header = if own_header { case.header(start) } else { VnetHeader::parse(header) };
        let mut total = 0;
        let outcome = Wire::new().frames(&frame, header, |piece| total += piece.len());
        if outcome == Outcome::AsItWas {
            prop_assert!(total >= frame.len());
        }
    }

    #[test]
    fn views_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        if let Some(view) = Ethernet::parse(&bytes) {
            let _ = (view.payload(), view.tags().count(), view.destination(), view.source());
        }
        if let Some(view) = Ipv4::parse(&bytes) {
            let _ = (view.payload(), view.header(), view.is_fragment());
        }
        if let Some(view) = Ipv6::parse(&bytes) {
            let _ = (view.payload(), view.final_destination());
        }
        if let Some(view) = Tcp::parse(&bytes) {
            let _ = view.payload();
        }
        if let Some(view) = Udp::parse(&bytes) {
            let _ = view.payload();
        }
        let _ = packet::arp::Arp::parse(&bytes).map(|a| a.sender());
        let _ = packet::icmp::Icmp::parse(&bytes).map(|i| i.echo());
    }
}

#[test]
fn cwr_stays_with_accurate_ecn() {
    let case = Case {
        v6: false,
        udp: false,
        tagged: false,
        tunnel: false,
        options: 0,
        flags: CWR | FIN_PSH_ACK,
        size: 10,
        payload: vec![7; 25],
    };
    let (frame, start) = case.frame();
    let mut header = case.header(start);
    header.gso = header.gso.map(|gso| Gso { ecn: false, ..gso });
    let mut flags = Vec::new();
    Wire::new().frames(&frame, header, |piece| flags.push(piece[start + 13]));
    assert_eq!(flags, [CWR | 0x10, CWR | 0x10, CWR | FIN_PSH_ACK]);
}

#[test]
fn sctp_gets_its_crc() {
    let mut frame = ethernet_header(false, false);
    let mut message = vec![0, 1, 0, 2, 1, 2, 3, 4, 9, 9, 9, 9];
    message.extend(b"chunk");
    frame.extend(ip(false, 132, &message));
    complete(&mut frame, 34, 8).unwrap();
    let sent: [u8; 4] = frame[42..46].try_into().unwrap();
    frame[42..46].fill(0);
    assert_eq!(sent, checksum::crc32c(&[&frame[34..]]));
    assert_eq!(Ethernet::parse(&frame).unwrap().ethertype(), ethernet::IPV4);
}

#[test]
fn udp_without_a_checksum_stays_without() {
    let case = Case {
        v6: false,
        udp: true,
        tagged: false,
        tunnel: false,
        options: 0,
        flags: 0,
        size: 10,
        payload: vec![7; 25],
    };
    let (frame, start) = case.frame();
    let header = VnetHeader {
        checksum: Checksum::Verified,
        ..case.header(start)
    };
    let mut sums = Vec::new();
    Wire::new().frames(&frame, header, |piece| {
        sums.push([piece[start + 6], piece[start + 7]])
    });
    assert_eq!(sums, [[0, 0]; 3]);
}
