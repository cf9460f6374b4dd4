//! What a node can be. One engine so far: a set of namespaces with a private root
//! ([`namespace`]). A node's process 1 is a copy of the supervisor that obeys [`message`]s; it
//! knows nothing of wires, other nodes or clients.

pub mod message;
pub mod namespace;
