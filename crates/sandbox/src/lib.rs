//! A private machine for a node: its root file system and the users in it, its tools, its
//! services, its routing suite. It makes no namespaces, knows no wires and runs no lab: the
//! process that wants to be a node [enters](Base::enter) its root itself.

mod base;
mod device;
mod error;
mod etc;
mod root;
mod users;

pub mod routing;
pub mod services;
pub mod tools;

pub use base::{Base, BaseSpec, HostLayers, host_layers};
pub use error::Error;
pub use root::NodeRoot;
