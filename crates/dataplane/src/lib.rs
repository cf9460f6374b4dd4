//! The element runtime: what a flat graph of Click elements does to packets.

pub mod classify;
pub mod tables;
