//! `lab.ext`: interfaces of the host as members of collision domains.
//!
//! ```text
//! line = domain blank+ interface ["." vlan]
//! ```

use diag::{Diagnostic, Diagnostics, Source};
use lab::External;

use super::lex::Word;

/// Reads all lines.
pub(super) fn parse(source: &Source) -> (Vec<(Word, External)>, Diagnostics) {
    let mut out = Vec::new();
    let mut wrong = Diagnostics::new();
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let body = line.split('#').next().unwrap_or(line);
        let words: Vec<Word> = words(body, start);
        match words.as_slice() {
            [] => {}
            [domain, interface] => match external(&interface.text) {
                Ok(external) => out.push((domain.clone(), external)),
                Err(help) => wrong.push(
                    Diagnostic::error(format!("bad interface `{}`", interface.text))
                        .at(source.at(interface.span.clone()))
                        .help(help),
                ),
            },
            [first, .., last] | [first @ last] => wrong.push(
                Diagnostic::error("a line of lab.ext has two words")
                    .at(source.at(first.span.start..last.span.end))
                    .help("write the collision domain and the interface of the host, like `A eth1.10`"),
            ),
        }
        start += line.len();
    }
    (out, wrong)
}

fn words(text: &str, start: usize) -> Vec<Word> {
    text.split_whitespace()
        .map(|w| {
            let at = start + (w.as_ptr() as usize - text.as_ptr() as usize);
            Word {
                text: w.to_string(),
                span: at..at + w.len(),
            }
        })
        .collect()
}

fn external(text: &str) -> Result<External, &'static str> {
    let (name, vlan) = match text.rsplit_once('.') {
        Some((name, tag)) if tag.bytes().all(|b| b.is_ascii_digit()) => {
            let tag = tag.parse().ok().filter(|t| (1..=4094).contains(t));
            (name, Some(tag.ok_or("VLAN numbers are 1 to 4094")?))
        }
        _ => (text, None),
    };
    if name.is_empty() {
        return Err("name an interface of the host, like `eth1`");
    }
    Ok(External {
        interface: name.to_string(),
        vlan,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_interfaces() {
        let source = Source::new(
            "lab.ext",
            "A eth1\r\n# no\nB  enp3s0.10 # tagged\nA eth2.4095\nC\n",
        );
        let (all, wrong) = parse(&source);
        let all: Vec<_> = all
            .iter()
            .map(|(d, e)| (d.text.as_str(), e.interface.as_str(), e.vlan))
            .collect();
        assert_eq!(all, [("A", "eth1", None), ("B", "enp3s0", Some(10))]);
        let places: Vec<_> = wrong
            .iter()
            .map(|d| d.place.as_ref().unwrap().line_column())
            .collect();
        assert_eq!(places, [(4, 3), (5, 1)]);
    }
}
