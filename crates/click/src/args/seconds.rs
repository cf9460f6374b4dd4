//! Lengths of time: `5`, `2.5s`, `10 ms`, `1hr`.

use std::time::Duration;

use super::context::Context;
use super::decimal::Decimal;
use super::units::{self, Measure, Unit};
use super::value::{FromArg, Parser, Wrong};

const UNITS: [Unit; 8] = [
    ("s", 0, 1),
    ("sec", 0, 1),
    ("m", 1, 6),
    ("min", 1, 6),
    ("h", 2, 36),
    ("hr", 2, 36),
    ("d", 2, 864),
    ("day", 2, 864),
];

const PREFIXES: [(char, i32); 3] = [('m', -3), ('u', -6), ('n', -9)];

/// Seconds in units of 10⁻ᵈⁱᵍⁱᵗˢ, at most 9 digits (`SecondsArg`): with 3, milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seconds {
    /// How many decimal digits of the result are its fraction.
    pub digits: u32,
}

impl Seconds {
    /// The number and its unit, the power for the wanted digits in it.
    fn measure(self, text: &str) -> Measure<'_> {
        let mut measure = units::split(text, &UNITS, &PREFIXES);
        measure.power += i32::try_from(self.digits.min(9)).unwrap_or(9);
        measure
    }

    fn size(self, text: &str) -> Result<u64, Wrong> {
        let Measure {
            number,
            power,
            factor,
            ..
        } = self.measure(text);
        let number = Decimal::read(number, false, power).ok_or_else(Wrong::form)?;
        rounded(&number, factor).ok_or_else(Wrong::range)
    }
}

/// A number times a factor, rounded half up; `None` beyond 64 bits.
pub(super) fn rounded(number: &Decimal, factor: u32) -> Option<u64> {
    const FRACTION: u32 = 18;
    let product = number.scaled(FRACTION)?.checked_mul(u128::from(factor))?;
    let one = 10u128.pow(FRACTION);
    u64::try_from((product + one / 2) / one).ok()
}

impl Parser<u32> for Seconds {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<u32, Wrong> {
        u32::try_from(self.size(text)?).map_err(|_| Wrong::range())
    }
}

impl Parser<u64> for Seconds {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<u64, Wrong> {
        self.size(text)
    }
}

impl Parser<f64> for Seconds {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<f64, Wrong> {
        let Measure {
            number,
            power,
            factor,
            ..
        } = self.measure(text);
        let number = f64::from_arg(number, context)?;
        Ok(number * f64::from(factor) * 10f64.powi(power))
    }
}

/// To the nanosecond.
impl FromArg for Duration {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        Seconds { digits: 9 }.size(text).map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(digits: u32, text: &str) -> Result<T, String>
    where
        Seconds: Parser<T>,
    {
        Seconds { digits }
            .parse(text, &Context::none())
            .map_err(|w| w.to_string())
    }

    #[test]
    fn units_of_time() {
        assert_eq!(read(3, "0.5"), Ok(500u32));
        assert_eq!(read(3, "50ms"), Ok(50u32));
        assert_eq!(read(6, "1.5 msec"), Ok(1_500u32));
        assert_eq!(read(0, "5m"), Ok(300u32));
        assert_eq!(read(0, "1.5hr"), Ok(5_400u32));
        assert_eq!(read(0, "2day"), Ok(172_800u32));
        assert_eq!(read(0, "0.05s"), Ok(0u32));
        assert_eq!(read(0, "0.5"), Ok(1u32));
        assert_eq!(read(9, "0.0000001 min"), Ok(6_000u64));
        assert_eq!(read(0, "1.5min"), Ok(90.0f64));
    }

    #[test]
    fn what_is_no_time() {
        assert_eq!(read::<u32>(0, "-1s"), Err("parse error".into()));
        assert_eq!(read::<u32>(0, "s"), Err("parse error".into()));
        assert_eq!(read::<u32>(0, "1 fortnight"), Err("parse error".into()));
        assert_eq!(read::<u32>(3, "100d"), Err("out of range".into()));
        assert_eq!(read::<u64>(9, "1e999"), Err("out of range".into()));
        let duration = Duration::from_arg("1.25us", &Context::none());
        assert_eq!(duration, Ok(Duration::from_nanos(1_250)));
    }
}
