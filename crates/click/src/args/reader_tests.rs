//! What is read from which arguments, and what is said about the others.

use super::*;
use crate::args::{Fixed, Raw};

fn args(config: &str) -> Args<'static> {
    Args::parse(config, Context::none())
}

fn messages(result: Result<Taken, ArgsError>) -> Vec<String> {
    let messages = result.unwrap_err().messages;
    messages.iter().map(ToString::to_string).collect()
}

#[test]
fn by_keyword_and_position() {
    for config in [
        "blah, 10",
        "DATA blah, LIMIT 10",
        "LIMIT 10, DATA blah",
        "blah, LIMIT 10",
    ] {
        let (mut data, mut limit, mut stop) = (String::new(), 0u32, false);
        let read = args(config)
            .read_mp("DATA", &mut data)
            .read_p("LIMIT", &mut limit)
            .read("STOP", &mut stop)
            .complete();
        assert_eq!(read, Ok(Taken::default()), "{config}");
        assert_eq!(
            (data.as_str(), limit, stop),
            ("blah", 10, false),
            "{config}"
        );
    }
}

#[test]
fn the_last_keyword_wins_or_the_first() {
    let (mut a, mut b) = (0u8, 0u8);
    args("A 1, A 2").read("A", &mut a).complete().unwrap();
    assert_eq!(a, 2);
    let taken = args("A 1, A 2")
        .read_with("A", Flags::FIRST, &Plain, &mut b)
        .consume()
        .unwrap();
    assert_eq!((b, taken.rest), (1, vec!["A 2".to_owned()]));
    let mut all = vec![9u8];
    args("A 1, A 2, A 3")
        .read_all("A", &mut all)
        .complete()
        .unwrap();
    assert_eq!(all, [1, 2, 3]);
}

#[test]
fn first_matches_and_positions() {
    let flags = Flags::FIRST.and(Flags::POSITIONAL);
    let mut x = 0u8;
    let taken = args("7, X 8")
        .read_with("X", flags, &Plain, &mut x)
        .consume()
        .unwrap();
    assert_eq!((x, taken.rest), (7, vec!["X 8".to_owned()]));
}

#[test]
fn a_mandatory_position_takes_what_looks_keyworded() {
    let mut text = Raw::default();
    args("tcp port 80")
        .read_mp("PATTERN", &mut text)
        .complete()
        .unwrap();
    assert_eq!(text.0, "tcp port 80");
    let (mut text, mut other) = (Raw::default(), 0u8);
    let read = args("OTHER 5")
        .read_p("TEXT", &mut text)
        .read("OTHER", &mut other)
        .complete();
    assert_eq!(
        (read, text.0.as_str(), other),
        (Ok(Taken::default()), "", 5)
    );
}

#[test]
fn positions_end_at_a_keyword() {
    let (mut a, mut b) = (0u8, 0u8);
    let read = args("A 1, 2")
        .read_p("A", &mut a)
        .read_p("B", &mut b)
        .complete();
    assert_eq!(messages(read), ["too many arguments"]);
    assert_eq!((a, b), (0, 0));
}

#[test]
fn empty_arguments_hold_their_position() {
    let (mut a, mut b) = (9u8, 0u8);
    args(", 2")
        .read_p("A", &mut a)
        .read_p("B", &mut b)
        .complete()
        .unwrap();
    assert_eq!((a, b), (9, 2));
    assert_eq!(
        messages(
            args(", 1")
                .read_mp("A", &mut a)
                .read_p("B", &mut b)
                .complete()
        ),
        ["A: required argument missing"]
    );
}

#[test]
fn all_that_is_wrong_is_said_in_clicks_words() {
    let (mut a, mut b, mut c, mut d) = (1u8, 2u8, true, 3u32);
    let read = args("1, 300, maybe, 70000, FOO bar, extra, BAZ 2")
        .read_mp("A", &mut a)
        .read_mp("B", &mut b)
        .read_p("C", &mut c)
        .read_with("D", Flags::POSITIONAL, &Fixed { bits: 16 }, &mut d)
        .read_m("E", &mut Raw::default())
        .complete();
    let said = [
        "B: out of range, bound 255",
        "C: parse error",
        "D: out of range, bound 65535.99998",
        "E: required argument missing",
        "FOO: unknown argument",
        "BAZ: unknown argument",
        "too many arguments",
    ];
    assert_eq!(messages(read), said);
    assert_eq!((a, b, c, d), (1, 2, true, 3), "nothing is stored");
}

#[test]
fn reads_say_whether_there_was_something() {
    let (mut x, mut y, mut flags) = (0u8, 0u8, (false, true));
    let read = args("X 1").read("X", &mut x).given(&mut flags.0);
    read.read("Y", &mut y)
        .given(&mut flags.1)
        .complete()
        .unwrap();
    assert_eq!(flags, (true, false));
}

#[test]
fn defaults_options_and_deprecation() {
    let (mut x, mut y, mut z) = (0u8, Some(3u8), None::<u8>);
    let taken = args("OLD 1, Z 4")
        .read_or("X", Flags::NONE, &mut x, 7)
        .read_with("OLD", Flags::DEPRECATED, &Plain, &mut y)
        .read("Z", &mut z)
        .complete()
        .unwrap();
    assert_eq!((x, y, z), (7, Some(1), Some(4)));
    assert_eq!(taken.warnings, ["OLD: argument deprecated"]);
}

#[test]
fn what_keywords_are() {
    assert_eq!(keyword_length("KEY x"), 3);
    assert_eq!(keyword_length("a.b:c?!9\tx"), 8);
    for text in ["KEY", "KEY ", "9KEY x", "K-Y x", " KEY x", "", "\"K\" x"] {
        assert_eq!(keyword_length(text), 0, "{text:?}");
    }
}
