//! Texts that are not meant well: they are refused or read, in bounded time and memory.

use click::{Options, parse};
use proptest::prelude::*;

fn try_it(text: &str) {
    if let Ok(router) = parse(text, "t", &Options::default()) {
        let once = router.unparse(true);
        let again = parse(&once, "u", &Options::default()).expect("what was printed is read");
        assert_eq!(again.elements.len(), router.elements.len(), "{text:?}");
        assert_eq!(
            again.connections.len(),
            router.connections.len(),
            "{text:?}"
        );
    }
}

fn refused(text: &str, why: &str) {
    let said = parse(text, "t", &Options::default())
        .unwrap_err()
        .to_string();
    assert!(said.contains(why), "{said}");
}

#[test]
fn deep_nesting_is_refused() {
    refused(&"{".repeat(100_000), "nested more than");
    refused(&"(".repeat(100_000), "nested more than");
    refused(&"elementclass A { ".repeat(100_000), "nested more than");
}

#[test]
fn high_towers_of_classes_are_refused() {
    let why = "compound classes stand on each other";
    refused(&format!("{{ {} }}", "||".repeat(50_000)), why);
    refused(&"elementclass A { || ... }".repeat(50_000), why);
    refused(
        &("elementclass B { Idle }".to_owned() + &"elementclass B { B }".repeat(50_000)),
        why,
    );
    let tower = "elementclass B { Idle }".to_owned() + &"elementclass B { B }".repeat(198);
    let router = parse(&(tower + "B"), "t", &Options::default()).unwrap();
    assert_eq!(router.elements.len(), 1);
}

#[test]
fn doubling_is_refused() {
    let mut text = "elementclass A0 { Idle }".to_owned();
    for i in 1..90 {
        text += &format!("elementclass A{i} {{ A{0}; A{0} }}", i - 1);
    }
    refused(&(text + "A89"), "too large");
    let mut text = "elementclass B0 { $x | Idle($x) }".to_owned();
    for i in 1..90 {
        text += &format!("elementclass B{i} {{ $x | B{}($x$x) }}", i - 1);
    }
    refused(&(text + "B89(0123456789)"), "too large");
}

#[test]
fn long_chains_of_tunnels_are_followed() {
    let text = format!("a :: I -> {} b :: O", "{ -> } -> ".repeat(20_000));
    let router = parse(&text, "t", &Options::default()).unwrap();
    assert_eq!(router.connections.len(), 1);
    let text = "elementclass L { input -> output } x :: L -> y :: L -> x;";
    assert!(
        parse(text, "t", &Options::default())
            .unwrap()
            .connections
            .is_empty()
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    refused("a [99999999999999999999] -> b;", "port number");
    refused("a [0-4000000] -> b;", "port number too large");
    refused(
        &format!("a [{}] => b", "0-60000,".repeat(50_000)),
        "more than",
    );
}

#[test]
fn long_texts_take_time_in_proportion() {
    let begun = std::time::Instant::now();
    let text = "Idle -> Idle;\n".repeat(30_000);
    let router = parse(&text, "t", &Options::default()).unwrap();
    assert_eq!(router.elements[59_999].landmark.line, 30_000);
    let taken: String = (30_001..60_001)
        .map(|i| format!("Idle@{i} :: Idle;"))
        .collect();
    parse(&(taken + &"Idle;".repeat(30_000)), "t", &Options::default()).unwrap();
    let groups = format!("a :: A; {}", "a -> (->) -> a;".repeat(10_000));
    parse(&groups, "t", &Options::default()).unwrap();
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        try_it(&text);
    }

    #[test]
    fn any_sequence_of_tokens_is_survived(tokens in prop::collection::vec(prop::sample::select(vec![
        "a", "b", "C", "input", "output", "->", "=>", "::", ";", ",", "(", ")", "[", "]", "{", "}",
        "|", "||", "...", "$x", "1", "0-2", "elementclass", "define", "require", "provide", "\n",
        "# 3 \"f\"\n", "'", "\"", "/*", "//", "\\<", "__REST__", "@", "é", "$", "-",
    ]), 0..60)) {
        try_it(&tokens.join(" "));
        try_it(&tokens.concat());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let archive = [b"!<arch>\n".as_slice(), &bytes].concat();
        let _ = click::parse_bytes(&bytes, "t", &Options::default());
        let _ = click::parse_bytes(&archive, "t", &Options::default());
    }
}
