//! A fast keyed hash: SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with one
//! round a word and three at the end, as it guards hash tables elsewhere.

use std::hash::Hasher;

/// The state of a hash under a secret key.
pub(super) struct Keyed {
    state: [u64; 4],
    /// Bytes that do not make a word yet, from the lowest.
    tail: u64,
    length: u64,
}

impl Keyed {
    /// Begins a hash under `key`.
    pub(super) fn new(key: [u64; 2]) -> Self {
        let state = [
            key[0] ^ 0x736f_6d65_7073_6575,
            key[1] ^ 0x646f_7261_6e64_6f6d,
            key[0] ^ 0x6c79_6765_6e65_7261,
            key[1] ^ 0x7465_6462_7974_6573,
        ];
        Self {
            state,
            tail: 0,
            length: 0,
        }
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.state[3] ^= word;
        round(&mut self.state);
        self.state[0] ^= word;
    }

    /// Adds the low `bytes` bytes (1 to 8) of `value`, above which it is zero.
    #[inline]
    fn add(&mut self, value: u64, bytes: u64) {
        let filled = self.length % 8;
        self.length += bytes;
        self.tail |= value << (8 * filled);
        if filled + bytes >= 8 {
            let word = self.tail;
            self.word(word);
            self.tail = if filled == 0 {
                0
            } else {
                value >> (8 * (8 - filled))
            };
        }
    }
}

#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

impl Hasher for Keyed {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.add(u64::from(byte), 1));
    }

    fn write_u8(&mut self, value: u8) {
        self.add(u64::from(value), 1);
    }

    fn write_u16(&mut self, value: u16) {
        self.add(u64::from(value), 2);
    }

    fn write_u32(&mut self, value: u32) {
        self.add(u64::from(value), 4);
    }

    fn write_u64(&mut self, value: u64) {
        self.add(value, 8);
    }

    fn finish(&self) -> u64 {
        let mut end = Self {
            state: self.state,
            tail: 0,
            length: 0,
        };
        end.word(self.tail | self.length << 56);
        end.state[2] ^= 0xff;
        for _ in 0..3 {
            round(&mut end.state);
        }
        end.state.iter().fold(0, |all, word| all ^ word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_matter_but_keys_do() {
        let hash = |key, parts: &[&[u8]]| {
            let mut hasher = Keyed::new(key);
            parts.iter().for_each(|part| hasher.write(part));
            hasher.finish()
        };
        let whole = hash([1, 2], &[b"0123456789abc"]);
        assert_eq!(whole, hash([1, 2], &[b"01234", b"56789ab", b"c"]));
        assert_ne!(whole, hash([1, 3], &[b"0123456789abc"]));
        let mut numbers = Keyed::new([1, 2]);
        numbers.write_u16(0x3130);
        numbers.write_u64(0x3938_3736_3534_3332);
        numbers.write(b"abc");
        assert_eq!(numbers.finish(), whole);
    }

    #[test]
    fn the_same_as_the_standard_librarys() {
        // the library's hasher is SipHash-1-3 under the key 0, 0
        let mut ours = Keyed::new([0, 0]);
        let mut default = std::collections::hash_map::DefaultHasher::new();
        for hasher in [&mut ours as &mut dyn Hasher, &mut default] {
            hasher.write(b"a text of more than two words");
        }
        assert_eq!(ours.finish(), default.finish());
    }
}
