//! The capture process: one packet socket, any number of captures.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use packet::VnetHeader;
use packet::ethernet::{Tag, push_tagged};
use packet::pcapng;
use packet::wire::Wire;
use rustix::process::Signal;
use rustix::thread::{CapabilitySet, CapabilitySets};
use sys::epoll::{EventFlags, Poller, Signals};
use sys::fdpass;
use sys::packet_socket::{Admit, Direction, Frame, PacketSocket, RingSize};

use super::message::{Command, MAX_MESSAGE, Reply};
use super::recording::{Phase, Record, Recording};

/// 16 MiB: a seventh of a second of the smallest frames as fast as this can happen. A block
/// holds seven of the largest.
const RING: RingSize = RingSize {
    block: 512 << 10,
    blocks: 32,
    timeout: 10,
};
/// In which all frames that were sent before have come out of the ring: the timeout of a block
/// twice, and some time to get there.
const DRAIN: Duration = Duration::from_millis(40);
/// How long a capture that was stopped waits for its reader.
const FLUSH: Duration = Duration::from_secs(2);
/// Blocks after which commands and readers get their turn.
const BLOCKS_A_TURN: usize = 8;
/// Bytes that are gathered before they are written in the middle of a block.
const CHUNK: usize = 256 << 10;

const CONTROL: u64 = u64::MAX;
const SOCKET: u64 = u64::MAX - 1;

/// Captures in this process's network namespace as the other side of `control` says, until that
/// side is closed; returns the exit status. Gives up every capability once its socket is open.
pub fn serve(control: OwnedFd) -> i32 {
    let mut server = match Server::new(control.as_fd()) {
        Ok(server) => server,
        Err(error) => {
            let message = format!("captures are not possible here: {error}");
            // nobody left to tell it to if this fails
            let _ = tell(&control, &Reply::Broken { message });
            return 1;
        }
    };
    while server.turn(&control) {}
    server.end_all();
    0
}

struct Server {
    poller: Poller,
    socket: PacketSocket,
    desk: Desk,
    replies: Vec<Reply>,
    /// Keeps the signal of a broken pipe blocked.
    _signals: Signals,
}

/// What is done with frames.
#[derive(Default)]
struct Desk {
    wire: Wire,
    tagged: Vec<u8>,
    recordings: BTreeMap<u64, Recording>,
    /// Who records which interface.
    watches: HashMap<u32, Vec<Watch>>,
}

#[derive(Clone, Copy)]
struct Watch {
    id: u64,
    number: u32,
    admit: Admit,
    raw: bool,
}

impl Server {
    fn new(control: std::os::fd::BorrowedFd<'_>) -> io::Result<Self> {
        let _signals = Signals::new(&[Signal::PIPE.as_raw()])?;
        let socket = PacketSocket::open(RING)?;
        give_up_capabilities()?;
        let poller = Poller::new()?;
        poller.add(control, CONTROL)?;
        poller.add(&socket, SOCKET)?;
        Ok(Self {
            poller,
            socket,
            desk: Desk::default(),
            replies: Vec::new(),
            _signals,
        })
    }

    /// Waits for something and does it; false once the other side has gone.
    fn turn(&mut self, control: &OwnedFd) -> bool {
        let Ok(ready) = self.poller.wait(self.timeout()) else {
            return false;
        };
        let mut going_on = true;
        for event in ready {
            match event.token {
                CONTROL => going_on &= self.commands(control),
                SOCKET => self.frames(),
                id => self.output(id, event.flags),
            }
        }
        self.keep_time();
        for reply in std::mem::take(&mut self.replies) {
            going_on &= tell(control, &reply).is_ok();
        }
        going_on
    }

    fn timeout(&self) -> Option<Duration> {
        let deadlines = self
            .desk
            .recordings
            .values()
            .filter_map(Recording::deadline);
        let nearest = deadlines.min()?;
        Some(nearest.saturating_duration_since(Instant::now()))
    }

    fn commands(&mut self, control: &OwnedFd) -> bool {
        let mut buffer = vec![0; MAX_MESSAGE];
        loop {
            let (length, fds) = match fdpass::receive(control, &mut buffer) {
                Ok((0, _)) => return false,
                Ok(got) => got,
                Err(e) => return e.kind() == io::ErrorKind::WouldBlock,
            };
            match serde_json::from_slice(&buffer[..length]) {
                Ok(command) => self.command(command, fds),
                Err(_) => return false, // the two sides are one program: it is broken
            }
        }
    }

