//! Three and more members: each hears all others.

use sys::bpf::Redirect;

use crate::support::{ALL, Bench, both, frame, mac, warm_up};

both!(three_hear_each_other, |r| super::all_hear(r, 3));
both!(five_hear_each_other, |r| super::all_hear(r, 5));
both!(too_many_members_are_refused, super::too_many);

fn all_hear(redirect: Option<Redirect>, nodes: usize) {
    let bench = Bench::joined(redirect, nodes, false);
    let ports = bench.ports();
    warm_up(&ports);
    for from in 0..nodes {
        let mut list = vec![
            frame(mac(((from + 1) % nodes) as u8), from as u8, b"to one"),
            frame(ALL, from as u8, b"to all"),
            frame([1, 0, 0x5e, 1, 2, 3], from as u8, b"to a group"),
        ];
        // all but PAUSE, which no Linux bridge forwards
        let local = (0..16).filter(|x| *x != 1);
        list.extend(local.map(|x| frame([1, 0x80, 0xc2, 0, 0, x], from as u8, b"link-local")));
        let mut tagged = frame(ALL, from as u8, b"tagged");
        tagged.splice(12..12, [0x81, 0, 0, 42]);
        list.push(tagged);
        for frame in list {
            ports[from].send(&frame);
            ports
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != from)
                .for_each(|(_, p)| p.expect(&frame));
        }
    }
}

fn too_many(redirect: Option<Redirect>) {
    let mut bench = Bench::new(redirect, 1);
    let ends = vec![bench.ends[0]; 1024];
    let wire = panel::Wire {
        segment: "crowd",
        ends,
        mirror: false,
    };
    let text = bench.panel.connect(&[wire]).unwrap_err().to_string();
    assert!(
        text.contains("crowd has 1024 members") && text.contains("1023"),
        "{text}"
    );
}
