//! Hardware addresses.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// An address from names: FNV-1a over them, locally administered and unicast, so that a lab
    /// has the same addresses at every start.
    pub fn from_names(names: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in names.join("\0").bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // the upper bits of FNV-1a are mixed well, the lower ones less so
        let mut b = (hash ^ (hash >> 29)).to_be_bytes();
        b[0] = (b[0] | 0x02) & 0xfe;
        Self([b[0], b[1], b[2], b[3], b[4], b[5]])
    }

    /// Whether it is a group address, which no interface may have.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with the text of a MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// Not six pairs of hexadecimal digits.
    #[error("a MAC address is six pairs of hexadecimal digits, like 02:00:00:00:00:01")]
    Form,
    /// A group address.
    #[error("a MAC address whose first byte is odd names a group, not an interface")]
    Group,
    /// All zeros.
    #[error("00:00:00:00:00:00 is no interface's address")]
    Zero,
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let parts: Vec<&str> = text.split([':', '-']).collect();
        if parts.len() != 6 {
            return Err(MacError::Form);
        }
        let mut bytes = [0; 6];
        for (byte, part) in bytes.iter_mut().zip(&parts) {
            if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(MacError::Form);
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| MacError::Form)?;
        }
        match Self(bytes) {
            mac if mac.is_multicast() => Err(MacError::Group),
            Self([0, 0, 0, 0, 0, 0]) => Err(MacError::Zero),
            mac => Ok(mac),
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = MacError;
    fn try_from(text: String) -> Result<Self, MacError> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mac: Mac = "02:0a:FF:0:1:9".parse().unwrap();
        assert_eq!(mac.to_string(), "02:0a:ff:00:01:09");
        assert_eq!("01:00:00:00:00:00".parse::<Mac>(), Err(MacError::Group));
        assert_eq!("0:0:0:0:0:0".parse::<Mac>(), Err(MacError::Zero));
        assert_eq!("02:00:00:00:00:zz".parse::<Mac>(), Err(MacError::Form));
        assert_eq!("+2:00:00:00:00:00".parse::<Mac>(), Err(MacError::Form));
    }

    #[test]
    fn made_from_names_local_unicast_and_distinct() {
        let mut seen = std::collections::HashSet::new();
        for n in 0..2000 {
            for i in 0..4 {
                let mac = Mac::from_names(&[&format!("r{n}"), &format!("eth{i}")]);
                assert_eq!(mac.0[0] & 3, 2);
                assert!(seen.insert(mac));
            }
        }
    }
}
