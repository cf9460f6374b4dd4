//! Packet bytes: bounds-checked views of headers, checksums, the offload header of Linux and what
//! it leaves undone (checksums, segmentation), capture files. Everything works on plain slices
//! and nothing here does input or output, reads a clock or panics on hostile bytes.
//!
//! A view (`Ethernet`, [`Ipv4`], …) is made by its `parse`, which answers `None` for bytes that
//! are too short or contradict themselves; after that every getter is free of failure.

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod layers;
pub mod pcapng;
pub mod tcp;
pub mod udp;
pub mod virtio;
pub mod wire;

mod bytes;

pub use ethernet::Ethernet;
pub use ipv4::Ipv4;
pub use ipv6::Ipv6;
pub use tcp::Tcp;
pub use udp::Udp;
pub use virtio::VnetHeader;
