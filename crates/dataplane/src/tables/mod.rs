//! The tables that elements look packets up in: routes, flows, timers.

pub mod routes;
