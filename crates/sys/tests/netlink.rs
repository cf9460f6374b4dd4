//! Network tables of real namespaces.

use std::net::IpAddr;

use ipnet::IpNet;
use sys::netlink::{Hop, LinkEvent, LinkEvents, Request, Route, Socket, Veth, VethPeer, link};
use sys::netlink::{address, route};

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// A pair `a` and `b` in one namespace, both up; their numbers.
fn pair(socket: &mut Socket) -> [u32; 2] {
    let peer = VethPeer {
        name: "b",
        mtu: 1400,
        mac: Some([2, 0, 0, 0, 0, 2]),
        netns: None,
    };
    let veth = Veth {
        name: "a",
        index: Some(500),
        mtu: 9000,
        mac: None,
        up: true,
        peer,
    };
    socket.run(&[veth.create()]).unwrap();
    let b = socket.link("b").unwrap().unwrap();
    assert_eq!(
        (b.mtu, b.mac, b.link),
        (1400, Some([2, 0, 0, 0, 0, 2]), Some(500))
    );
    socket.set_up(b.index, true).unwrap();
    [500, b.index]
}

#[test]
fn interfaces_are_made_and_changed() {
    testkit::isolated!({
        let mut socket = Socket::open().unwrap();
        let [a, b] = pair(&mut socket);
        let link = socket.link("a").unwrap().unwrap();
        assert!(link.is_up() && link.carrier);
        assert_eq!(link.kind.as_deref(), Some("veth"));
        let requests = [
            link::create_hub("hub", Some(600)),
            link::set_master(a, Some(600)),
            link::set_group_forward(a, link::GROUP_FORWARD_ALL),
            link::set_up(b, false),
            link::rename(b, "c"),
            link::set_mac(b, [2, 0, 0, 0, 0, 9]),
            link::set_mtu(b, 1300),
        ];
        socket.run(&requests).unwrap();
        let c = socket.link("c").unwrap().unwrap();
        assert_eq!(
            (c.mtu, c.mac, c.is_up()),
            (1300, Some([2, 0, 0, 0, 0, 9]), false)
        );
        let link = socket.link("a").unwrap().unwrap();
        assert_eq!((link.master, link.carrier), (Some(600), false));
        socket
            .run(&[
                link::set_master(a, None),
                link::delete(600),
                link::delete(a),
            ])
            .unwrap();
        assert_eq!(socket.links().unwrap().len(), 1);
    });
}

#[test]
fn each_failure_of_a_batch_is_told() {
    testkit::isolated!({
        let mut socket = Socket::open().unwrap();
        let good = |i: usize| link::create(&format!("br{i}"), "bridge");
        let bad = link::set_up(9999, true);
        let list: Vec<Request> = (0..300)
            .map(|i| if i % 7 == 3 { bad.clone() } else { good(i) })
            .collect();
        let failed = socket.failures(&list).unwrap();
        let places: Vec<usize> = failed.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, (0..300).filter(|i| i % 7 == 3).collect::<Vec<_>>());
        assert!(failed.iter().all(|(_, e)| e.is_absent()));
        let text = failed[0].1.to_string();
        assert_eq!(
            text,
            "cannot set up interface number 9999: there is no such interface"
        );
        assert_eq!(socket.links().unwrap().len(), 1 + 300 - places.len());
        let again = socket.run(&[good(0)]).unwrap_err();
        assert!(again.is_exists());
    });
}

#[test]
fn the_kernels_own_words_are_passed_on() {
    testkit::isolated!({
        let mut socket = Socket::open().unwrap();
        let [a, _] = pair(&mut socket);
        let error = socket.run(&[link::set_mtu(a, 1 << 20)]).unwrap_err();
        assert!(error.kernel().is_some(), "{error}");
    });
}

#[test]
fn addresses_come_and_go() {
    testkit::isolated!({
        let mut socket = Socket::open().unwrap();
        let [a, b] = pair(&mut socket);
        for text in ["10.1.0.1/24", "10.1.0.2/24", "10.2.0.0/31"] {
            socket.add_address(a, net(text)).unwrap();
        }
        let v6 = net("2001:db8::1/64");
        socket
            .run(&[address::add(a, v6), address::add(b, net("10.9.0.1/8"))])
            .unwrap();
        let all = socket.addresses().unwrap();
        let of = |text: &str| all.iter().find(|x| x.net == net(text)).unwrap().clone();
        assert_eq!(of("10.1.0.1/24").broadcast, Some([10, 1, 0, 255].into()));
        assert_eq!(of("10.2.0.0/31").broadcast, None);
        assert_eq!(of("10.1.0.1/24").label.as_deref(), Some("a"));
        assert_eq!((of("2001:db8::1/64").index, of("10.9.0.1/8").index), (a, b));
        // usable at once
        let bound = std::net::UdpSocket::bind("[2001:db8::1]:0");
        assert!(bound.is_ok(), "{bound:?}");
        assert!(socket.add_address(a, v6).unwrap_err().is_exists());
        socket.flush_addresses(a, true).unwrap();
        let left = socket.addresses().unwrap();
        assert!(
            left.iter().all(|x| x.index != a || x.scope == 253),
            "{left:?}"
        );
    });
}

