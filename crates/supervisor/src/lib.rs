//! A lab's life: the broker on the host's side, the supervisor inside (process 1 of the lab),
//! its state, events and control socket, and the client's side of that socket. It carries out
//! plans; how a node or a wire is made is decided in `nodes` and `panel`.

mod aside;
mod broker;
pub mod client;
pub mod place;
pub mod proto;
mod run;
mod start;
mod uplink;

pub use start::{Keep, Start, StartError, start};
