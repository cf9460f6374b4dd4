//! Whole frames in and out of a node's interface.

use std::time::{Duration, Instant};

use sys::ethernet::EthernetSocket;

use crate::Netns;

/// How long a frame that must come may take: long, since machines that test are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A packet socket at an interface of a namespace.
#[derive(Debug)]
pub struct Port(EthernetSocket);

impl Port {
    /// Opens one at an interface, which must be there.
    pub fn open(netns: &Netns, interface: &str) -> Self {
        let index = netns.link(interface).index;
        Self(netns.run(|| EthernetSocket::open(index).expect("a packet socket")))
    }

    /// Sends a frame.
    pub fn send(&self, frame: &[u8]) {
        self.0.send(frame).expect("the frame is taken");
    }

    /// Sends a frame, which may be refused (an interface without a carrier does).
    pub fn try_send(&self, frame: &[u8]) -> std::io::Result<()> {
        self.0.send(frame)
    }

    /// The next frame that comes within a time.
    pub fn receive_within(&self, time: Duration) -> Option<Vec<u8>> {
        self.0.receive(time).expect("a frame")
    }

    /// Waits until this very frame comes; others are passed over.
    pub fn expect(&self, frame: &[u8]) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.receive_within(left) {
                Some(got) if got == frame => return,
                Some(_) => {}
                None => panic!("the frame {frame:02x?} did not come"),
            }
        }
    }

    /// All frames that have come so far.
    pub fn drain(&self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.receive_within(Duration::ZERO)).collect()
    }
}

/// A frame of an experimental type (0x88b5) with a payload, at least 60 bytes long.
pub fn frame(to: [u8; 6], from: [u8; 6], payload: &[u8]) -> Vec<u8> {
    let mut bytes = [&to[..], &from[..], &[0x88, 0xb5], payload].concat();
    bytes.resize(bytes.len().max(60), 0);
    bytes
}
