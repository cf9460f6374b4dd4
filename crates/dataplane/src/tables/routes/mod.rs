//! IPv4 route tables: what Click's `*IPLookup` elements know, in two halves.
//!
//! [`RouteTable`] is the update side: every route with the semantics, the errors and the listing of the
//! element it plays. Each change is carried at once into a [`Fib`], the compact forwarding side.

mod fib;
mod order;
mod route;
mod table;
mod text;

pub use fib::{Fib, NextHop};
pub use route::{Prefix, Route};
pub use table::{Kind, RouteError, RouteTable};
pub use text::{Verb, parse_route};
