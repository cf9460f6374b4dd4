//! Whole numbers of every width: decimal, `0x` hexadecimal, `0b` binary, with a leading zero
//! octal, with `_` between digits.

use super::context::Context;
use super::value::{FromArg, Parser, Wrong};

/// A type of whole numbers.
pub trait Integer: Copy + PartialOrd + std::fmt::Display {
    /// Whether it has negative values.
    const SIGNED: bool;
    /// The value of this sign and size, or the nearest there is.
    ///
    /// # Errors
    /// The nearest value, when it is another.
    fn of(negative: bool, size: u128) -> Result<Self, Self>;
}

macro_rules! integers {
    ($signed:literal: $($type:ty)*) => { $(
        impl Integer for $type {
            const SIGNED: bool = $signed;

            fn of(negative: bool, size: u128) -> Result<Self, Self> {
                if !negative {
                    return Self::try_from(size).map_err(|_| Self::MAX);
                }
                let value = i128::try_from(size).map_err(|_| Self::MIN)?;
                Self::try_from(-value).map_err(|_| Self::MIN)
            }
        }

        /// With the bound that a number is beyond, if it is.
        impl FromArg for $type {
            fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
                whole(text, 0)?.map_err(Wrong::bound)
            }
        }
    )* };
}

integers!(false: u8 u16 u32 u64 usize);
integers!(true: i8 i16 i32 i64 isize);

/// Numbers in one base, 2 to 36; 0 is the base that the number says itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base(pub u32);

impl<T: Integer> Parser<T> for Base {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<T, Wrong> {
        whole(text, self.0)?.map_err(Wrong::bound)
    }
}

/// Numbers of which those beyond the type's bounds mean the bound (`SaturatingIntArg`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Saturating;

impl<T: Integer> Parser<T> for Saturating {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<T, Wrong> {
        Ok(whole(text, 0)?.unwrap_or_else(|bound| bound))
    }
}

/// Numbers between two bounds, which belong to them (`BoundedIntArg`).
#[derive(Clone, Copy, Debug)]
pub struct Bounded<T> {
    /// The least one.
    pub min: T,
    /// The greatest one.
    pub max: T,
}

impl<T: Integer> Parser<T> for Bounded<T> {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<T, Wrong> {
        let value: T = whole(text, 0)?.unwrap_or_else(|bound| bound);
        if value < self.min {
            Err(Wrong::bound(self.min))
        } else if value > self.max {
            Err(Wrong::bound(self.max))
        } else {
            whole(text, 0)?.map_err(Wrong::bound)
        }
    }
}

/// The number that a whole text is; the inner error is the bound that it is beyond.
fn whole<T: Integer>(text: &str, base: u32) -> Result<Result<T, T>, Wrong> {
    match leading_integer(text, base) {
        Some((value, "")) => Ok(value),
        _ => Err(Wrong::form()),
    }
}

/// The number that a text begins with, or the bound that it is beyond, and what follows it.
/// `None` if it begins with none, or the base is neither 0 nor 2 to 36.
pub fn leading_integer<T: Integer>(text: &str, base: u32) -> Option<(Result<T, T>, &str)> {
    let negative = T::SIGNED && text.starts_with('-');
    let signed = negative || text.starts_with('+');
    let unsigned = &text[usize::from(signed)..];
    let (base, digits) = split_base(unsigned, base)?;
    let length = digits_length(digits, base);
    if length == 0 {
        // `0x` without a digit is a zero before an `x`
        let zero = digits.len() < unsigned.len();
        return zero.then(|| (T::of(negative, 0), &unsigned[1..]));
    }
    let (number, rest) = digits.split_at(length);
    Some((T::of(negative, magnitude(number, base)), rest))
}

