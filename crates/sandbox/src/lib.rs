//! A private machine for a node: its tools, its services, its routing suite.
pub mod tools;
