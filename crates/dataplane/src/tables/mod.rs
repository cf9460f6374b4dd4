//! The tables that elements look packets up in: routes, flows, timers.