/// The base of a number and its digits.
fn split_base(text: &str, base: u32) -> Option<(u32, &str)> {
    let prefixed = |lower: char, upper: char| {
        let rest = text.strip_prefix('0')?.strip_prefix([lower, upper])?;
        (!rest.is_empty()).then_some(rest)
    };
    match base {
        0 | 16 if prefixed('x', 'X').is_some() => Some((16, &text[2..])),
        0 if prefixed('b', 'B').is_some() => Some((2, &text[2..])),
        0 if text.starts_with('0') => Some((8, text)),
        0 => Some((10, text)),
        2..=36 => Some((base, text)),
        _ => None,
    }
}

/// How many bytes the digits are, with single `_` between them.
fn digits_length(text: &str, base: u32) -> usize {
    let mut end = 0;
    for (i, c) in text.char_indices() {
        if c.is_digit(base) {
            end = i + 1;
        } else if c != '_' || end != i || i == 0 {
            break;
        }
    }
    end
}

fn magnitude(digits: &str, base: u32) -> u128 {
    let values = digits.chars().filter_map(|c| c.to_digit(base));
    values.fold(0u128, |value, digit| {
        value
            .saturating_mul(u128::from(base))
            .saturating_add(u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FromArg>(text: &str) -> Result<T, String> {
        T::from_arg(text, &Context::none()).map_err(|w| w.to_string())
    }

    fn with<T>(parser: &impl Parser<T>, text: &str) -> Result<T, String> {
        parser
            .parse(text, &Context::none())
            .map_err(|w| w.to_string())
    }

    #[test]
    fn bases_and_signs() {
        assert_eq!(read("+0x1F"), Ok(31u8));
        assert_eq!(read("017"), Ok(15i32));
        assert_eq!(read("0b101"), Ok(5u16));
        assert_eq!(read("-1_000"), Ok(-1000i16));
        assert_eq!(read("0"), Ok(0u64));
        assert_eq!(with(&Base(10), "017"), Ok(17u8));
        assert_eq!(with(&Base(16), "fF"), Ok(255u8));
        assert_eq!(with(&Base(36), "Zz"), Ok(1295i32));
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "", "+", "-", "08", "0x", "0xg", "1_", "_1", "1__0", "1 ", "0b2", "é", "--1",
        ] {
            assert_eq!(read::<i32>(text), Err("parse error".into()), "{text:?}");
        }
        assert_eq!(read::<u32>("-1"), Err("parse error".into()));
        assert!(with::<u8>(&Base(1), "0").is_err() && with::<u8>(&Base(37), "0").is_err());
    }

    #[test]
    fn bounds() {
        assert_eq!(read::<u8>("256"), Err("out of range, bound 255".into()));
        assert_eq!(read("255"), Ok(255u8));
        assert_eq!(read::<i8>("-129"), Err("out of range, bound -128".into()));
        assert_eq!(read("-128"), Ok(-128i8));
        assert_eq!(read::<i8>("128"), Err("out of range, bound 127".into()));
        assert_eq!(read("18446744073709551615"), Ok(u64::MAX));
        let huge = "9".repeat(5000);
        assert_eq!(
            read::<u64>(&huge),
            Err(format!("out of range, bound {}", u64::MAX))
        );
        assert_eq!(
            read::<i64>(&format!("-{huge}")),
            Err(format!("out of range, bound {}", i64::MIN))
        );
        assert_eq!(with(&Saturating, &huge), Ok(u16::MAX));
        let dice = Bounded { min: 1, max: 6 };
        assert_eq!(with(&dice, "6"), Ok(6u8));
        assert_eq!(with(&dice, "0"), Err("out of range, bound 1".into()));
        assert_eq!(with(&dice, "999"), Err("out of range, bound 6".into()));
    }

    #[test]
    fn numbers_before_other_text() {
        assert_eq!(leading_integer("80/udp", 0), Some((Ok(80u16), "/udp")));
        assert_eq!(leading_integer("0x/", 0), Some((Ok(0u16), "x/")));
        assert_eq!(leading_integer("0xg", 0), Some((Ok(0u16), "xg")));
        assert_eq!(leading_integer("1_", 0), Some((Ok(1u16), "_")));
        assert_eq!(leading_integer::<u16>("x", 0), None);
    }
}
