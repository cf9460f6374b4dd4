//! A panel with nodes for a test.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use panel::{FarEnd, NewInterface, Panel, Wire};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sys::bpf::Redirect;
use testkit::{Netns, Port};

/// Runs a test's body twice: with an ordinary user's means, and with the redirect program, which
/// takes root. The body gets the program, if any.
macro_rules! both {
    ($name:ident, $body:expr) => {
        mod $name {
            #[test]
            fn by_filters() {
                testkit::isolated!({ ($body)(None) });
            }

            #[test]
            fn by_program() {
                testkit::isolated!(testkit::Rights::Root, {
                    match sys::bpf::Redirect::load() {
                        Ok(redirect) => ($body)(Some(redirect)),
                        Err(e) => testkit::skip!("no redirect program: {e}"),
                    }
                });
            }
        }
    };
}
pub(crate) use both;

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A panel and nodes with one interface, `eth0`, each.
pub(crate) struct Bench {
    pub(crate) panel: Panel,
    pub(crate) nodes: Vec<Netns>,
    pub(crate) ends: Vec<FarEnd>,
}

impl Bench {
    /// Nodes that are wired to nothing.
    pub(crate) fn new(redirect: Option<Redirect>, nodes: usize) -> Self {
        let mut panel = Panel::new(redirect).unwrap();
        let nodes: Vec<Netns> = (0..nodes).map(|_| quiet_node()).collect();
        let list: Vec<NewInterface<'_>> = nodes.iter().zip(0..).map(|(n, i)| new(n, i)).collect();
        let ends = panel.add_interfaces(&list).unwrap();
        Self { panel, nodes, ends }
    }

    /// All nodes in one segment, their interfaces up.
    pub(crate) fn joined(redirect: Option<Redirect>, nodes: usize, mirror: bool) -> Self {
        let mut bench = Self::new(redirect, nodes);
        let ends = bench.ends.clone();
        bench
            .panel
            .connect(&[Wire {
                segment: "lan",
                ends,
                mirror,
            }])
            .unwrap();
        bench.all_up();
        bench
    }

    /// Sets all interfaces up and waits until both ends of each let frames through, which they
    /// do a moment after their carrier came.
    pub(crate) fn all_up(&self) {
        const UP: u8 = 6;
        self.nodes.iter().for_each(|n| n.set_up("eth0", true));
        let end = Instant::now() + PATIENCE;
        let mut here = sys::netlink::Socket::open().unwrap();
        let ready = |l: &sys::netlink::Link| l.operstate == UP || l.kind.as_deref() != Some("veth");
        while !(here.links().unwrap().iter().all(ready)
            && self.nodes.iter().all(|n| n.link("eth0").operstate == UP))
        {
            assert!(Instant::now() < end, "interfaces do not come up");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn ports(&self) -> Vec<Port> {
        self.nodes.iter().map(|n| Port::open(n, "eth0")).collect()
    }

    /// Handles the panel's events until a node's carrier is as it should be.
    pub(crate) fn await_carrier(&mut self, node: usize, on: bool) {
        let end = Instant::now() + PATIENCE;
        while self.nodes[node].link("eth0").carrier != on {
            assert!(
                Instant::now() < end,
                "the carrier of node {node} is not {on}"
            );
            self.pump(Duration::from_millis(100));
        }
    }

    /// Handles what happens within a time at most.
    pub(crate) fn pump(&mut self, time: Duration) -> bool {
        let time = Timespec {
            tv_sec: 0,
            tv_nsec: time.as_nanos() as i64,
        };
        let events = self.panel.carrier_events();
        let ready = poll(&mut [PollFd::new(&events, PollFlags::IN)], Some(&time)).unwrap() > 0;
        if ready {
            self.panel.handle_carrier();
        }
        ready
    }
}

/// A node whose own kernel does not speak by itself.
pub(crate) fn quiet_node() -> Netns {
    let node = Netns::new();
    node.run(|| {
        // a kernel without IPv6 is as quiet
        let _ = sys::sysctl::write("net.ipv6.conf.default.disable_ipv6", "1");
        let _ = sys::sysctl::write("net.ipv6.conf.all.disable_ipv6", "1");
    });
    node
}

pub(crate) fn new(node: &Netns, number: u32) -> NewInterface<'_> {
    NewInterface {
        node: number,
        position: 0,
        name: "eth0",
        mac: mac(number as u8),
        mtu: 1500,
        netns: node.as_fd(),
    }
}

/// The address of a node's interface.
pub(crate) fn mac(node: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, node]
}

pub(crate) const ALL: [u8; 6] = [0xff; 6];

/// A frame from a node.
pub(crate) fn frame(to: [u8; 6], from: u8, payload: &[u8]) -> Vec<u8> {
    testkit::frame(to, mac(from), payload)
}

/// Sends a frame again and again until it arrives: ports of a bridge forward a moment after
/// their carrier came.
pub(crate) fn reach(from: &Port, to: &Port, frame: &[u8]) {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        // refused while the carrier is not there yet
        let _ = from.try_send(frame);
        while let Some(got) = to.receive_within(Duration::from_millis(20)) {
            if got == frame {
                return;
            }
        }
    }
    panic!("the frame {frame:02x?} did not arrive");
}

/// Waits until frames of every port reach every other, then forgets them.
pub(crate) fn warm_up(ports: &[Port]) {
    let others = |i: usize| ports.iter().enumerate().filter(move |(j, _)| *j != i);
    for (i, from) in ports.iter().enumerate() {
        for (_, to) in others(i) {
            reach(from, to, &frame(ALL, i as u8, b"warming up"));
        }
        // the last one that it sends: behind it nothing comes
        let last = frame(ALL, i as u8, b"warm");
        from.send(&last);
        others(i).for_each(|(_, to)| to.expect(&last));
    }
}
