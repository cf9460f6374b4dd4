//! Single tests: `[QUALIFIERS] [[POS:LEN]] [& MASK] [RELATION] [DATA]`.

use super::expression::Parser;
use super::kind::{Field, Kind};
use super::lookup::{Meaning, lookup};
use super::primitive::{Data, Ends, Header, Mask, Primitive, Relation};
use click::args::{EtherAddress, FromArg, Ipv4Prefix};
use std::net::Ipv4Addr;

/// The greatest number of a bit in a header.
const MAX_BIT: i64 = 65535;

/// A test while it is read.
struct Reading {
    primitive: Primitive,
    header: Option<Header>,
    negated: bool,
    /// A word makes no sense here; that was said already.
    broken: bool,
}

impl<'a> Parser<'a> {
    /// Reads a test, if there is one here.
    pub(super) fn test(&mut self, negated: bool) {
        match self.word() {
            None | Some(")" | "||" | "or" | "?" | ":") => {}
            Some("true") => self.always(negated),
            Some("false") => self.always(!negated),
            Some(_) => self.hard_test(negated),
        }
    }

    fn always(&mut self, negated: bool) {
        self.tree.always();
        if negated {
            self.tree.negate();
        }
        self.at += 1;
    }

    fn hard_test(&mut self, negated: bool) {
        let first = self.at;
        let mut reading = Reading {
            primitive: Primitive::default(),
            header: None,
            negated,
            broken: false,
        };
        while self.qualifier(&mut reading) {
            self.at += 1;
        }
        if self.at != first {
            self.before = Primitive::default();
        }
        if self.before.data == Data::Of(Kind::Ether) {
            reading.header = Some(Header::Ether);
        }
        if self.operator() == Some("[") && self.at > first && reading.primitive.kind.is_none() {
            self.brackets(&mut reading.primitive);
        }
        let mask = if self.operator() == Some("&") {
            self.mask(reading.header)
        } else {
            None
        };
        self.relation(&mut reading.primitive);
        let word = self.word().unwrap_or_default();
        self.data(&mut reading);
        if self.at == first {
            self.messages
                .error(format_args!("empty term near '{word}'"));
        } else if !reading.broken {
            self.emit(reading, mask);
        }
    }

    fn emit(&mut self, reading: Reading, mask: Option<Mask>) {
        let Reading {
            mut primitive,
            header,
            negated,
            ..
        } = reading;
        if let Err(why) = primitive.check(&self.before, header, mask, self.messages) {
            self.messages.error(why);
            return;
        }
        primitive.emit(self.tree);
        if negated {
            self.tree.negate();
        }
        self.before = primitive;
    }

