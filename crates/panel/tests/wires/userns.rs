//! What a lab started by root does: the redirect program is loaded outside, and used by a panel
//! in a user namespace of its own, which may load none.

use panel::{NewInterface, Panel, Wire};
use std::os::fd::AsFd;
use sys::bpf::Redirect;
use sys::process::{self, Namespaces};
use testkit::Port;

use crate::support::{ALL, frame, mac, quiet_node};

#[test]
fn a_program_from_outside_is_attached_inside() {
    testkit::isolated!(testkit::Rights::Root, {
        let (program, map) = match Redirect::load() {
            Ok(redirect) => redirect.into_fds(),
            Err(e) => testkit::skip!("no redirect program: {e}"),
        };
        let spaces = Namespaces::USER.and(Namespaces::NET);
        let child = process::clone(spaces, || {
            assert!(Redirect::load().is_err(), "inside nobody may load programs");
            use_it(Redirect::from_fds(program, map).unwrap());
            7
        });
        assert_eq!(child.unwrap().wait().unwrap(), 7);
    });
}

fn use_it(redirect: Redirect) {
    let mut panel = Panel::new(Some(redirect)).unwrap();
    let nodes = [quiet_node(), quiet_node()];
    let interface = |i: u8| NewInterface {
        node: 0,
        position: u32::from(i),
        name: "eth0",
        mac: mac(i),
        mtu: 1500,
        netns: nodes[usize::from(i)].as_fd(),
    };
    let ends = panel.add_interfaces(&[interface(0), interface(1)]).unwrap();
    panel
        .connect(&[Wire {
            segment: "x",
            ends,
            mirror: false,
        }])
        .unwrap();
    nodes.iter().for_each(|n| n.set_up("eth0", true));
    let ports = [Port::open(&nodes[0], "eth0"), Port::open(&nodes[1], "eth0")];
    crate::support::reach(&ports[0], &ports[1], &frame(ALL, 0, b"sorted"));
    crate::support::reach(&ports[0], &ports[1], &frame(mac(1), 0, b"direct"));
    assert!(panel.uses_program(), "it was attached");
}
