//! The panel: far ends and the wires that join them, by the kernel's own means.
//!
//! A node's interface is one end of a pair of kernel devices; the other, the *far end*, stays in
//! the panel, a network namespace of the lab's supervisor, for as long as the lab lives. A wire
//! is whatever joins far ends: of two, a redirect of what arrives at the one out of the other;
//! of more, a bridge that forwards everything to everybody, as a hub does. Segments can grow and
//! shrink, cables can be pulled out and put back, and nodes restarted, while traffic flows.
//!
//! The panel's own network says nothing on any wire: it has no addresses and no IPv6.
//!
//! Not for: impairments, switches with VLANs, or whatever else the kernel cannot do exactly.

pub mod capture;
mod carrier;
mod end;
mod error;
mod panel;
mod report;
mod restart;
mod segment;
mod switch;

pub use end::{FarEnd, NewInterface};
pub use error::{Error, MOST_MEMBERS};
pub use panel::Panel;
pub use report::{MemberReport, SegmentReport};
pub use segment::Wire;
