//! Properties of configuration strings and of what reads them, over texts that nobody would write.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use click::args::{
    Anno, Annotation, Args, Bandwidth, Base, Context, Decimals, ElementName, EtherAddress,
    Expansion, Fixed, Flags, FromArg, Ipv4Prefix, Ipv6Prefix, Keyword, NameBook, Named, NumberKind,
    OrAddress, Parser, Plain, Port, Raw, Seconds, arguments, expand, hex_data, join_arguments,
    join_words, quote, quote_with_newlines, uncomment, unparse_decimals, unparse_fixed, unquote,
    words,
};
use proptest::prelude::*;

/// Texts in which what has a meaning is frequent.
fn config() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\""),
        Just("'"),
        Just("\\"),
        Just("\\<"),
        Just(">"),
        Just("//"),
        Just("/*"),
        Just("*/"),
        Just("\n"),
        Just("\r\n"),
        Just(","),
        Just(" "),
        Just("$"),
        Just("${"),
        Just("}"),
        Just("$("),
        Just(")"),
        Just("a"),
        Just("KEY"),
        Just("0x"),
        Just("1.5e9"),
        Just("é"),
        Just("\\\r\n"),
        Just("10.0.0.1/8"),
        Just("-"),
        Just("_"),
        Just(":"),
        Just("ms"),
        Just("::1"),
        Just("18446744073709551616"),
        Just("[1]"),
        Just("GB/s"),
    ];
    let pieces = prop::collection::vec(piece, 0..30).prop_map(|p| p.concat());
    prop_oneof![3 => pieces, 1 => any::<String>()]
}

