//! Wires with real packets, as an ordinary user can make them and, as root, with the redirect
//! program. Every test has namespaces and a process of its own.

mod carrier;
mod grow;
mod hub;
mod pair;
mod restart;
mod scale;
mod silence;
mod support;
mod userns;