    fn command(&mut self, command: Command, fds: Vec<OwnedFd>) {
        match command {
            Command::Start {
                id,
                interfaces,
                raw,
                snaplen,
            } => {
                let begun = begin(fds, raw, snaplen).map(|mut recording| {
                    interfaces.iter().for_each(|i| recording.add(i));
                    self.watch_output(id, &recording);
                    self.desk.recordings.insert(id, recording);
                });
                let begun = begun.and_then(|()| self.admit());
                match begun {
                    Ok(()) => self.replies.push(Reply::Started { id }),
                    Err(e) => return self.fail(id, &e),
                }
                self.flush(id);
            }
            Command::Update { id, add, remove } => {
                let Some(recording) = self.desk.recordings.get_mut(&id) else {
                    return;
                };
                recording.ends.retain(|index, _| !remove.contains(index));
                add.iter().for_each(|i| recording.add(i));
                if let Err(e) = self.admit() {
                    return self.fail(id, &e);
                }
                self.flush(id);
            }
            Command::Stop { id } => {
                if let Some(recording) = self.desk.recordings.get_mut(&id) {
                    let deadline = Instant::now() + DRAIN;
                    recording.phase = Phase::Draining {
                        stopped: now(),
                        deadline,
                    };
                }
            }
        }
    }

    /// Has the poller tell when the reader goes away; files and some devices cannot.
    fn watch_output(&self, id: u64, recording: &Recording) {
        if self.poller.add(&recording.output, id).is_ok() {
            self.await_reader(id, recording, false);
        }
    }

    fn await_reader(&self, id: u64, recording: &Recording, room: bool) {
        let flags = if room {
            EventFlags::OUT
        } else {
            EventFlags::empty()
        };
        // fails for outputs that cannot be waited for, which never make one wait
        let _ = self.poller.change(&recording.output, id, flags);
    }

    /// Tells the kernel whose frames are wanted.
    fn admit(&mut self) -> io::Result<()> {
        let desk = &mut self.desk;
        desk.watches.clear();
        let mut wanted: BTreeMap<u32, Admit> = BTreeMap::new();
        for (id, recording) in &desk.recordings {
            for (index, end) in &recording.ends {
                let watch = Watch {
                    id: *id,
                    number: end.number,
                    admit: end.admit,
                    raw: recording.raw,
                };
                desk.watches.entry(*index).or_default().push(watch);
                let admit = wanted.entry(*index).or_insert(end.admit);
                if end.admit == Admit::Both {
                    *admit = Admit::Both;
                }
            }
        }
        self.socket.admit(&wanted)
    }

    fn frames(&mut self) {
        for _ in 0..BLOCKS_A_TURN {
            let Self { socket, desk, .. } = self;
            if socket.receive(|frame| desk.frame(&frame)).is_none() {
                break;
            }
            self.flush_all();
        }
        self.count_drops();
    }

    fn count_drops(&mut self) {
        let dropped = self.socket.counts().map_or(0, |counts| counts.dropped);
        for recording in self.desk.recordings.values_mut() {
            recording.kernel_drops += u64::from(dropped);
        }
    }

    fn flush_all(&mut self) {
        let ids: Vec<u64> = self.desk.recordings.keys().copied().collect();
        ids.into_iter().for_each(|id| self.flush(id));
    }

    /// Writes what a capture's reader takes; ends it when the reader is gone or all is said.
    fn flush(&mut self, id: u64) {
        let Some(recording) = self.desk.recordings.get_mut(&id) else {
            return;
        };
        match recording.output.flush() {
            Ok(true) if matches!(recording.phase, Phase::Flushing { .. }) => self.end(id),
            Ok(all) => {
                let recording = &self.desk.recordings[&id];
                self.await_reader(id, recording, !all);
            }
            Err(e) if is_gone(&e) => self.end(id),
            Err(e) => self.fail(id, &e),
        }
    }

    /// An output has room, or its reader is gone.
    fn output(&mut self, id: u64, flags: EventFlags) {
        if flags.intersects(EventFlags::ERR | EventFlags::HUP) {
            self.end(id);
        } else {
            self.flush(id);
        }
    }

