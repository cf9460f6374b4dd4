//! The routing suites that labs are written for, brought to those that run: Quagga's and
//! zebra's configurations to FRR ([`quagga`]), BIRD 1's to BIRD 2 ([`bird`]). [`adapt`] does it to
//! a lab's files before it starts; services do it again to what has changed when they start.

mod adapt;
mod bird;
pub(crate) mod daemons;
pub(crate) mod quagga;

pub use adapt::{adapt, suite};