fn read<T: FromArg>(text: &str) -> Option<T> {
    T::from_arg(text, &Context::none()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn quoted_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(unquote(&quote(&bytes)), bytes.clone());
        prop_assert_eq!(unquote(&quote_with_newlines(&bytes)), bytes.clone());
        prop_assert_eq!(unquote(&hex_data(&bytes)), bytes.clone());
        prop_assert_eq!(read::<Vec<u8>>(&quote(&bytes)), Some(bytes.clone()));
        let quoted = quote(&bytes);
        prop_assert_eq!(arguments(&quoted), vec![quoted.clone()]);
        prop_assert_eq!(words(&quoted), vec![quoted.as_str()]);
    }

    #[test]
    fn arguments_are_stable(text in config()) {
        let once = arguments(&text);
        for argument in &once {
            prop_assert_eq!(&uncomment(argument), argument);
        }
        // an unclosed quote would reach over the comma that joining adds
        if once.len() == 1 && !once[0].is_empty() {
            prop_assert_eq!(arguments(&join_arguments(&once)), once);
        }
    }

    #[test]
    fn quoted_words_are_joined_and_split(list in prop::collection::vec(any::<String>(), 0..6)) {
        let quoted: Vec<String> = list.iter().map(|w| quote(w.as_bytes())).collect();
        let joined = join_words(&quoted);
        prop_assert_eq!(words(&joined), quoted.clone());
        prop_assert_eq!(arguments(&join_arguments(&quoted)), quoted);
    }

    #[test]
    fn no_text_is_too_strange(text in config()) {
        let context = Context::none();
        read::<bool>(&text);
        read::<u8>(&text);
        read::<i64>(&text);
        read::<f64>(&text);
        read::<String>(&text);
        read::<Keyword>(&text);
        read::<Duration>(&text);
        read::<Bandwidth>(&text);
        read::<Ipv4Addr>(&text);
        read::<Vec<Ipv4Addr>>(&text);
        read::<Ipv6Addr>(&text);
        read::<Ipv4Prefix>(&text);
        read::<Ipv6Prefix>(&text);
        read::<EtherAddress>(&text);
        read::<Annotation>(&text);
        read::<ElementName>(&text);
        let _: Result<u32, _> = Base(36).parse(&text, &context);
        let _: Result<i32, _> = Fixed { bits: 16 }.parse(&text, &context);
        let _: Result<u32, _> = Decimals { digits: 9 }.parse(&text, &context);
        let _: Result<u32, _> = Seconds { digits: 3 }.parse(&text, &context);
        let _: Result<f64, _> = Seconds { digits: 3 }.parse(&text, &context);
        let _: Result<u8, _> = Anno { size: 4 }.parse(&text, &context);
        let _: Result<u16, _> = Port { protocol: 6 }.parse(&text, &context);
        let _: Result<u32, _> = Named(NumberKind::IpProtocol).parse(&text, &context);
        let _: Result<Ipv6Prefix, _> = OrAddress.parse(&text, &context);
    }

    #[test]
    fn reading_takes_each_argument_once(text in config(), first in any::<bool>()) {
        let count = arguments(&text).len();
        let (mut a, mut b) = (Raw::default(), Raw::default());
        let flags = if first { Flags::FIRST } else { Flags::NONE };
        let mut given = (false, false);
        let taken = Args::parse(&text, Context::none())
            .read_with("KEY", flags.and(Flags::POSITIONAL), &Plain, &mut a).given(&mut given.0)
            .read_with("a", Flags::POSITIONAL, &Plain, &mut b).given(&mut given.1)
            .consume()
            .expect("raw arguments are never wrong");
        let found = usize::from(given.0) + usize::from(given.1);
        prop_assert!(taken.rest.len() + found <= count);
    }

    #[test]
    fn books_take_any_entry(text in config(), element in config()) {
        let list = arguments(&text);
        let mut book = NameBook::new();
        let _ = book.add_addresses(&element, &list);
        let _ = book.add_ports(&element, &list);
        let _ = book.add_annotations(&element, &list);
        let context = Context::new(&book, &element);
        let _ = Ipv4Addr::from_arg(&text, &context);
        let _ = Ipv4Prefix::from_arg(&text, &context);
    }

    #[test]
    fn expansion_is_bounded(text in config(), value in config(), script in any::<bool>()) {
        let how = Expansion { script, quote: script, limit: 400 };
        let mut lookup = |name: &str, _| (name.len() < 3).then(|| value.clone());
        if let Ok(out) = expand(&text, how, &mut lookup) {
            prop_assert!(out.len() <= 400);
        }
        let kept = expand(&text, Expansion { limit: usize::MAX, ..how }, &mut |_, _| None);
        // without values only defaults change a text
        if !text.contains('-') {
            prop_assert_eq!(kept.as_deref(), Ok(text.as_str()));
        }
    }

    #[test]
    fn numbers_come_back(value in any::<i32>(), bits in 0u32..=32, digits in 0u32..=9) {
        let context = Context::none();
        prop_assert_eq!(read(&value.to_string()), Some(value));
        let text = unparse_fixed(i64::from(value), bits);
        prop_assert_eq!(Fixed { bits }.parse(&text, &context), Ok(value), "{}", text);
        let text = unparse_decimals(i64::from(value), digits);
        prop_assert_eq!(Decimals { digits }.parse(&text, &context), Ok(value), "{}", text);
    }

    #[test]
    fn addresses_come_back(ip in any::<u32>(), ip6 in any::<u128>(), ether in any::<[u8; 6]>(), length in 0u8..=32) {
        let ip = Ipv4Addr::from(ip);
        prop_assert_eq!(read(&ip.to_string()), Some(ip));
        let ip6 = Ipv6Addr::from(ip6);
        prop_assert_eq!(read(&ip6.to_string()), Some(ip6));
        prop_assert_eq!(read(&EtherAddress(ether).to_string()), Some(EtherAddress(ether)));
        let prefix: Ipv4Prefix = read(&format!("{ip}/{length}")).expect("a prefix");
        prop_assert_eq!(u32::from(prefix.mask).count_ones(), u32::from(length));
        prop_assert_eq!(read(&format!("{ip}/{}", prefix.mask)), Some(prefix));
    }
}
