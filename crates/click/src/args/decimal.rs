//! Decimal numbers as they are written: digits, a point, an exponent. Exact until something takes
//! a part of them.

/// Digits of a fraction that are looked at; none of Click's types shows one beyond.
const FRACTION_DIGITS: i64 = 40;

/// An exponent that no number of these types reaches.
const FAR: i64 = 1_000_000;

/// 0.d₁d₂d₃… × 10^point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// The number that a whole text is, times ten to the `power`.
    pub(super) fn read(text: &str, signed: bool, power: i32) -> Option<Self> {
        let negative = signed && text.starts_with('-');
        let signs = usize::from(negative || text.starts_with('+'));
        let (digits, whole, rest) = mantissa(&text[signs..])?;
        let exponent = if rest.is_empty() { 0 } else { exponent(rest)? };
        let whole = i64::try_from(whole).unwrap_or(FAR);
        Some(Self {
            negative,
            digits,
            point: (whole + exponent + i64::from(power)).clamp(-FAR, FAR),
        })
    }

    fn digit(&self, index: i64) -> u64 {
        let index = usize::try_from(index).ok();
        index
            .and_then(|i| self.digits.get(i))
            .map_or(0, |d| u64::from(*d))
    }

    /// The whole part; `None` beyond 64 bits.
    pub(super) fn whole(&self) -> Option<u64> {
        let mut value = 0u64;
        for index in 0..self.point {
            if value == 0 && usize::try_from(index).is_ok_and(|i| i >= self.digits.len()) {
                break;
            }
            value = value.checked_mul(10)?.checked_add(self.digit(index))?;
        }
        Some(value)
    }

    /// The number times 10^`digits` (at most 19), rounded half up; `None` beyond 64 bits each of
    /// the whole part and the fraction.
    pub(super) fn scaled(&self, digits: u32) -> Option<u128> {
        let mut value = u128::from(self.whole()?);
        for i in 0..i64::from(digits) {
            value = value * 10 + u128::from(self.digit(self.point + i));
        }
        Some(value + u128::from(self.digit(self.point + i64::from(digits)) >= 5))
    }

    /// The fraction in units of 2⁻³², rounded to nearest; 2³² if it rounds up to one. From the
    /// last digit backwards, as in Knuth's TeX (`round_decimals`).
    pub(super) fn fraction32(&self) -> u64 {
        let mut sum = 0u64;
        for i in (0..FRACTION_DIGITS).rev() {
            sum = (sum + (self.digit(self.point + i) << 33)) / 10;
        }
        (sum + 1) >> 1
    }

    /// Whether any digit is not zero.
    pub(super) fn is_zero(&self) -> bool {
        self.digits.iter().all(|d| *d == 0)
    }
}

/// The digits, how many of them stand before the point, and what follows.
fn mantissa(text: &str) -> Option<(Vec<u8>, usize, &str)> {
    let mut digits = Vec::new();
    let mut whole = None;
    let mut after_digit = false;
    let mut end = 0;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits.push(byte - b'0'),
            b'_' if after_digit => {
                after_digit = false;
                continue;
            }
            b'.' if whole.is_none() && (after_digit || i == 0) => whole = Some(digits.len()),
            _ => break,
        }
        after_digit = byte != b'.';
        end = i + 1;
    }
    let whole = whole.unwrap_or(digits.len());
    (!digits.is_empty()).then(|| (digits, whole, &text[end..]))
}

/// `e12`, `E-3`: a whole text.
fn exponent(text: &str) -> Option<i64> {
    let text = text.strip_prefix(['e', 'E'])?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().unwrap_or(FAR).min(FAR);
    Some(if text.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decimal {
        Decimal::read(text, true, 0).unwrap()
    }

    #[test]
    fn forms() {
        assert_eq!(read("+10.").scaled(1), Some(100));
        assert_eq!(read(".1").scaled(1), Some(1));
        assert_eq!(read("0.000_000_01e10").scaled(0), Some(100));
        assert_eq!(read("1e8").whole(), Some(100_000_000));
        assert_eq!(read("123e-5").scaled(5), Some(123));
        assert!(read("-1_0").negative);
        for text in [
            "", ".", "-", "e1", "1e", "1e+", "1..2", "1.2.3", "_1", "1_", "1x", "1._2", "- 1",
        ] {
            assert_eq!(Decimal::read(text, true, 0), None, "{text:?}");
        }
        assert_eq!(Decimal::read("-1", false, 0), None);
    }

    #[test]
    fn parts() {
        assert_eq!(read("1.05").scaled(1), Some(11));
        assert_eq!(read("1.0499").scaled(1), Some(10));
        assert_eq!(read("0.5").fraction32(), 1 << 31);
        assert_eq!(read("0.99999999999").fraction32(), 1 << 32);
        assert_eq!(read("5e-2").fraction32(), 214_748_365);
        assert_eq!(read("18446744073709551615").whole(), Some(u64::MAX));
        assert_eq!(read("18446744073709551616").whole(), None);
    }

    #[test]
    fn far_exponents_are_quick() {
        assert_eq!(read("1e999999999999999999999").whole(), None);
        assert_eq!(read("0e999999999").whole(), Some(0));
        assert_eq!(read("1e-999999999").scaled(9), Some(0));
        assert_eq!(Decimal::read("5", false, -3).unwrap().scaled(3), Some(5));
    }
}
