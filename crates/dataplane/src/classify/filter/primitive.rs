//! A single test of an expression: what it looks at, how it compares, with what.

use super::kind::{DCCP, Field, Kind, TCP, TOS, UDP, proto_name};
use crate::classify::message::Messages;
use click::args::TCP_OR_UDP;

/// Which of the two addresses or ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Src,
    Dst,
    Both,
    Either,
}

/// What was given to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    None,
    Number,
    /// A value that only this kind has.
    Of(Kind),
}

/// How a value is compared. After a check there is no `Less`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Greater,
    Less,
}

/// The headers that a test may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Ip,
    Ether,
}

/// A mask that was written after `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    Number(u32),
    Ip(u32),
    Ether([u8; 6]),
}

/// A test as it was written, or checked.
#[derive(Clone, Debug)]
pub(super) struct Primitive {
    pub kind: Option<Kind>,
    pub data: Data,
    pub relation: Relation,
    pub negated: bool,
    pub ends: Option<Ends>,
    /// The protocol that packets must have; some numbers beyond 255 stand for several.
    pub proto: Option<u32>,
    pub value: u32,
    pub mask: u32,
    pub ether: [u8; 6],
    pub ether_mask: [u8; 6],
}

impl Default for Primitive {
    fn default() -> Self {
        Self {
            kind: None,
            data: Data::None,
            relation: Relation::Equal,
            negated: false,
            ends: None,
            proto: None,
            value: 0,
            mask: 0,
            ether: [0; 6],
            ether_mask: [0; 6],
        }
    }
}

/// Why a primitive cannot be used.
pub(super) type Checked<T> = Result<T, String>;

impl Primitive {
    pub(super) fn set_kind(&mut self, kind: Kind, messages: &mut Messages) {
        if self.kind.is_some() {
            messages.error("type specified twice");
        }
        self.kind = Some(kind);
    }

    pub(super) fn set_ends(&mut self, ends: Ends, messages: &mut Messages) {
        if self.ends.is_some() {
            messages.error("'src' or 'dst' specified twice");
        }
        self.ends = Some(ends);
    }

    pub(super) fn set_proto(&mut self, proto: u32, messages: &mut Messages) {
        if self.proto.is_some_and(|other| other != proto) {
            messages.error("transport protocol specified twice");
        }
        self.proto = Some(proto);
    }

