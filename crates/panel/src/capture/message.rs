//! What the supervisor and the capture process say to each other: JSON, one message a packet of
//! the socket between them. [`Command::Start`] brings the output's descriptor along.

use serde::{Deserialize, Serialize};

/// Bytes that a message may have.
pub(super) const MAX_MESSAGE: usize = 256 * 1024;
/// Interfaces that one message may name, so that it stays below [`MAX_MESSAGE`].
pub(super) const MAX_INTERFACES: usize = 256;
/// Bytes of a name or description that are passed on.
const MAX_TEXT: usize = 256;

/// Which frames of a far end a capture records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Those that its node sends.
    Ingress,
    /// Those that its node sends and those that are sent to it.
    Both,
}

/// A far end that a capture records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its index in the panel.
    pub index: u32,
    /// Its name in the capture: `node:interface`.
    pub name: String,
    /// Which frames of it.
    pub direction: Direction,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Interface {
    /// The interface with texts short enough for a message.
    pub(super) fn bounded(mut self) -> Self {
        shorten(&mut self.name);
        self.description.iter_mut().for_each(shorten);
        self
    }
}

fn shorten(text: &mut String) {
    let end = (0..=text.len().min(MAX_TEXT)).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
}

/// What the supervisor says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(super) enum Command {
    /// Begins a capture to the descriptor that comes along.
    Start {
        id: u64,
        interfaces: Vec<Interface>,
        raw: bool,
        snaplen: Option<u32>,
    },
    /// Changes whom a capture records.
    Update {
        id: u64,
        add: Vec<Interface>,
        remove: Vec<u32>,
    },
    /// Ends a capture once all that came before is written.
    Stop { id: u64 },
}

/// What the capture process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(super) enum Reply {
    /// A capture has begun: what is sent from now on is in it.
    Started { id: u64 },
    /// A capture has ended, by command or since nobody reads it any more.
    Ended { id: u64, frames: u64, drops: u64 },
    /// A capture has ended since it cannot go on.
    Failed { id: u64, message: String },
    /// The process cannot capture at all.
    Broken { message: String },
}