    /// The next word, if another follows it.
    fn operator(&self) -> Option<&'a str> {
        (self.at + 1 < self.words.len())
            .then(|| self.word())
            .flatten()
    }

    /// Reads the next word as a qualifier, or as the last of some. Whether it was one.
    fn qualifier(&mut self, reading: &mut Reading) -> bool {
        let Some(word) = self.word() else {
            return false;
        };
        let primitive = &mut reading.primitive;
        match lookup(word, None, None, &self.context) {
            Meaning::Qualifier(kind) => {
                primitive.set_kind(kind, self.messages);
                if let Some(proto) = kind.proto() {
                    primitive.set_proto(proto, self.messages);
                }
            }
            Meaning::Value(Kind::Proto, proto) => primitive.set_proto(proto, self.messages),
            Meaning::Value(..) | Meaning::Wrong(_) => return false,
            Meaning::Unknown => match word {
                "src" => self.source(primitive),
                "dst" | "dest" => primitive.set_ends(Ends::Dst, self.messages),
                "ip" | "ether" if reading.header.is_some() => return false,
                "ip" => reading.header = Some(Header::Ip),
                "ether" => reading.header = Some(Header::Ether),
                "not" | "!" => reading.negated = !reading.negated,
                _ => return false,
            },
        }
        true
    }

    /// Reads `src`, or the whole of `src and dst`.
    fn source(&mut self, primitive: &mut Primitive) {
        let ends = match self.words[self.at..] {
            [_, "and" | "&&", "dst" | "dest", ..] => Ends::Both,
            [_, "or" | "||", "dst" | "dest", ..] => Ends::Either,
            _ => return primitive.set_ends(Ends::Src, self.messages),
        };
        self.at += 2;
        primitive.set_ends(ends, self.messages);
    }

    /// Reads `[POS]`, `[POS:LEN]` or `[POS,LAST]`.
    fn brackets(&mut self, primitive: &mut Primitive) {
        let first = self.at + 1;
        let Some(length) = self.words[first..].iter().position(|word| *word == "]") else {
            self.at = first;
            self.messages.error("missing ']'");
            return;
        };
        let inside = self.words[first..first + length].concat();
        self.at = first + length + 1;
        let Some((position, length)) = self.position(&inside) else {
            self.messages
                .error("syntax error after '[', expected '[POS]' or '[POS:LEN]'");
            return;
        };
        match field(position, length, primitive.proto) {
            Ok(field) => primitive.set_kind(Kind::Field(field), self.messages),
            Err(why) => self.messages.error(why),
        }
    }

    /// Where a field begins, and its length, in bytes.
    fn position(&self, text: &str) -> Option<(i64, i64)> {
        let number = |text: &str| i32::from_arg(text, &self.context).ok().map(i64::from);
        let pair = |separator: char| {
            text.split_once(separator)
                .filter(|(_, after)| !after.is_empty())
        };
        if let Some((position, length)) = pair(':') {
            Some((number(position)?, number(length)?))
        } else if let Some((position, last)) = pair(',') {
            let (position, last) = (number(position)?, number(last)?);
            Some((position, last - position + 1))
        } else {
            Some((number(text)?, 1))
        }
    }

    /// Reads `& MASK`, where that is one.
    fn mask(&mut self, header: Option<Header>) -> Option<Mask> {
        let word = self.words[self.at + 1];
        let mask = if let Ok(mask) = u32::from_arg(word, &self.context) {
            Mask::Number(mask)
        } else if let Some(mask) = self.ip(word, header) {
            Mask::Ip(mask.to_bits())
        } else {
            Mask::Ether(self.ether(word, header)?)
        };
        self.at += 2;
        if matches!(mask, Mask::Number(0) | Mask::Ip(0)) {
            self.messages.error("zero mask ignored");
            return None;
        }
        Some(mask)
    }

    fn relation(&mut self, primitive: &mut Primitive) {
        let (relation, negated) = match self.operator() {
            Some("=" | "==") => (Relation::Equal, false),
            Some("!=") => (Relation::Equal, true),
            Some(">") => (Relation::Greater, false),
            Some("<") => (Relation::Less, false),
            Some(">=") => (Relation::Less, true),
            Some("<=") => (Relation::Greater, true),
            _ => return,
        };
        (primitive.relation, primitive.negated) = (relation, negated);
        self.at += 1;
    }

    /// Reads what is compared with, if that is what follows.
    fn data(&mut self, reading: &mut Reading) {
        let Some(word) = self.word() else { return };
        let Reading {
            primitive,
            header,
            broken,
            ..
        } = reading;
        self.at += 1;
        match lookup(word, primitive.kind, primitive.proto, &self.context) {
            Meaning::Wrong(why) => {
                self.messages.error(why);
                *broken = true;
            }
            Meaning::Value(kind, value) => {
                (primitive.data, primitive.value) = (Data::Of(kind), value)
            }
            Meaning::Qualifier(_) | Meaning::Unknown => self.literal(word, primitive, *header),
        }
    }

    /// Reads a number or an address. If the word is none, it belongs to what follows.
    fn literal(&mut self, word: &str, primitive: &mut Primitive, header: Option<Header>) {
        if let Ok(number) = i32::from_arg(word, &self.context) {
            (primitive.data, primitive.value) = (Data::Number, number.cast_unsigned());
        } else if let Some(address) = self.ip(word, header) {
            self.address(word, address, primitive);
        } else if let Some(prefix) = self.prefix(word, header) {
            self.net(prefix.address, prefix.mask, primitive);
        } else if let Some(address) = self.ether(word, header) {
            (primitive.data, primitive.ether) = (Data::Of(Kind::Ether), address);
        } else {
            if primitive.relation != Relation::Equal || primitive.negated {
                self.messages
                    .error(format_args!("dangling operator near '{word}'"));
            }
            self.at -= 1;
        }
    }

    /// Reads what follows an address: it may have a mask, or be a name that has one.
    fn address(&mut self, word: &str, address: Ipv4Addr, primitive: &mut Primitive) {
        if let [keyword, mask, ..] = self.words[self.at..]
            && keyword == "mask"
            && let Ok(mask) = Ipv4Addr::from_arg(mask, &self.context)
        {
            self.at += 2;
            self.net(address, mask, primitive);
            return;
        }
        let prefix = || Ipv4Prefix::from_arg(word, &self.context).ok();
        match (primitive.kind == Some(Kind::Net)).then(prefix).flatten() {
            Some(prefix) => self.net(prefix.address, prefix.mask, primitive),
            None => (primitive.data, primitive.value) = (Data::Of(Kind::Host), address.to_bits()),
        }
    }

    fn net(&self, address: Ipv4Addr, mask: Ipv4Addr, primitive: &mut Primitive) {
        primitive.data = Data::Of(Kind::Net);
        (primitive.value, primitive.mask) = (address.to_bits(), mask.to_bits());
    }

    fn ip(&self, word: &str, header: Option<Header>) -> Option<Ipv4Addr> {
        let sensible = header != Some(Header::Ether);
        sensible
            .then(|| Ipv4Addr::from_arg(word, &self.context).ok())
            .flatten()
    }

    fn prefix(&self, word: &str, header: Option<Header>) -> Option<Ipv4Prefix> {
        let sensible = header != Some(Header::Ether);
        sensible
            .then(|| Ipv4Prefix::from_arg(word, &self.context).ok())
            .flatten()
    }

    fn ether(&self, word: &str, header: Option<Header>) -> Option<[u8; 6]> {
        let sensible = header != Some(Header::Ip);
        let address = || EtherAddress::from_arg(word, &self.context).ok();
        sensible.then(address).flatten().map(|address| address.0)
    }
}

/// The field of so many bytes from a byte on.
fn field(position: i64, length: i64, proto: Option<u32>) -> Result<Field, String> {
    if !(1..=4).contains(&length) {
        return Err("LEN in '[POS:LEN]' out of range, should be between 1 and 4".into());
    }
    if position.div_euclid(4) != (position + length - 1).div_euclid(4) {
        return Err(format!(
            "field [{position}:{length}] does not fit in a single word"
        ));
    }
    let bit = position * 8;
    if !(0..=MAX_BIT).contains(&bit) {
        return Err(format!("field [{position}:{length}] is beyond the headers"));
    }
    let proto = proto.filter(|&proto| proto != 0);
    Ok(Field {
        proto,
        bit: bit as u16,
        bits: (length * 8) as u8,
    })
}