    /// Completes the test with what the one before it says, and makes sure that it makes sense.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) fn check(
        &mut self,
        before: &Self,
        header: Option<Header>,
        mask: Option<Mask>,
        messages: &mut Messages,
    ) -> Checked<()> {
        let own_ends = self.ends;
        let kind = match self.kind {
            Some(kind) => kind,
            None => self.inherit(before)?,
        };
        let header = match header {
            None if self.data == Data::Of(Kind::Ether) => Header::Ether,
            None => Header::Ip,
            Some(header) => header,
        };
        let kind = if (header, kind) == (Header::Ether, Kind::Host) {
            Kind::Ether
        } else {
            kind
        };
        self.kind = Some(kind);
        match (kind, header) {
            (Kind::Ether, _) => self.check_ether(header, mask)?,
            (Kind::Host | Kind::Net, _) => self.check_host(kind, header, mask)?,
            (_, Header::Ether) => return Err(self.complaint("ip only")),
            (_, Header::Ip) => self.check_ip(kind, mask, messages)?,
        }
        self.check_ends(own_ends, messages);
        Ok(())
    }

    /// The kind of a test without one: what its data belongs to, or that of the test before.
    fn inherit(&mut self, before: &Self) -> Checked<Kind> {
        if self.data == Data::Number {
            match before.kind {
                Some(kind @ (Kind::Proto | Kind::Port | Kind::Field(_))) => {
                    self.data = Data::Of(kind)
                }
                _ => return Err("specify header field or 'port'".into()),
            }
        }
        let kind = match self.data {
            Data::Of(kind) => kind,
            _ if self.proto.is_some() => return Ok(Kind::Proto),
            _ => return Err("partial directive".into()),
        };
        match kind {
            Kind::Host | Kind::Net | Kind::TcpOption | Kind::Ether => {
                self.ends = self.ends.or(before.ends)
            }
            Kind::Port => {
                self.ends = self.ends.or(before.ends);
                self.proto = self.proto.or(before.proto);
            }
            _ => self.proto = self.proto.or(kind.proto()),
        }
        Ok(kind)
    }

    fn check_host(&mut self, kind: Kind, header: Header, mask: Option<Mask>) -> Checked<()> {
        if header != Header::Ip || self.data != Data::Of(kind) {
            return Err(self.complaint("address missing"));
        }
        self.only_equal()?;
        if kind == Kind::Host {
            self.mask = u32::MAX;
        }
        self.kind = Some(Kind::Host);
        match mask {
            None => {}
            Some(Mask::Ip(mask)) => self.mask = mask,
            // the bytes of a number as a machine with the least byte first has them
            Some(Mask::Number(mask)) => self.mask = mask.swap_bytes(),
            Some(Mask::Ether(_)) => return Err(self.complaint("bad mask")),
        }
        Ok(())
    }

    fn check_ether(&mut self, header: Header, mask: Option<Mask>) -> Checked<()> {
        if header != Header::Ether || self.data != Data::Of(Kind::Ether) {
            return Err(self.complaint("address missing"));
        }
        self.only_equal()?;
        self.ether_mask = match mask {
            None => [0xff; 6],
            Some(Mask::Ether(mask)) => mask,
            Some(_) => return Err(self.complaint("bad mask")),
        };
        Ok(())
    }

    fn only_equal(&self) -> Checked<()> {
        if self.relation == Relation::Equal {
            return Ok(());
        }
        Err(self.complaint("operator not supported"))
    }

    /// The kinds that only IP packets have.
    fn check_ip(&mut self, kind: Kind, mask: Option<Mask>, messages: &mut Messages) -> Checked<()> {
        match kind {
            Kind::Proto => self.check_proto(mask, messages),
            Kind::Port => self.check_port(mask, messages),
            Kind::TcpOption => self.check_option(mask),
            Kind::Ect => self.check_ect(mask, messages),
            Kind::Ce | Kind::Fragment | Kind::NoFragment => self.check_flag(kind, mask),
            Kind::Field(field) => self.check_field(field, mask, messages),
            Kind::Host | Kind::Net | Kind::Ether => Ok(()),
        }
    }

    fn check_proto(&mut self, mask: Option<Mask>, messages: &mut Messages) -> Checked<()> {
        let proto = self.proto.take();
        self.value = match (self.data, proto) {
            (Data::Number | Data::Of(Kind::Proto), Some(proto)) if proto != self.value => {
                return Err(self.complaint("specified twice"));
            }
            (Data::Number | Data::Of(Kind::Proto), _) => self.value,
            (Data::None, Some(proto)) => proto,
            _ => return Err(self.complaint("value missing")),
        };
        self.data = Data::None;
        // numbers below zero are refused as too large for the mask
        if self.value.cast_signed() >= 256 {
            if self.relation != Relation::Equal || mask.is_some() {
                let name = proto_name(Some(self.value));
                return Err(format!("'{name}': operator or mask not supported"));
            }
            self.mask = 0xff;
        } else {
            let mask = self.number_mask(mask)?;
            self.set_mask(0xff, mask, messages)?;
        }
        if self.relation == Relation::Equal && self.mask == 0xff && !self.negated {
            self.proto = Some(self.value);
        }
        Ok(())
    }

    fn check_port(&mut self, mask: Option<Mask>, messages: &mut Messages) -> Checked<()> {
        self.value_of(Kind::Port)?;
        let mask = match self.proto {
            None => {
                self.proto = Some(TCP_OR_UDP);
                // here any mask is taken for a number
                mask.map(|mask| Mask::Number(mask.number()))
            }
            Some(TCP | UDP | TCP_OR_UDP | DCCP) => mask,
            Some(proto) => return Err(format!("'port': bad protocol {proto}")),
        };
        let mask = self.number_mask(mask)?;
        self.set_mask(0xffff, mask, messages)
    }

    fn check_option(&mut self, mask: Option<Mask>) -> Checked<()> {
        self.value_of(Kind::TcpOption)?;
        let proto = *self.proto.get_or_insert(TCP);
        if proto != TCP {
            return Err(format!("'tcp opt': bad protocol {proto}"));
        }
        if self.relation != Relation::Equal || self.negated || mask.is_some() {
            return Err(self.complaint("operator or mask not supported"));
        }
        if self.value > 255 {
            return Err(format!(
                "'tcp opt': value {} out of range",
                self.value.cast_signed()
            ));
        }
        self.mask = self.value;
        Ok(())
    }

    /// Makes sure that a value of `kind`, or a number, is given.
    fn value_of(&mut self, kind: Kind) -> Checked<()> {
        if self.data != Data::Number && self.data != Data::Of(kind) {
            return Err(self.complaint("value missing"));
        }
        self.data = Data::Of(kind);
        Ok(())
    }

    fn check_ect(&mut self, mask: Option<Mask>, messages: &mut Messages) -> Checked<()> {
        let mask = match self.data {
            Data::None => {
                (self.value, self.negated) = (0, true);
                mask.map(Mask::number)
            }
            Data::Number => self.number_mask(mask)?,
            Data::Of(_) => return Err(self.complaint("value missing")),
        };
        self.set_mask(3, mask, messages)?;
        self.kind = Some(TOS);
        Ok(())
    }

    fn check_flag(&mut self, kind: Kind, mask: Option<Mask>) -> Checked<()> {
        if self.data != Data::None || mask.is_some() {
            return Err(self.complaint("value not supported"));
        }
        match kind {
            Kind::Ce => (self.kind, self.mask, self.value) = (Some(TOS), 3, 3),
            Kind::NoFragment => (self.kind, self.negated) = (Some(Kind::Fragment), true),
            _ => {}
        }
        Ok(())
    }

    fn check_field(
        &mut self,
        field: Field,
        mask: Option<Mask>,
        messages: &mut Messages,
    ) -> Checked<()> {
        if self.data != Data::Number && self.data != Data::Of(Kind::Field(field)) {
            return Err(self.complaint("value missing"));
        }
        let mask = self.number_mask(mask)?;
        self.set_mask(u32::MAX >> (32 - u32::from(field.bits)), mask, messages)
    }

    fn number_mask(&self, mask: Option<Mask>) -> Checked<Option<u32>> {
        match mask {
            None => Ok(None),
            Some(Mask::Number(mask)) => Ok(Some(mask)),
            Some(_) => Err(self.complaint("bad mask")),
        }
    }

    /// Brings a comparison of a value of at most `full` into the form that can be tested.
    fn set_mask(
        &mut self,
        full: u32,
        provided: Option<u32>,
        messages: &mut Messages,
    ) -> Checked<()> {
        let mask = provided.filter(|&mask| mask != 0).unwrap_or(full);
        if mask & full != mask {
            return Err(self.complaint(&format!("mask out of range, bound 0x{full:X}")));
        }
        if self.relation == Relation::Equal {
            if self.value > full {
                return Err(self.complaint(&format!("out of range, bound {full}")));
            }
            self.mask = mask;
            return Ok(());
        }
        if let Some(outcome) = self.constant(mask) {
            messages.warning(format_args!(
                "relation '{} {}' is always {outcome} (range 0-{mask})",
                self.relation_text(),
                self.value
            ));
            (self.value, self.mask) = (0, 0);
            (self.relation, self.negated) = (Relation::Equal, !outcome);
            return Ok(());
        }
        if self.relation == Relation::Less {
            // less than a number is not greater than the number before
            (self.value, self.negated) = (self.value - 1, !self.negated);
            self.relation = Relation::Greater;
        }
        (self.value, self.mask) = (within(self.value, mask), mask);
        Ok(())
    }

    /// The outcome of a relation that does not depend on the packet.
    fn constant(&self, mask: u32) -> Option<bool> {
        let always = match self.relation {
            Relation::Less if self.value > mask => true,
            Relation::Less if self.value == 0 => false,
            Relation::Greater if self.value >= mask => false,
            _ => return None,
        };
        Some(always != self.negated)
    }

    fn relation_text(&self) -> &'static str {
        match (self.relation, self.negated) {
            (Relation::Greater, false) => ">",
            (Relation::Greater, true) => "<=",
            (Relation::Less, false) => "<",
            (Relation::Less, true) => ">=",
            (Relation::Equal, false) => "=",
            (Relation::Equal, true) => "!=",
        }
    }

    fn check_ends(&mut self, own: Option<Ends>, messages: &mut Messages) {
        if matches!(self.kind, Some(Kind::Host | Kind::Port | Kind::Ether)) {
            self.ends = self.ends.or(Some(Ends::Either));
        } else if own.is_some() {
            messages.warning(self.complaint("'src' or 'dst' ignored"));
        }
    }

    /// A text about this test.
    fn complaint(&self, text: &str) -> String {
        let ends = match self.ends {
            Some(Ends::Src) => "src ",
            Some(Ends::Dst) => "dst ",
            Some(Ends::Either) => "src or dst ",
            Some(Ends::Both) => "src and dst ",
            None => "",
        };
        let kind = self
            .kind
            .map_or_else(|| "<none>".to_owned(), |kind| kind.to_string());
        format!("'{ends}{kind}': {text}")
    }
}

impl Mask {
    /// The mask as the number that it is taken for where addresses make no sense.
    fn number(self) -> u32 {
        match self {
            Self::Number(mask) => mask,
            Self::Ip(mask) => mask.swap_bytes(),
            Self::Ether([a, b, c, d, ..]) => u32::from_le_bytes([a, b, c, d]),
        }
    }
}

/// The number of bits of `mask` such that the same masked values are greater than it as are
/// greater than `value`.
fn within(value: u32, mask: u32) -> u32 {
    let missing = value & !mask;
    if missing == 0 {
        return value;
    }
    // what follows the first bit that the mask lacks is all that it may be
    let below = (1 << missing.ilog2()) - 1;
    (value | below) & mask
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn bounds_within_masks() {
        for mask in 1..64_u32 {
            for value in 0..mask {
                let bound = within(value, mask);
                assert_eq!(bound & mask, bound);
                for packet in 0..64 {
                    let masked = packet & mask;
                    assert_eq!(masked > value, masked > bound, "{masked} > {value}, {mask}");
                }
            }
        }
    }
}
