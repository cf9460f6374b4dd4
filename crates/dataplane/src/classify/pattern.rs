//! Patterns of `Classifier`: bytes at an offset, written in hexadecimal.
//!
//! A pattern is a list of clauses `[!]OFFSET/VALUE[%MASK]` that must all match, `?` in the value
//! standing for any four bits; or `-`, which matches every packet.

use super::message::Messages;
use super::program::{Draft, Join, Jump, Tree};

/// The greatest offset of a byte that a pattern may ask for.
const MAX_OFFSET: usize = 32767;

/// Reads patterns, one for each output from 0 on, for packets whose first byte stands `align` bytes
/// after a multiple of four. They are of use only if there are no errors.
pub(super) fn parse(patterns: &[&str], align: u16, messages: &mut Messages) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (slot, pattern) in patterns.iter().enumerate() {
        messages.about(slot);
        let mut tree = Tree::new(align);
        tree.open();
        if *pattern != "-" {
            let text = pattern.as_bytes();
            Clauses {
                text,
                align,
                tree: &mut tree,
                messages,
            }
            .read();
        }
        if tree.len() == 0 {
            tree.always();
        }
        tree.finish_to(Join::And, Jump::output(slot), Jump::FAILURE);
        drafts.push(tree.draft());
    }
    messages.about_all();
    drafts
}

/// One program of many, each of which sees what the one before does not match.
pub(super) fn merge(drafts: &[Draft], align: u16) -> Draft {
    let mut drafts = drafts.iter();
    let mut draft = drafts
        .next()
        .cloned()
        .unwrap_or_else(|| Draft::empty(align));
    drafts.for_each(|next| draft.or(next));
    draft.set_failure(Jump::NEVER);
    draft.optimize(|offset| offset);
    draft
}

/// A pattern being read.
struct Clauses<'a> {
    /// What is left of it.
    text: &'a [u8],
    align: u16,
    tree: &'a mut Tree,
    messages: &'a mut Messages,
}

impl<'a> Clauses<'a> {
    fn read(&mut self) {
        loop {
            self.take(u8::is_ascii_whitespace);
            if self.text.is_empty() || self.clause().is_none() {
                return;
            }
        }
    }

    /// Takes the bytes that fit.
    fn take(&mut self, fits: impl Fn(&u8) -> bool) -> &'a [u8] {
        let end = self
            .text
            .iter()
            .position(|byte| !fits(byte))
            .unwrap_or(self.text.len());
        let (taken, rest) = self.text.split_at(end);
        self.text = rest;
        taken
    }

    fn take_byte(&mut self, byte: u8) -> bool {
        let rest = self.text.strip_prefix(&[byte]);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    /// Reads one clause; `None` if the rest of the pattern makes no sense.
    fn clause(&mut self) -> Option<()> {
        let negated = self.take_byte(b'!');
        if negated {
            self.take(u8::is_ascii_whitespace);
        }
        let offset = self.offset()?;
        let hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'?';
        let value = self.take(hex);
        let mask = if self.take_byte(b'%') {
            Some(self.take(hex))
        } else {
            None
        };
        let (value, mask) = self.same_length(value, mask);
        if offset + value.len() / 2 > MAX_OFFSET {
            self.messages.error(format_args!(
                "offset {offset} too large, at most {MAX_OFFSET}"
            ));
            return None;
        }
        self.tree.open();
        self.bytes(offset + usize::from(self.align), value, mask);
        self.tree.finish(Join::And);
        if negated {
            self.tree.negate();
        }
        Some(())
    }

    fn offset(&mut self) -> Option<usize> {
        let digits = self.take(u8::is_ascii_digit);
        if digits.is_empty() {
            self.messages.error("expected a digit");
            return None;
        }
        if !self.take_byte(b'/') {
            self.messages.error("expected '/'");
            return None;
        }
        let digit = |value: usize, &digit: &u8| {
            value
                .saturating_mul(10)
                .saturating_add(usize::from(digit - b'0'))
        };
        Some(digits.iter().fold(0, digit).min(MAX_OFFSET + 1))
    }

    /// Complains about values and masks that are not of the same whole bytes; those that are left
    /// are.
    fn same_length(
        &mut self,
        mut value: &'a [u8],
        mut mask: Option<&'a [u8]>,
    ) -> (&'a [u8], Option<&'a [u8]>) {
        if value.len() < 2 {
            self.messages.error("value has less than 2 hex digits");
            (value, mask) = (&[], mask.map(|_| &[][..]));
        }
        if !value.len().is_multiple_of(2) {
            self.messages.error("value has odd number of hex digits");
            value = &value[..value.len() - 1];
            mask = mask.map(|mask| &mask[..mask.len().saturating_sub(1)]);
        }
        let digits = mask.map_or(value.len(), <[u8]>::len);
        if digits != value.len() {
            let how = if digits > value.len() { "many" } else { "few" };
            self.messages
                .error(format_args!("mask has too {how} hex digits"));
        }
        let both = value.len().min(digits);
        (&value[..both], mask.map(|mask| &mask[..both]))
    }

    /// Tests for the bytes, a word at a time.
    fn bytes(&mut self, offset: usize, value: &[u8], mask: Option<&[u8]>) {
        let (mut word, mut test) = (offset / 4, (0, 0));
        for (i, value) in value.chunks_exact(2).enumerate() {
            let at = offset + i;
            if at / 4 != word {
                self.word(word, test);
                (word, test) = (at / 4, (0, 0));
            }
            let (byte, mut bits) = byte(value);
            if let Some(mask) = mask {
                let (mask, known) = self::byte(&mask[2 * i..2 * i + 2]);
                bits &= mask & known;
            }
            let shift = 24 - 8 * (at % 4);
            test.0 |= u32::from(byte & bits) << shift;
            test.1 |= u32::from(bits) << shift;
        }
        if !value.is_empty() {
            self.word(word, test);
        }
    }

    fn word(&mut self, word: usize, (value, mask): (u32, u32)) {
        // at most MAX_OFFSET and the alignment
        self.tree.test((word * 4) as u16, value, mask);
    }
}

/// The byte that two digits are, and which of its bits they give.
fn byte(digits: &[u8]) -> (u8, u8) {
    let digit = |&digit: &u8| {
        (
            char::from(digit).to_digit(16).unwrap_or(0) as u8,
            if digit == b'?' { 0 } else { 15 },
        )
    };
    digits
        .iter()
        .map(digit)
        .fold((0, 0), |(value, mask), (v, m)| {
            (value << 4 | v, mask << 4 | m)
        })
}
