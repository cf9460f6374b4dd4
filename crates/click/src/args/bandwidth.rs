//! Rates of data: bytes a second unless their unit says bits.

use super::context::Context;
use super::decimal::Decimal;
use super::real::unparse_decimals;
use super::seconds::rounded;
use super::units::{self, Measure, Unit};
use super::value::{FromArg, Wrong};

const UNITS: [Unit; 5] = [
    ("baud", -3, 125),
    ("bps", -3, 125),
    ("b/s", -3, 125),
    ("Bps", 0, 1),
    ("B/s", 0, 1),
];

const PREFIXES: [(char, i32); 4] = [('k', 3), ('K', 3), ('M', 6), ('G', 9)];

/// A rate of data. It prints as Click does (`BandwidthArg::unparse`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes a second.
    pub bytes: u64,
    /// Whether it was written without a unit and is not zero: elements warn that they take it as
    /// bytes a second.
    pub unitless: bool,
}

impl FromArg for Bandwidth {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        let Measure {
            number,
            power,
            factor,
            unitless,
        } = units::split(text, &UNITS, &PREFIXES);
        let number = Decimal::read(number, false, power).ok_or_else(Wrong::form)?;
        let bytes = rounded(&number, factor).ok_or_else(Wrong::range)?;
        Ok(Self {
            bytes,
            unitless: unitless && bytes > 0,
        })
    }
}

impl std::fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        let (value, digits, unit) = match bytes {
            0x2000_0000.. => (bytes, 6, "MBps"),
            125_000_000.. => (bytes * 8, 9, "Gbps"),
            125_000.. => (bytes * 8, 6, "Mbps"),
            _ => (bytes * 8, 3, "kbps"),
        };
        write!(f, "{}{unit}", unparse_decimals(value, digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Bandwidth, String> {
        Bandwidth::from_arg(text, &Context::none()).map_err(|w| w.to_string())
    }

    #[test]
    fn units_of_rates() {
        for (text, bytes) in [
            ("1Mbps", 125_000),
            ("8 kb/s", 1_000),
            ("100baud", 13),
            ("1.5MB/s", 1_500_000),
            ("100Gbps", 12_500_000_000),
            ("7bps", 1),
        ] {
            assert_eq!(
                read(text),
                Ok(Bandwidth {
                    bytes,
                    unitless: false
                }),
                "{text}"
            );
        }
        assert_eq!(
            read("99"),
            Ok(Bandwidth {
                bytes: 99,
                unitless: true
            })
        );
        assert_eq!(read("0"), Ok(Bandwidth::default()));
        assert_eq!(read("1k"), Err("parse error".into()));
        assert_eq!(read("1e20Bps"), Err("out of range".into()));
    }

    #[test]
    fn rates_print_as_click_does() {
        for text in ["8kbps", "1Mbps", "2.5Gbps", "1000MBps"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }
}
