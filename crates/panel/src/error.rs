//! What can go wrong with far ends and wires.

use sys::netlink;

use crate::FarEnd;

/// Most members that a bridge, and so a segment of more than two, can have.
pub const MOST_MEMBERS: usize = 1023;

/// Why far ends or wires could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused something.
    #[error("{0}")]
    Kernel(#[from] netlink::Error),
    /// The panel could not be made silent.
    #[error("the lab's wires cannot be kept silent: {parameter} cannot be set: {why}")]
    Silence {
        /// The kernel parameter.
        parameter: &'static str,
        /// Why it could not be set.
        why: String,
    },
    /// A network namespace could not be entered.
    #[error("a node's network namespace cannot be entered: {0}")]
    Enter(std::io::Error),
    /// More members than a bridge takes.
    #[error(
        "segment {segment} has {members} members, but a Linux bridge takes at most \
         {MOST_MEMBERS}; split it into several segments"
    )]
    TooManyMembers {
        /// The segment.
        segment: String,
        /// How many members it would have.
        members: usize,
    },
    /// Nothing in this kernel joins two interfaces.
    #[error(
        "this kernel cannot redirect frames from one interface to another: it lacks the \
         classifiers matchall and u32 or the action mirred (modules cls_matchall, cls_u32, \
         act_mirred)"
    )]
    NoRedirect,
    /// A far end that was removed, or another panel's.
    #[error("there is no far end number {}", .0.index())]
    NoSuchEnd(FarEnd),
    /// No segment of that name.
    #[error("there is no segment {0}")]
    NoSuchSegment(String),
}
