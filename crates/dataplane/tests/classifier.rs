//! `Classifier`: its program as text, its messages, and which packets go where.

use dataplane::classify::{Classified, Matcher, NOWHERE, Raw, Severity, classifier};

fn program(patterns: &[&str]) -> Matcher {
    let Classified { matcher, messages } = classifier(patterns, 0, patterns.len());
    matcher.unwrap_or_else(|| panic!("{patterns:?}: {messages:?}"))
}

fn messages(patterns: &[&str]) -> Vec<String> {
    let Classified { matcher, messages } = classifier(patterns, 0, patterns.len());
    let errors = messages
        .iter()
        .any(|message| message.severity == Severity::Error);
    assert_eq!(matcher.is_none(), errors);
    messages.iter().map(ToString::to_string).collect()
}

#[test]
fn arp_and_ip() {
    let program = program(&["12/0806 20/0001", "12/0806 20/0002", "12/0800", "-"]);
    let text = " 0  12/08060000%ffff0000  yes->step 1  no->step 3
 1  20/00010000%ffff0000  yes->[0]  no->step 2
 2  20/00020000%ffff0000  yes->[1]  no->[3]
 3  12/08000000%ffff0000  yes->[2]  no->[3]
safe length 22
alignment offset 0
";
    assert_eq!(program.program().to_string(), text);
    let mut packet = [0; 60];
    assert_eq!(program.classify(&Raw(&packet)), 3);
    packet[12..14].copy_from_slice(&[8, 6]);
    packet[20..22].copy_from_slice(&[0, 2]);
    assert_eq!(program.classify(&Raw(&packet)), 1);
    assert_eq!(
        program.classify(&Raw(&packet[..21])),
        3,
        "too short to be a reply"
    );
}

#[test]
fn values_with_masks_and_across_words() {
    let program = program(&["2/1?22334455%ff0fffffff", "!0/0f"]);
    let first = " 0   0/00001002%0000f00f  yes->step 1  no->step 2\n";
    assert!(
        program.program().to_string().starts_with(first),
        "{}",
        program.program()
    );
    assert_eq!(
        program.classify(&Raw(&[15, 0, 0x1f, 0xf2, 0x33, 0x44, 0x55])),
        0
    );
    assert_eq!(
        program.classify(&Raw(&[15, 0, 0x1f, 0xf2, 0x33, 0x44])),
        NOWHERE
    );
    assert_eq!(program.classify(&Raw(&[14])), 1);
}

#[test]
fn everything_and_nothing() {
    let all = "all->[0]\nsafe length 0\nalignment offset 0\n";
    assert_eq!(program(&["-"]).program().to_string(), all);
    let none = "all->[2147483647]\nsafe length 0\nalignment offset 0\n";
    assert_eq!(program(&[]).program().to_string(), none);
    assert_eq!(program(&[]).classify(&Raw(&[])), NOWHERE);
}

#[test]
fn aligned_offsets_are_printed_as_written() {
    let aligned = classifier(&["12/0800", "-"], 2, 2)
        .matcher
        .map(|matcher| matcher.program().to_string());
    let text = " 0  10/00000800%0000ffff  yes->[0]  no->[1]\n";
    let aligned = aligned.unwrap_or_default();
    assert!(aligned.starts_with(text), "{aligned}");
    assert!(
        aligned.ends_with("safe length 14\nalignment offset 2\n"),
        "{aligned}"
    );
}

#[test]
fn what_is_wrong() {
    assert_eq!(messages(&["x"]), ["pattern 0: expected a digit"]);
    assert_eq!(messages(&["-", "12"]), ["pattern 1: expected '/'"]);
    assert_eq!(
        messages(&["12/0"]),
        ["pattern 0: value has less than 2 hex digits"]
    );
    assert_eq!(
        messages(&["12/080"]),
        ["pattern 0: value has odd number of hex digits"]
    );
    assert_eq!(
        messages(&["12/0800%ff"]),
        ["pattern 0: mask has too few hex digits"]
    );
    assert_eq!(
        messages(&["12/08%ffff"]),
        ["pattern 0: mask has too many hex digits"]
    );
    assert_eq!(
        messages(&["12/0800", "12/0800"]),
        ["warning: output 1 matches no packets"]
    );
    assert_eq!(messages(&["99999999999999999999/00"]).len(), 1);
    let wrong = classifier(&["-"], 0, 2).messages;
    assert_eq!(wrong[0].text, "need 2 arguments, one per output port");
}