    fn keep_time(&mut self) {
        let at = Instant::now();
        let due = self
            .desk
            .recordings
            .iter()
            .filter(|(_, r)| r.deadline().is_some_and(|d| d <= at));
        let due: Vec<u64> = due.map(|(id, _)| *id).collect();
        for id in due {
            let Some(recording) = self.desk.recordings.get_mut(&id) else {
                continue;
            };
            match recording.phase {
                Phase::Flushing { .. } => self.end(id),
                _ => {
                    recording.finish(now(), at + FLUSH);
                    self.flush(id);
                }
            }
        }
    }

    fn end(&mut self, id: u64) {
        if let Some(recording) = self.forget(id) {
            self.replies.push(Reply::Ended {
                id,
                frames: recording.frames,
                drops: recording.drops + recording.kernel_drops,
            });
        }
    }

    fn fail(&mut self, id: u64, error: &io::Error) {
        let message = format!("the capture cannot go on: writing it failed: {error}");
        self.forget(id);
        self.replies.push(Reply::Failed { id, message });
    }

    fn forget(&mut self, id: u64) -> Option<Recording> {
        let recording = self.desk.recordings.remove(&id)?;
        // the descriptor may be open elsewhere, and then closing it does not end the watch
        let _ = self.poller.remove(&recording.output);
        // if this fails more frames come than are wanted, and nobody is listed to take them
        let _ = self.admit();
        Some(recording)
    }

    /// Finishes every file as far as its reader takes it at once.
    fn end_all(&mut self) {
        let at = Instant::now();
        for recording in self.desk.recordings.values_mut() {
            recording.finish(now(), at);
            // nothing is left to be done about one that cannot be written
            let _ = recording.output.flush();
        }
    }
}

impl Desk {
    /// Records a frame in all captures that want it.
    fn frame(&mut self, frame: &Frame<'_>) {
        let Some(watches) = self.watches.get(&frame.interface) else {
            return;
        };
        let mut header = VnetHeader::parse(frame.vnet);
        let (mut bytes, mut length) = (frame.bytes, frame.length);
        if let Some((protocol, control)) = frame.tag {
            self.tagged.clear();
            push_tagged(&mut self.tagged, bytes, Tag { protocol, control });
            (bytes, length) = (&self.tagged, length + 4);
            header = header.shifted(4);
        }
        let mut share = |raw: bool, bytes: &[u8], length: u32| {
            for watch in watches
                .iter()
                .filter(|w| w.raw == raw && w.admits(frame.direction))
            {
                if let Some(recording) = self.recordings.get_mut(&watch.id) {
                    recording.take(watch.number, frame, bytes, length);
                }
            }
        };
        if watches.iter().any(|w| w.raw) {
            share(true, bytes, length);
        }
        if watches.iter().all(|w| w.raw) {
            return;
        }
        if length as usize > bytes.len() || header.is_done() {
            return share(false, bytes, length);
        }
        self.wire.frames(bytes, header, |piece| {
            share(false, piece, piece.len() as u32)
        });
    }
}

impl Watch {
    fn admits(&self, direction: Direction) -> bool {
        direction == Direction::Ingress || self.admit == Admit::Both
    }
}

impl Recording {
    fn take(&mut self, number: u32, frame: &Frame<'_>, bytes: &[u8], length: u32) {
        if !self.wants(frame.time) {
            return;
        }
        // what comes in at the far end has gone out of the node
        let direction = match frame.direction {
            Direction::Ingress => pcapng::Direction::Outbound,
            Direction::Egress => pcapng::Direction::Inbound,
        };
        self.record(Record {
            number,
            time: frame.time,
            direction,
            bytes,
            length,
        });
        if self.output.waiting() > CHUNK {
            // an error comes again with the flush after the block, which deals with it
            let _ = self.output.flush();
        }
    }
}

fn begin(fds: Vec<OwnedFd>, raw: bool, snaplen: Option<u32>) -> io::Result<Recording> {
    let output = fds.into_iter().next();
    let output = output.ok_or_else(|| io::Error::other("no descriptor came with the command"))?;
    Recording::begin(output, raw, snaplen, now())
}

/// Whether an error means that nobody reads any more.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |d| d.as_nanos() as u64)
}

fn tell(control: &OwnedFd, reply: &Reply) -> io::Result<()> {
    let message = serde_json::to_vec(reply)?;
    fdpass::send(control, &message, &[]).map(drop)
}

/// Gives up every capability, for good: hostile packets are read from here on.
fn give_up_capabilities() -> io::Result<()> {
    sys::process::set_dumpable(false)?;
    rustix::thread::set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}
