//! The tables that elements look packets up in: routes, flows, timers.

pub mod arp;
pub mod bucket;
pub mod flows;
pub mod rate;
pub mod routes;
pub mod wheel;
