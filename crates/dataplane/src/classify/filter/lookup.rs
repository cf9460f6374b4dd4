//! What a word of an expression means.

use super::kind::{ICMP, ICMP_TYPE, Kind, TCP, UDP, proto_name};
use click::args::{Context, NumberKind, TCP_OR_UDP, builtin};

/// The meaning of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// None that is looked up: a word of the grammar, a number, an address, or nonsense.
    Unknown,
    /// A qualifier.
    Qualifier(Kind),
    /// A number of a kind.
    Value(Kind, u32),
    /// Several, or none that fits; the text says so.
    Wrong(String),
}

/// Words that the grammar itself reads.
const SYNTAX: [&str; 6] = ["dest", "dst", "ether", "ip", "not", "src"];

/// The flags of TCP.
const TCP_OPTIONS: [(&str, u32); 6] = [
    ("fin", 1),
    ("syn", 2),
    ("rst", 4),
    ("psh", 8),
    ("ack", 16),
    ("urg", 32),
];

/// What a word means where `kind` and `proto` are known already.
pub(super) fn lookup(
    word: &str,
    kind: Option<Kind>,
    proto: Option<u32>,
    context: &Context<'_>,
) -> Meaning {
    if kind.is_none() {
        if SYNTAX.contains(&word) {
            return Meaning::Unknown;
        }
        if let Some(kind) = Kind::named(word) {
            return Meaning::Qualifier(kind);
        }
    }
    let all = candidates(word, context);
    if all.is_empty() {
        return Meaning::Unknown;
    }
    let mut fitting: Vec<&Candidate> = all.iter().filter(|c| c.fits(kind, proto)).collect();
    let ports: Vec<u32> = fitting
        .iter()
        .filter(|c| c.kind == Kind::Port)
        .map(|c| c.value)
        .collect();
    if let [tcp, udp] = ports[..]
        && tcp == udp
    {
        fitting.retain(|c| c.protos != [UDP, TCP_OR_UDP]);
    }
    match fitting[..] {
        [one] => Meaning::Value(one.kind, one.value),
        _ => Meaning::Wrong(complaint(word, kind, proto, &all, fitting.len() > 1)),
    }
}

/// One meaning of a word.
struct Candidate {
    kind: Kind,
    /// The protocols that it makes sense for, if not for each; one of them must be known, or none.
    protos: &'static [u32],
    value: u32,
}

impl Candidate {
    fn fits(&self, kind: Option<Kind>, proto: Option<u32>) -> bool {
        let for_proto = |proto| self.protos.is_empty() || self.protos.contains(&proto);
        kind.is_none_or(|kind| kind == self.kind) && proto.is_none_or(for_proto)
    }
}

fn candidates(word: &str, context: &Context<'_>) -> Vec<Candidate> {
    let number = |kind| {
        let named = context.names().number(kind, word, context.element());
        named.or_else(|| builtin(kind, word))
    };
    let option = || {
        TCP_OPTIONS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, value)| *value)
    };
    let tcp: &[u32] = &[TCP, TCP_OR_UDP];
    let found: [(Kind, &'static [u32], Option<u32>); 5] = [
        (Kind::Proto, &[], number(NumberKind::IpProtocol)),
        (Kind::Port, tcp, number(NumberKind::Port(TCP as u8))),
        (
            Kind::Port,
            &[UDP, TCP_OR_UDP],
            number(NumberKind::Port(UDP as u8)),
        ),
        (Kind::TcpOption, tcp, option()),
        (ICMP_TYPE, &[ICMP], number(NumberKind::IcmpType)),
    ];
    let candidate = |(kind, protos, value): (Kind, &'static [u32], Option<u32>)| {
        value.map(|value| Candidate {
            kind,
            protos,
            value,
        })
    };
    found.into_iter().filter_map(candidate).collect()
}

fn complaint(
    word: &str,
    kind: Option<Kind>,
    proto: Option<u32>,
    all: &[Candidate],
    ambiguous: bool,
) -> String {
    let quoted = |c: &Candidate| format!("'{}'", full(Some(c.kind), proto, word));
    let others: Vec<String> = all.iter().map(quoted).collect();
    let how = if ambiguous {
        "ambiguous"
    } else {
        "meaningless"
    };
    format!(
        "'{}' is {how}; try {}",
        full(kind, proto, word),
        others.join(", ")
    )
}

/// A word with its qualifiers, with the two blanks that Click puts between.
fn full(kind: Option<Kind>, proto: Option<u32>, word: &str) -> String {
    let kind = kind.map_or_else(|| "<none>".to_owned(), |kind| kind.to_string());
    format!("{kind} {} {word}", proto_name(proto))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(word: &str, kind: Option<Kind>, proto: Option<u32>) -> Meaning {
        lookup(word, kind, proto, &Context::none())
    }

    #[test]
    fn qualifiers_and_values() {
        assert_eq!(look("port", None, None), Meaning::Qualifier(Kind::Port));
        assert_eq!(look("src", None, None), Meaning::Unknown);
        assert_eq!(look("tcp", None, None), Meaning::Value(Kind::Proto, TCP));
        assert_eq!(look("www", None, None), Meaning::Value(Kind::Port, 80));
        assert_eq!(
            look("syn", None, Some(TCP)),
            Meaning::Value(Kind::TcpOption, 2)
        );
        assert_eq!(
            look("echo", Some(Kind::Port), None),
            Meaning::Value(Kind::Port, 7)
        );
        assert_eq!(look("echo", None, Some(ICMP)), Meaning::Value(ICMP_TYPE, 8));
        assert_eq!(look("10.0.0.1", None, None), Meaning::Unknown);
    }

    #[test]
    fn what_is_ambiguous_or_meaningless() {
        let text = "'<none>  echo' is ambiguous; try 'port  echo', 'port  echo', 'icmp type  echo'";
        assert_eq!(look("echo", None, None), Meaning::Wrong(text.into()));
        let text = "'port udp syn' is meaningless; try 'tcp opt udp syn'";
        assert_eq!(
            look("syn", Some(Kind::Port), Some(UDP)),
            Meaning::Wrong(text.into())
        );
    }
}
