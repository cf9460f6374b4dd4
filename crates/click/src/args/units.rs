//! Units behind numbers: what they multiply a number with.

use super::scan;

/// A unit: its name, the power of ten and the factor that it stands for.
pub(super) type Unit = (&'static str, i32, u32);

/// A text without its unit, and what the unit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measure<'a> {
    pub(super) number: &'a str,
    pub(super) power: i32,
    pub(super) factor: u32,
    pub(super) unitless: bool,
}

/// Splits a unit of `units`, and a letter of `prefixes` before it, from the end of a text.
pub(super) fn split<'a>(text: &'a str, units: &[Unit], prefixes: &[(char, i32)]) -> Measure<'a> {
    let found = units
        .iter()
        .find_map(|unit| Some((unit, text.strip_suffix(unit.0)?)));
    let Some(((_, power, factor), mut number)) = found else {
        return Measure {
            number: text,
            power: 0,
            factor: 1,
            unitless: true,
        };
    };
    let mut power = *power;
    let prefixed = prefixes
        .iter()
        .find_map(|(c, p)| Some((number.strip_suffix(*c)?, p)));
    if let Some((rest, prefix)) = prefixed {
        number = rest;
        power += prefix;
    }
    let blank = |c: char| u8::try_from(c).is_ok_and(scan::is_space);
    Measure {
        number: number.trim_end_matches(blank),
        power,
        factor: *factor,
        unitless: false,
    }
}
