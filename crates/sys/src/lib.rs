//! Linux, in small typed pieces: namespaces, processes, mounts, netlink, traffic control, packet
//! sockets, control groups. The only crate that holds `unsafe` and `libc`; each block says why it
//! is sound. It knows nothing of labs: what to do with these pieces is decided above.
#![allow(
    unsafe_code,
    reason = "the one home of system calls that no safe library offers"
)]

pub mod bpf;
pub mod cgroup;
pub mod epoll;
pub mod ethernet;
pub mod fdpass;
pub mod features;
pub mod identity;
pub mod mount;
pub mod netlink;
pub mod packet_socket;
pub mod process;
pub mod pty;
pub mod seccomp;
pub mod sysctl;
pub mod tc;
