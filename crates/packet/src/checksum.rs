//! The Internet checksum (RFC 1071), its incremental form (RFC 1624), and CRC-32C for SCTP
//! (RFC 9260, appendix A).

/// A ones' complement sum in the making. Pieces that are added must start at an even place of
/// what is summed; only the last may have an odd length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(0)
    }

    /// Adds bytes, padded with a zero byte if their number is odd.
    #[must_use]
    pub fn bytes(self, data: &[u8]) -> Self {
        let words = data.chunks_exact(4);
        let rest = words.remainder();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        // 2^32 words fit before the sum could overflow; no packet is that long
        let whole: u64 = words
            .map(|w| u64::from(u32::from_be_bytes([w[0], w[1], w[2], w[3]])))
            .sum();
        Self(Self(self.0 + whole).reduced() + u64::from(u32::from_be_bytes(last)))
    }

    /// Adds one 16-bit word.
    #[must_use]
    pub fn word(self, word: u16) -> Self {
        Self(self.0 + u64::from(word))
    }

    /// Adds the IPv4 pseudo header of TCP and UDP (RFC 9293, 3.1).
    #[must_use]
    pub fn pseudo_v4(
        self,
        source: [u8; 4],
        destination: [u8; 4],
        protocol: u8,
        length: usize,
    ) -> Self {
        self.bytes(&source)
            .bytes(&destination)
            .upper(protocol, length)
    }

    /// Adds the IPv6 pseudo header (RFC 8200, 8.1). `destination` is the final one.
    #[must_use]
    pub fn pseudo_v6(
        self,
        source: [u8; 16],
        destination: [u8; 16],
        protocol: u8,
        length: usize,
    ) -> Self {
        self.bytes(&source)
            .bytes(&destination)
            .upper(protocol, length)
    }

    fn upper(self, protocol: u8, length: usize) -> Self {
        Self(self.0 + u64::from(protocol) + length as u64)
    }

    fn reduced(self) -> u64 {
        (self.0 & 0xffff_ffff) + (self.0 >> 32)
    }

    /// The sum as 16 bits, carries added.
    pub fn fold(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    /// The checksum: the sum's complement.
    pub fn checksum(self) -> u16 {
        !self.fold()
    }
}

/// The Internet checksum of `data`. Zero when `data` holds its own right checksum.
pub fn internet(data: &[u8]) -> u16 {
    Sum::new().bytes(data).checksum()
}

/// The checksum after one of the words that it covers changed (RFC 1624, equation 3).
pub fn update(checksum: u16, old: u16, new: u16) -> u16 {
    Sum::new().word(!checksum).word(!old).word(new).checksum()
}

/// CRC-32C (Castagnoli) of pieces that follow each other, as SCTP puts it into its header:
/// least significant byte first.
pub fn crc32c(pieces: &[&[u8]]) -> [u8; 4] {
    let mut crc = !0_u32;
    for byte in pieces.iter().copied().flatten() {
        crc = (crc >> 8) ^ CRC_TABLE[usize::from(crc as u8 ^ byte)];
    }
    (!crc).to_le_bytes()
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            // the polynomial 0x1EDC6F41, its bits reversed
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Word by word with the carry added at once, as the RFC explains it.
    fn slow(data: &[u8]) -> u16 {
        let mut sum: u32 = 0;
        for pair in data.chunks(2) {
            sum += u32::from(pair[0]) * 256 + pair.get(1).map_or(0, |b| u32::from(*b));
            if sum >= 0x1_0000 {
                sum -= 0xffff;
            }
        }
        0xffff - sum as u16
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 1071, section 3: the sum of these bytes is ddf2
        assert_eq!(internet(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn crc32c_has_its_check_value() {
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xe306_9283_u32.to_le_bytes());
    }

    proptest! {
        #[test]
        fn agrees_with_the_slow_one(data in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(internet(&data), slow(&data));
        }

        #[test]
        fn an_update_is_as_good_as_a_new_sum(
            mut data in proptest::collection::vec(any::<u8>(), 2..100), new: u16, at: prop::sample::Index,
        ) {
            let at = at.index(data.len() / 2) * 2;
            data.push(1); // never all zero: there the two zeros of ones' complement differ
            let before = internet(&data);
            let old = u16::from_be_bytes([data[at], data[at + 1]]);
            data[at..at + 2].copy_from_slice(&new.to_be_bytes());
            prop_assert_eq!(update(before, old, new), internet(&data));
        }
    }
}
