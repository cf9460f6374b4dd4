//! The blocks of a pcapng file, appended to bytes in memory: a section header, an interface
//! block before the first packet of each, packets, statistics. Times are nanoseconds since 1970.

use super::{
    BYTE_ORDER, Direction, END_OF_OPTIONS, ETHERNET, IF_DESCRIPTION, IF_NAME, IF_RESOLUTION,
    INTERFACE, PACKET, PACKET_DROPS, PACKET_FLAGS, SECTION, SECTION_APPLICATION, SECTION_SYSTEM,
    STATISTICS, STATISTICS_DROPPED, STATISTICS_END, STATISTICS_RECEIVED, STATISTICS_START,
    STATISTICS_SYSTEM,
};

/// Longest text of an option, in bytes; longer ones are cut.
const MAX_TEXT: usize = 1024;

/// An interface that packets are of; the first of a section has number 0.
#[derive(Clone, Copy, Debug)]
pub struct Interface<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is, if there is more to say than its name.
    pub description: Option<&'a str>,
    /// Bytes kept of each packet; 0: all.
    pub snaplen: u32,
}

/// A packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its interface.
    pub interface: u32,
    /// When it was seen.
    pub time: u64,
    /// Which way it went.
    pub direction: Option<Direction>,
    /// Its length on the wire.
    pub length: u32,
    /// What is kept of it.
    pub bytes: &'a [u8],
    /// Packets of this interface lost since the one before.
    pub lost: u64,
}

/// What an interface has counted.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    /// The interface.
    pub interface: u32,
    /// Begin of the capture.
    pub start: u64,
    /// End of the capture.
    pub end: u64,
    /// Packets that were seen, lost ones included.
    pub received: u64,
    /// Packets that were lost on the way to the file.
    pub dropped: u64,
    /// Packets that the operating system lost before.
    pub system_dropped: u64,
}

/// Begins a section, and so a file.
pub fn section(out: &mut Vec<u8>, system: &str, application: &str) {
    block(out, SECTION, |out| {
        out.extend(BYTE_ORDER.to_le_bytes());
        out.extend([1, 0, 0, 0]); // version 1.0
        out.extend((-1_i64).to_le_bytes()); // the section's length is not known
        text(out, SECTION_SYSTEM, system);
        text(out, SECTION_APPLICATION, application);
        option(out, END_OF_OPTIONS, &[]);
    });
}

/// Describes the next interface.
pub fn interface(out: &mut Vec<u8>, interface: Interface<'_>) {
    block(out, INTERFACE, |out| {
        out.extend(ETHERNET.to_le_bytes());
        out.extend([0, 0]);
        out.extend(interface.snaplen.to_le_bytes());
        text(out, IF_NAME, interface.name);
        if let Some(description) = interface.description {
            text(out, IF_DESCRIPTION, description);
        }
        option(out, IF_RESOLUTION, &[9]); // units of 10^-9 s
        option(out, END_OF_OPTIONS, &[]);
    });
}

/// Appends a packet.
pub fn packet(out: &mut Vec<u8>, packet: Packet<'_>) {
    block(out, PACKET, |out| {
        out.extend(packet.interface.to_le_bytes());
        time(out, packet.time);
        out.extend((packet.bytes.len() as u32).to_le_bytes());
        out.extend(packet.length.to_le_bytes());
        padded(out, packet.bytes);
        let flags: Option<u32> = packet.direction.map(|d| match d {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
        });
        if let Some(flags) = flags {
            option(out, PACKET_FLAGS, &flags.to_le_bytes());
        }
        if packet.lost > 0 {
            option(out, PACKET_DROPS, &packet.lost.to_le_bytes());
        }
        if flags.is_some() || packet.lost > 0 {
            option(out, END_OF_OPTIONS, &[]);
        }
    });
}

/// Appends what an interface has counted.
pub fn statistics(out: &mut Vec<u8>, statistics: Statistics) {
    block(out, STATISTICS, |out| {
        out.extend(statistics.interface.to_le_bytes());
        time(out, statistics.end);
        for (code, at) in [
            (STATISTICS_START, statistics.start),
            (STATISTICS_END, statistics.end),
        ] {
            let mut bytes = Vec::with_capacity(8);
            time(&mut bytes, at);
            option(out, code, &bytes);
        }
        option(out, STATISTICS_RECEIVED, &statistics.received.to_le_bytes());
        option(out, STATISTICS_DROPPED, &statistics.dropped.to_le_bytes());
        option(
            out,
            STATISTICS_SYSTEM,
            &statistics.system_dropped.to_le_bytes(),
        );
        option(out, END_OF_OPTIONS, &[]);
    });
}

/// A block: its kind, its length before and behind, and what `fill` appends between.
fn block(out: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    fill(out);
    let length = (out.len() - start + 4) as u32;
    out.extend(length.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
}

/// A time is two words, the higher one first.
fn time(out: &mut Vec<u8>, time: u64) {
    out.extend(((time >> 32) as u32).to_le_bytes());
    out.extend((time as u32).to_le_bytes());
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    let missing = bytes.len().next_multiple_of(4) - bytes.len();
    out.extend_from_slice(&[0; 3][..missing]);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    padded(out, value);
}

fn text(out: &mut Vec<u8>, code: u16, text: &str) {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    option(out, code, &text.as_bytes()[..end]);
}
