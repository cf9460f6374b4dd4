//! Captures: pcapng streams of what goes over a lab's wires.
//!
//! All captures of a lab are made by one process with one packet socket. The supervisor starts
//! it with the first capture ([`Capturer::spawn`]) and lets it go with the last one. What is
//! recorded are frames of a wire: what offloading left undone (segmentation, checksums) is done
//! first, unless a capture asks for frames as the kernel passes them.
//!
//! A record's interface is named after the node's interface behind the far end, and its direction
//! is as that interface sees it: what comes in at a far end has gone *out* of the node.

mod capturer;
mod message;
mod output;
mod recording;
mod serve;
mod target;

pub use capturer::{Capturer, Event, Request};
pub use message::{Direction, Interface};
pub use serve::serve;
pub use target::{FarEnd, Target, interfaces};
