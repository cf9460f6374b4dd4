//! The kernel's network tables over `NETLINK_ROUTE`: interfaces, addresses, routes and news of
//! interfaces. Synchronous, in batches: requests are values, [`Socket::run`] sends as many as
//! fit at once and collects the answers. Only the attributes that are asked for here are read
//! and written, so that a kernel that knows more of them does no harm.
//!
//! Layouts and numbers: `linux/netlink.h`, `linux/rtnetlink.h`, `linux/if_link.h`,
//! `linux/if_addr.h`.

pub mod address;
mod error;
pub mod event;
pub mod link;
mod message;
pub mod route;
mod socket;

pub use address::Address;
pub use error::Error;
pub use event::{LinkEvent, LinkEvents};
pub use link::{Link, Stats, Veth, VethPeer};
pub use message::Request;
pub(crate) use message::Subject;
pub use route::{Hop, Route};
pub use socket::{Socket, within};
