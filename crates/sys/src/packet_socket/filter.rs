//! The filter of a packet socket: a classic BPF program that looks for the interface's index in
//! a sorted set, once for frames that come in and once for frames that go out.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use libc::sock_filter;

use super::Admit;

/// Ranges of indexes that one set may have; with more, neighbours are joined. Keeps both sets,
/// at six instructions a range, below the kernel's limit of 4096.
const MAX_RANGES: usize = 320;
const ALL: u32 = u32::MAX;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const NOT_LESS: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// The program that admits the frames of these interfaces.
pub(super) fn program(interfaces: &BTreeMap<u32, Admit>) -> Vec<sock_filter> {
    let ingress = search(&ranges(interfaces.keys().copied()));
    let both = interfaces.iter().filter(|(_, a)| **a == Admit::Both);
    let egress = search(&ranges(both.map(|(index, _)| *index)));
    let mut program = vec![
        op(LOAD, ancillary(libc::SKF_AD_PKTTYPE)),
        branch(EQUAL, libc::PACKET_OUTGOING.into(), 0, 1),
        op(JUMP, ingress.len() as u32 + 1),
        op(LOAD, ancillary(libc::SKF_AD_IFINDEX)),
    ];
    program.extend(ingress);
    program.push(op(LOAD, ancillary(libc::SKF_AD_IFINDEX)));
    program.extend(egress);
    program
}

/// Sorted indexes as ranges, not more than [`MAX_RANGES`].
fn ranges(indexes: impl Iterator<Item = u32>) -> Vec<RangeInclusive<u32>> {
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some(last) if last.end().checked_add(1) == Some(index) => *last = *last.start()..=index,
            _ => ranges.push(index..=index),
        }
    }
    while ranges.len() > MAX_RANGES {
        let pairs = ranges.chunks(2);
        ranges = pairs
            .map(|p| *p[0].start()..=*p[p.len() - 1].end())
            .collect();
    }
    ranges
}

/// A binary search for the loaded number; every way through it ends with a return.
fn search(ranges: &[RangeInclusive<u32>]) -> Vec<sock_filter> {
    match ranges {
        [] => vec![op(RETURN, 0)],
        [only] => vec![
            branch(NOT_LESS, *only.start(), 0, 1),
            branch(GREATER, *only.end(), 0, 1),
            op(RETURN, 0),
            op(RETURN, ALL),
        ],
        _ => {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let low_half = search(low);
            let mut out = vec![
                branch(NOT_LESS, *high[0].start(), 0, 1),
                op(JUMP, low_half.len() as u32),
            ];
            out.extend(low_half);
            out.extend(search(high));
            out
        }
    }
}

/// Where the kernel answers questions about a packet that are not among its bytes.
fn ancillary(what: i32) -> u32 {
    (libc::SKF_AD_OFF + what).cast_unsigned()
}

fn op(code: u16, k: u32) -> sock_filter {
    branch(code, k, 0, 0)
}

fn branch(code: u16, k: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter {
        code,
        jt: yes,
        jf: no,
        k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would answer.
    fn run(program: &[sock_filter], packet_type: u32, index: u32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let i = program[at];
            at += 1;
            let jump = |yes: bool| usize::from(if yes { i.jt } else { i.jf });
            match i.code {
                LOAD if i.k == ancillary(libc::SKF_AD_PKTTYPE) => loaded = packet_type,
                LOAD => loaded = index,
                JUMP => at += i.k as usize,
                EQUAL => at += jump(loaded == i.k),
                GREATER => at += jump(loaded > i.k),
                NOT_LESS => at += jump(loaded >= i.k),
                _ => return i.k,
            }
        }
    }

    fn check(interfaces: &BTreeMap<u32, Admit>, exact: bool) {
        let program = program(interfaces);
        assert!(program.len() <= 4096, "{} instructions", program.len());
        for index in 0..20_000 {
            let wanted = interfaces.get(&index);
            for (kind, admitted) in [(0, wanted.is_some()), (4, wanted == Some(&Admit::Both))] {
                let answer = run(&program, kind, index) == ALL;
                assert!(
                    answer == admitted || answer && !exact,
                    "type {kind} index {index}"
                );
            }
        }
    }

    #[test]
    fn admits_what_it_is_told() {
        check(&BTreeMap::new(), true);
        check(&BTreeMap::from([(7, Admit::Ingress)]), true);
        let some = [2, 3, 4, 9, 11, 12, 500];
        check(&some.map(|i| (i, Admit::Both)).into(), true);
        check(
            &some
                .map(|i| {
                    (
                        i,
                        if i % 2 == 0 {
                            Admit::Both
                        } else {
                            Admit::Ingress
                        },
                    )
                })
                .into(),
            true,
        );
        check(&(0..300).map(|i| (i * 7, Admit::Both)).collect(), true);
    }

    #[test]
    fn too_many_to_tell_apart_are_still_admitted() {
        check(&(0..5000).map(|i| (i * 3, Admit::Both)).collect(), false);
    }
}
