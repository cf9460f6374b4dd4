//! Route tables against a plain list of routes.

use click::args::Context;
use dataplane::tables::routes::{Kind, NextHop, Prefix, Route, RouteError, RouteTable, Verb};
use proptest::prelude::*;

fn route() -> impl Strategy<Value = Route> {
    // few addresses, so that prefixes nest and collide
    let address = prop_oneof![
        any::<u32>(),
        (0u32..4, 0u32..0x2_0000).prop_map(|(a, b)| a << 30 | b)
    ];
    (address, 0u8..=32, 0u32..3, 0i32..3).prop_map(|(address, length, gateway, port)| Route {
        prefix: Prefix::new(address, length).unwrap(),
        gateway,
        port,
    })
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![3 => Just(Verb::Add), 1 => Just(Verb::Set), 2 => Just(Verb::Remove)]
}

fn best(routes: &[Route], address: u32) -> Option<(u32, i32)> {
    let holding = routes.iter().filter(|route| route.prefix.contains(address));
    holding
        .max_by_key(|route| route.prefix.length())
        .map(|route| (route.gateway, route.port))
}

fn change(routes: &mut Vec<Route>, verb: Verb, route: Route) -> bool {
    let at = routes.iter().position(|other| other.prefix == route.prefix);
    match (verb, at) {
        (Verb::Add, Some(_)) | (Verb::Remove, None) => return false,
        (Verb::Add | Verb::Set, None) => routes.push(route),
        (Verb::Set, Some(at)) => routes[at] = route,
        (Verb::Remove, Some(at)) if route.removes(&routes[at]) => drop(routes.remove(at)),
        (Verb::Remove, Some(_)) => return false,
    }
    true
}

fn edges(routes: &[Route]) -> Vec<u32> {
    let near = |route: &Route| [route.prefix.address(), route.prefix.last()];
    let all = routes.iter().flat_map(near);
    all.flat_map(|x| [x.wrapping_sub(1), x, x.wrapping_add(1)])
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_finds_what_a_list_finds(
        steps in prop::collection::vec((verb(), route(), any::<prop::sample::Index>(), any::<bool>()), 1..60),
        random in prop::collection::vec(any::<u32>(), 50),
    ) {
        let mut table = RouteTable::new(Kind::Radix);
        let mut list = Vec::new();
        let mut seen: Vec<Route> = Vec::new();
        for (verb, fresh, which, again) in steps {
            let route = if again && !seen.is_empty() { *which.get(&seen) } else { fresh };
            seen.push(route);
            prop_assert_eq!(table.run(verb, route).is_ok(), change(&mut list, verb, route));
        }
        let addresses: Vec<u32> = edges(&seen).into_iter().chain(random).collect();
        let mut hops = vec![NextHop::NONE; addresses.len()];
        table.fib().lookup_batch(&addresses, &mut hops);
        for (&address, &hop) in addresses.iter().zip(&hops) {
            prop_assert_eq!(table.lookup(address), best(&list, address), "{:x}", address);
            prop_assert_eq!(table.hop(hop), best(&list, address));
        }
        prop_assert_eq!(table.len(), list.len());
    }

    #[test]
    fn a_group_that_fails_leaves_no_trace(
        before in prop::collection::vec(route(), 0..10),
        group in prop::collection::vec((verb(), route()), 0..10),
    ) {
        let mut table = RouteTable::new(Kind::Linear);
        for route in before {
            let _ = table.add(route);
        }
        let mut old = table.routes();
        old.sort_by_key(|route| route.prefix);
        let commands = group.into_iter().map(Ok).chain([Err(RouteError::Command("x".into()))]);
        prop_assert!(table.run_group(commands).is_err());
        let mut new = table.routes();
        new.sort_by_key(|route| route.prefix);
        prop_assert_eq!(new, old);
    }

    #[test]
    fn no_text_breaks_the_parser(text in "[-0-9./a-z \n]{0,60}") {
        let mut table = RouteTable::new(Kind::Sorted);
        let _ = table.ctrl(&text, 4, Context::none());
        let _ = table.run_text(Verb::Add, &text, 4, Context::none());
        let _ = table.table_text();
    }
}

#[test]
fn conflicts_and_absences_are_told_in_clicks_words() {
    let mut table = RouteTable::new(Kind::Direct);
    table
        .run_text(Verb::Add, "10.1/12 4.0.0.4 0", 3, Context::none())
        .unwrap();
    let add = table
        .run_text(Verb::Add, "10.1/12 6.0.0.6 1", 3, Context::none())
        .unwrap_err();
    assert_eq!(
        add.to_string(),
        "conflict with existing route '10.0.0.0/12 4.0.0.4 0'"
    );
    let remove = table
        .run_text(Verb::Remove, "10.1/12 9", 10, Context::none())
        .unwrap_err();
    assert_eq!(remove.to_string(), "route '10.0.0.0/12 - 9' not found");
    let port = table
        .run_text(Verb::Set, "10.1/12 3", 3, Context::none())
        .unwrap_err();
    assert_eq!(port.to_string(), "expected 'ADDR/MASK [GATEWAY] OUTPUT'");
    table
        .run_text(Verb::Remove, "10.1/12", 3, Context::none())
        .unwrap();
    assert_eq!(table.lookup_text(0x0a00_0001), "-1");
}

#[test]
fn listings_have_columns_and_each_elements_order() {
    let text = |kind| {
        let mut table = RouteTable::new(kind);
        table
            .ctrl(
                "add 10.0.0.0/8 1\nadd 192.168.100.0/24 1.1.1.1 0\nadd 10.1.0.0/16 2\n",
                3,
                Context::none(),
            )
            .unwrap();
        table
            .ctrl("set 10.0.0.0/8 2\n", 3, Context::none())
            .unwrap();
        table.table_text()
    };
    let (a, b, c) = (
        "10.0.0.0/8\t\t-\t\t2\n",
        "192.168.100.0/24\t1.1.1.1\t\t0\n",
        "10.1.0.0/16\t\t-\t\t2\n",
    );
    assert_eq!(text(Kind::Linear), [a, b, c].concat());
    assert_eq!(text(Kind::Radix), [b, c, a].concat());
    assert_eq!(text(Kind::Sorted), [b, c, a].concat());
}