#[test]
fn routes_are_listed_as_they_were_set() {
    testkit::isolated!({
        let mut socket = Socket::open().unwrap();
        let [a, b] = pair(&mut socket);
        socket.add_address(a, net("10.1.0.1/24")).unwrap();
        socket.add_address(b, net("10.2.0.1/24")).unwrap();
        socket.add_address(a, net("2001:db8::1/64")).unwrap();
        socket
            .add_route(net("0.0.0.0/0"), ip("10.1.0.9"), None, None)
            .unwrap();
        socket
            .add_route(net("::/0"), ip("2001:db8::9"), None, None)
            .unwrap();
        socket
            .add_route(net("10.7.0.0/16"), None, Some(b), Some(77))
            .unwrap();
        socket
            .add_route(net("10.8.0.0/16"), None, None, None)
            .unwrap();
        let hop = |via: &str, index, weight| Hop {
            via: ip(via),
            index,
            weight,
        };
        let hops = vec![hop("10.1.0.2", a, 1), hop("10.2.0.2", b, 3)];
        let mut shared = Route::new(net("10.6.0.0/16"), None);
        (shared.hops, shared.kind) = (hops.clone(), route::KIND_UNICAST);
        shared.table = 1000;
        let by_v6 = Route::new(net("10.5.0.0/16"), Some(hop("fe80::5", a, 1)));
        socket.run(&[shared.add(), by_v6.add()]).unwrap();

        let all = socket.routes().unwrap();
        let of = |text: &str| {
            let mut found = all
                .iter()
                .filter(|r| r.to == net(text) && r.table != route::TABLE_LOCAL);
            found
                .next()
                .unwrap_or_else(|| panic!("no route to {text}: {all:?}"))
                .clone()
        };
        assert_eq!(of("0.0.0.0/0").hops, [hop("10.1.0.9", a, 1)]);
        assert_eq!(of("::/0").hops, [hop("2001:db8::9", a, 1)]);
        let direct = of("10.7.0.0/16");
        assert_eq!((direct.metric, direct.scope_name()), (77, "link"));
        assert_eq!(direct.protocol_name(), "static");
        assert_eq!(
            (of("10.8.0.0/16").kind_name(), of("10.8.0.0/16").hops.len()),
            ("blackhole", 0)
        );
        assert_eq!(
            (of("10.6.0.0/16").hops, of("10.6.0.0/16").table),
            (hops, 1000)
        );
        assert_eq!(of("10.5.0.0/16").hops, [hop("fe80::5", a, 1)]);
        let own = of("10.1.0.0/24");
        assert_eq!(
            (own.protocol_name().as_str(), own.source),
            ("kernel", ip("10.1.0.1"))
        );

        assert!(
            socket
                .add_route(net("0.0.0.0/0"), ip("10.1.0.9"), None, None)
                .is_err()
        );
        let far = socket.add_route(net("10.3.0.0/16"), ip("192.0.2.1"), None, None);
        assert!(far.is_err());
        socket.run(&[shared.remove()]).unwrap();
        assert!(socket.routes().unwrap().iter().all(|r| r.table != 1000));
    });
}

#[test]
fn news_of_carriers_are_heard() {
    testkit::isolated!({
        let mut socket = Socket::open().unwrap();
        let [a, b] = pair(&mut socket);
        let mut events = LinkEvents::open().unwrap();
        events.listen().unwrap();
        socket.set_up(b, false).unwrap();
        let mut poller = sys::epoll::Poller::new().unwrap();
        poller.add(&events, 1).unwrap();
        loop {
            let ready = poller
                .wait(Some(std::time::Duration::from_secs(10)))
                .unwrap();
            assert!(!ready.is_empty(), "nothing was heard");
            let heard = events.read().unwrap().into_iter().any(|event| {
                matches!(event, LinkEvent::Changed(link) if link.index == a && !link.carrier)
            });
            if heard {
                return;
            }
        }
    });
}
