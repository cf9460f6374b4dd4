//! One capture in the capture process: its output and what it has counted.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use packet::pcapng::{self, write};
use sys::packet_socket::Admit;

use super::message::{Direction, Interface};
use super::output::Output;

/// Interfaces that a capture may have seen in its life.
const MAX_INTERFACES: usize = 65_536;

/// A capture.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) output: Output,
    /// Frames as the kernel passes them.
    pub(super) raw: bool,
    pub(super) phase: Phase,
    /// Frames written and frames lost.
    pub(super) frames: u64,
    pub(super) drops: u64,
    /// Frames that the kernel lost while it ran, of whatever interface.
    pub(super) kernel_drops: u64,
    /// The far ends that it records, by index.
    pub(super) ends: BTreeMap<u32, End>,
    snaplen: usize,
    started: u64,
    counts: Vec<Count>,
    numbers: HashMap<String, u32>,
}

/// A far end that is recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Its number in the file.
    pub(super) number: u32,
    pub(super) admit: Admit,
}

/// Where a capture is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// Frames up to a time are still awaited from the ring.
    Draining {
        stopped: u64,
        deadline: Instant,
    },
    /// All is said, and waits for the reader.
    Flushing {
        deadline: Instant,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    received: u64,
    dropped: u64,
    /// Dropped and not yet told with a packet.
    untold: u64,
}

/// A frame to be recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) number: u32,
    pub(super) time: u64,
    pub(super) direction: pcapng::Direction,
    pub(super) bytes: &'a [u8],
    pub(super) length: u32,
}

impl Recording {
    /// A capture with the begin of its file written, so that a reader sees it at once. `now` in
    /// nanoseconds since 1970.
    pub(super) fn begin(
        output: OwnedFd,
        raw: bool,
        snaplen: Option<u32>,
        now: u64,
    ) -> io::Result<Self> {
        let mut output = Output::new(output)?;
        let application = concat!("telaio ", env!("CARGO_PKG_VERSION"));
        output.append_always(|out| write::section(out, "Linux", application));
        Ok(Self {
            output,
            raw,
            phase: Phase::Running,
            frames: 0,
            drops: 0,
            kernel_drops: 0,
            ends: BTreeMap::new(),
            snaplen: snaplen
                .filter(|s| *s > 0)
                .map_or(usize::MAX, |s| s as usize),
            started: now,
            counts: Vec::new(),
            numbers: HashMap::new(),
        })
    }

    /// Records a far end from now on. One that comes back under a name that the file has keeps
    /// its number there, whatever its index is now.
    pub(super) fn add(&mut self, interface: &Interface) {
        let number = match self.numbers.get(&interface.name) {
            Some(number) => *number,
            None if self.counts.len() >= MAX_INTERFACES => return,
            None => self.describe(interface),
        };
        let admit = match interface.direction {
            Direction::Ingress => Admit::Ingress,
            Direction::Both => Admit::Both,
        };
        self.ends.insert(interface.index, End { number, admit });
    }

    fn describe(&mut self, interface: &Interface) -> u32 {
        let number = self.counts.len() as u32;
        self.counts.push(Count::default());
        self.numbers.insert(interface.name.clone(), number);
        let described = write::Interface {
            name: &interface.name,
            description: interface.description.as_deref(),
            snaplen: u32::try_from(self.snaplen).unwrap_or(0),
        };
        self.output
            .append_always(|out| write::interface(out, described));
        number
    }

    /// Whether a frame of this time belongs to it.
    pub(super) fn wants(&self, time: u64) -> bool {
        match self.phase {
            Phase::Running => true,
            Phase::Draining { stopped, .. } => time <= stopped,
            Phase::Flushing { .. } => false,
        }
    }

    /// Writes a frame, or counts it as lost when too much waits for the reader.
    pub(super) fn record(&mut self, record: Record<'_>) {
        let Some(count) = self.counts.get_mut(record.number as usize) else {
            return;
        };
        let packet = write::Packet {
            interface: record.number,
            time: record.time,
            direction: Some(record.direction),
            length: record.length,
            bytes: &record.bytes[..record.bytes.len().min(self.snaplen)],
            lost: count.untold,
        };
        count.received += 1;
        if self.output.append(|out| write::packet(out, packet)) {
            count.untold = 0;
            self.frames += 1;
        } else {
            count.untold += 1;
            count.dropped += 1;
            self.drops += 1;
        }
    }

    /// Writes what each interface has counted. The kernel does not say whose frames it lost;
    /// they stand with the first.
    pub(super) fn finish(&mut self, now: u64, deadline: Instant) {
        let (start, mut system_dropped) = (self.started, self.kernel_drops);
        for (interface, count) in (0..).zip(&self.counts) {
            let statistics = write::Statistics {
                interface,
                start,
                end: now,
                received: count.received,
                dropped: count.dropped,
                system_dropped: std::mem::take(&mut system_dropped),
            };
            self.output
                .append_always(|out| write::statistics(out, statistics));
        }
        self.phase = Phase::Flushing { deadline };
    }

    /// When something is to be done though nothing happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => None,
            Phase::Draining { deadline, .. } | Phase::Flushing { deadline } => Some(deadline),
        }
    }
}
