//! Real numbers: binary and decimal fixed point, floating point.

use super::context::Context;
use super::decimal::Decimal;
use super::value::{FromArg, Parser, Wrong};

/// Numbers in units of 2⁻ᵇⁱᵗˢ, at most 32 bits of fraction (`FixedPointArg`), rounded to nearest.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// How many bits of the result are its fraction.
    pub bits: u32,
}

impl Fixed {
    /// The size of a number; `None` beyond 64 bits.
    fn size(self, number: &Decimal) -> Option<u64> {
        let bits = self.bits.min(32);
        let fraction = number.fraction32();
        let scaled = (u128::from(number.whole()?) << 32) + u128::from(fraction);
        let half = (1u128 << (32 - bits)) >> 1;
        u64::try_from((scaled + half) >> (32 - bits)).ok()
    }
}

impl Parser<u32> for Fixed {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<u32, Wrong> {
        let number = Decimal::read(text, false, 0).ok_or_else(Wrong::form)?;
        let value = self.size(&number).and_then(|v| u32::try_from(v).ok());
        value.ok_or_else(|| Wrong::bound(unparse_fixed(i64::from(u32::MAX), self.bits)))
    }
}

impl Parser<i32> for Fixed {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<i32, Wrong> {
        let number = Decimal::read(text, true, 0).ok_or_else(Wrong::form)?;
        let value = self.size(&number).and_then(|v| signed(v, number.negative));
        let bound = if number.negative { i32::MIN } else { i32::MAX };
        value.ok_or_else(|| Wrong::bound(unparse_fixed(i64::from(bound), self.bits)))
    }
}

fn signed(size: u64, negative: bool) -> Option<i32> {
    let size = i64::try_from(size).ok()?;
    i32::try_from(if negative { -size } else { size }).ok()
}

/// Numbers in units of 10⁻ᵈⁱᵍⁱᵗˢ, at most 9 digits of fraction (`DecimalFixedPointArg`), rounded
/// half up.
#[derive(Clone, Copy, Debug)]
pub struct Decimals {
    /// How many decimal digits of the result are its fraction.
    pub digits: u32,
}

impl Decimals {
    fn size(self, number: &Decimal) -> Option<u64> {
        u64::try_from(number.scaled(self.digits.min(9))?).ok()
    }
}

impl Parser<u32> for Decimals {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<u32, Wrong> {
        let number = Decimal::read(text, false, 0).ok_or_else(Wrong::form)?;
        let value = self.size(&number).and_then(|v| u32::try_from(v).ok());
        value.ok_or_else(Wrong::range)
    }
}

impl Parser<u64> for Decimals {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<u64, Wrong> {
        let number = Decimal::read(text, false, 0).ok_or_else(Wrong::form)?;
        self.size(&number).ok_or_else(Wrong::range)
    }
}

impl Parser<i32> for Decimals {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<i32, Wrong> {
        let number = Decimal::read(text, true, 0).ok_or_else(Wrong::form)?;
        let value = self.size(&number).and_then(|v| signed(v, number.negative));
        value.ok_or_else(Wrong::range)
    }
}

/// As C's `strtod`, without hexadecimal numbers.
impl FromArg for f64 {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        let value: f64 = text.parse().map_err(|_| Wrong::form())?;
        let written = Decimal::read(text, true, 0);
        match written {
            Some(_) if value.is_infinite() => Err(Wrong::bound(value)),
            Some(number) if value == 0.0 && !number.is_zero() => {
                Err(Wrong::because(format!("underflow, rounded to {value}")))
            }
            _ => Ok(value),
        }
    }
}

/// A number in units of 2⁻ᵇⁱᵗˢ with the fewest digits that read as the same number.
pub fn unparse_fixed(value: i64, bits: u32) -> String {
    let bits = bits.min(32);
    let size = value.unsigned_abs();
    let written = |digits: u32| {
        let scaled = u128::from(size) * 10u128.pow(digits) * 2;
        point((scaled >> bits).div_ceil(2), digits)
    };
    let same = |text: &String| {
        let number = Decimal::read(text, false, 0);
        number.and_then(|n| Fixed { bits }.size(&n)) == Some(size)
    };
    let short = (0..10).map(written).find(same);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", short.unwrap_or_else(|| written(10)))
}

