//! Capture files are read as they were written, and damaged ones do no harm.

use packet::pcapng::read::{Error, read};
use packet::pcapng::write::{self, Interface, Packet, Statistics};
use packet::pcapng::{Direction, ETHERNET};
use proptest::prelude::*;

fn file(packets: &[(bool, u64, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    write::section(&mut out, "Linux", "test");
    for (name, description) in [("pc1:eth0", Some("a wire")), ("pc2:eth0", None)] {
        write::interface(
            &mut out,
            Interface {
                name,
                description,
                snaplen: 0,
            },
        );
    }
    for (second, time, bytes) in packets {
        write::packet(
            &mut out,
            Packet {
                interface: u32::from(*second),
                time: *time,
                direction: Some(if *second {
                    Direction::Inbound
                } else {
                    Direction::Outbound
                }),
                length: bytes.len() as u32 + 5,
                bytes,
                lost: time % 3,
            },
        );
    }
    write::statistics(
        &mut out,
        Statistics {
            interface: 1,
            start: 5,
            end: 6,
            received: 9,
            dropped: 2,
            system_dropped: 1,
        },
    );
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        packets in proptest::collection::vec((any::<bool>(), any::<u64>(), proptest::collection::vec(any::<u8>(), 0..80)), 0..10)
    ) {
        let capture = read(&file(&packets)).unwrap();
        prop_assert!(!capture.cut_off);
        prop_assert_eq!(capture.interfaces[0].description.as_deref(), Some("a wire"));
        prop_assert_eq!(&capture.interfaces[1].name, "pc2:eth0");
        prop_assert_eq!(capture.interfaces[1].counted, Some((9, 2)));
        prop_assert_eq!(capture.interfaces[0].link, ETHERNET);
        prop_assert_eq!(capture.packets.len(), packets.len());
        for (read, (second, time, bytes)) in capture.packets.iter().zip(&packets) {
            prop_assert_eq!((read.interface, read.time), (usize::from(*second), *time));
            prop_assert_eq!((&read.bytes, read.length as usize), (bytes, bytes.len() + 5));
            prop_assert_eq!(read.direction == Some(Direction::Inbound), *second);
            prop_assert_eq!(read.lost, time % 3);
        }
    }

    #[test]
    fn damage_is_survived(
        at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut: prop::sample::Index
    ) {
        let mut bytes = file(&[(true, 7, vec![1; 30]), (false, 8, vec![2; 3])]);
        for (at, byte) in at {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = read(&bytes);
    }
}

#[test]
fn the_older_format_is_read_in_both_orders() {
    for big in [false, true] {
        let word = |w: u32| {
            if big {
                w.to_be_bytes()
            } else {
                w.to_le_bytes()
            }
        };
        let mut bytes = Vec::new();
        for w in [0xa1b2_c3d4, 0, 0, 0, 65535, 1, 3, 4, 2, 60] {
            bytes.extend(word(w));
        }
        bytes.extend([8, 9]);
        let capture = read(&bytes).unwrap();
        assert_eq!(capture.packets[0].time, 3_000_004_000);
        assert_eq!(
            (capture.packets[0].length, &capture.packets[0].bytes[..]),
            (60, &[8, 9][..])
        );
        assert!(read(&bytes[..41]).unwrap().cut_off);
    }
    assert_eq!(read(b"#!/bin/sh"), Err(Error::Magic));
}