/// A number in units of 10⁻ᵈⁱᵍⁱᵗˢ (at most 19), without zeros at its end (`cp_unparse_real10`).
pub fn unparse_decimals(value: i64, digits: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let text = point(u128::from(value.unsigned_abs()), digits.min(19));
    let short = text.trim_end_matches('0').trim_end_matches('.');
    let text = if text.contains('.') { short } else { &text };
    format!("{sign}{text}")
}

fn point(value: u128, digits: u32) -> String {
    let one = 10u128.pow(digits);
    if digits == 0 {
        return value.to_string();
    }
    let width = usize::try_from(digits).unwrap_or(0);
    format!("{}.{:0width$}", value / one, value % one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(parser: &impl Parser<T>, text: &str) -> Result<T, String> {
        parser
            .parse(text, &Context::none())
            .map_err(|w| w.to_string())
    }

    #[test]
    fn fixed_point() {
        let sixteen = Fixed { bits: 16 };
        assert_eq!(read(&sixteen, "0.5"), Ok(0x8000u32));
        assert_eq!(read(&sixteen, "-1.25"), Ok(-0x1_4000i32));
        assert_eq!(read(&sixteen, ".999999"), Ok(0x1_0000u32));
        assert_eq!(read(&Fixed { bits: 32 }, ".5"), Ok(0x8000_0000u32));
        assert_eq!(read(&Fixed { bits: 0 }, "2.5"), Ok(3u32));
        let wrong = read::<u32>(&sixteen, "65536").unwrap_err();
        assert_eq!(wrong, "out of range, bound 65535.99998");
        let wrong = read::<i32>(&sixteen, "-1e9").unwrap_err();
        assert_eq!(wrong, "out of range, bound -32768");
        assert!(read::<u32>(&sixteen, "-1").is_err());
    }

    #[test]
    fn decimals() {
        let three = Decimals { digits: 3 };
        assert_eq!(read(&three, "1.2345"), Ok(1235u32));
        assert_eq!(read(&three, "-1.2345"), Ok(-1235i32));
        assert_eq!(read(&three, "5e6"), Ok(5_000_000_000u64));
        assert_eq!(read::<u32>(&three, "5e6"), Err("out of range".into()));
    }

    #[test]
    fn floating_point() {
        let read = |text| f64::from_arg(text, &Context::none()).map_err(|w| w.to_string());
        assert_eq!(read("1.5e3"), Ok(1500.0));
        assert_eq!(read("1e999"), Err("out of range, bound inf".into()));
        assert_eq!(read("1e-999"), Err("underflow, rounded to 0".into()));
        assert_eq!(read("0e-999"), Ok(0.0));
        assert_eq!(read(" 1"), Err("parse error".into()));
        assert_eq!(read("1x"), Err("parse error".into()));
    }

    #[test]
    fn numbers_back_to_text() {
        assert_eq!(unparse_fixed(0x8000, 16), "0.5");
        assert_eq!(unparse_fixed(1, 16), "0.00002");
        assert_eq!(unparse_fixed(-3, 1), "-1.5");
        assert_eq!(unparse_decimals(1_500, 3), "1.5");
        assert_eq!(unparse_decimals(100, 0), "100");
        assert_eq!(unparse_decimals(-1_000, 3), "-1");
        for value in [1i64, 7, 65_537, 0x7fff_ffff, 0xffff_ffff] {
            for bits in 0..=32 {
                let text = unparse_fixed(value, bits);
                assert_eq!(
                    read::<u32>(&Fixed { bits }, &text),
                    Ok(value as u32),
                    "{text} {bits}"
                );
            }
        }
    }
}
