//! The codes by which an element class says what its ports are: how many, push or pull, and which
//! inputs reach which outputs.

use std::ops::RangeInclusive;

/// Whether packets are pushed or pulled through a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The side of the output acts.
    Push,
    /// The side of the input acts.
    Pull,
    /// Whatever the neighbours do; treated as push where they say nothing either.
    Agnostic,
}

impl Mode {
    /// Click's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Push => "push",
            Mode::Pull => "pull",
            Mode::Agnostic => "agnostic",
        }
    }
}

/// What a port count code allows: `1/1`, `1-2/0`, `-/1-`, `1-/=+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortCount {
    /// How many inputs.
    pub inputs: RangeInclusive<usize>,
    /// How many outputs.
    pub outputs: Outputs,
}

/// How many outputs a port count code allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// These.
    Range(RangeInclusive<usize>),
    /// As many as there are inputs, and so many more.
    Inputs(usize),
}

impl PortCount {
    /// Reads a code; `None` where it is none. One without a slash says the same for both sides.
    pub fn parse(code: &str) -> Option<Self> {
        let (inputs, outputs) = code.split_once('/').unwrap_or((code, code));
        let outputs = match outputs.strip_prefix('=') {
            Some(plus) if plus.bytes().all(|b| b == b'+') => Outputs::Inputs(plus.len()),
            Some(_) => return None,
            None => Outputs::Range(range(outputs)?),
        };
        Some(Self {
            inputs: range(inputs)?,
            outputs,
        })
    }

    /// How many ports an element has of which so many are used.
    pub fn actual(&self, inputs: usize, outputs: usize) -> (usize, usize) {
        let clamp = |n: usize, r: &RangeInclusive<usize>| n.max(*r.start()).min(*r.end());
        let inputs = clamp(inputs, &self.inputs);
        let outputs = match &self.outputs {
            Outputs::Range(range) => clamp(outputs, range),
            Outputs::Inputs(more) => inputs + more,
        };
        (inputs, outputs)
    }
}

fn range(text: &str) -> Option<RangeInclusive<usize>> {
    let Some((low, high)) = text.split_once('-') else {
        let count = text.parse().ok()?;
        return Some(count..=count);
    };
    let number = |text: &str, empty| match text {
        "" => Some(empty),
        digits => digits.parse().ok(),
    };
    Some(number(low, 0)?..=number(high, usize::MAX)?)
}

/// The mode of one port by a processing code: `h` push, `l` pull, `a` agnostic, one letter a port,
/// the last one for all that follow. `None` where the code is wrong.
pub fn mode(code: &str, port: usize, output: bool) -> Option<Mode> {
    let (inputs, outputs) = code.split_once('/').unwrap_or((code, code));
    let side = if output { outputs } else { inputs }.as_bytes();
    match side.get(port).or(side.last())? {
        b'h' => Some(Mode::Push),
        b'l' => Some(Mode::Pull),
        b'a' => Some(Mode::Agnostic),
        _ => None,
    }
}

/// One port's part of a flow code.
struct Part<'a> {
    letters: &'a str,
    negated: bool,
    port: usize,
}

impl<'a> Part<'a> {
    fn new(side: &'a str, port: usize) -> Self {
        let (mut rest, mut part) = (side, "");
        for _ in 0..=port {
            let end = match rest.strip_prefix('[') {
                Some(inner) => inner.find(']').map_or(rest.len(), |i| i + 2),
                None => rest.chars().next().map_or(0, char::len_utf8),
            };
            if end == 0 {
                break;
            }
            (part, rest) = rest.split_at(end);
        }
        let letters = part.trim_start_matches('[').trim_end_matches(']');
        Self {
            letters: letters.strip_prefix('^').unwrap_or(letters),
            negated: letters.starts_with('^'),
            port,
        }
    }

    fn has(&self, c: char) -> bool {
        self.letters.contains(c) != self.negated
    }

    fn has_number(&self, port: usize) -> bool {
        (self.letters.contains('#') && self.port == port) != self.negated
    }
}

/// Whether packets from an input can reach an output by a flow code: `x/x`, `x/y`, `#/[^#]`.
/// An empty code means `x/x`.
pub fn flows(code: &str, input: usize, output: usize) -> bool {
    if code.is_empty() || code == "x/x" {
        return true;
    }
    let (inputs, outputs) = code.split_once('/').unwrap_or((code, code));
    let (from, to) = (Part::new(inputs, input), Part::new(outputs, output));
    let letters = ('a'..='z').chain('A'..='Z');
    let mut any = letters.filter(|c| from.has(*c) && to.has(*c));
    any.next().is_some()
        || [input, output]
            .iter()
            .any(|n| from.has_number(*n) && to.has_number(*n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_counts() {
        let actual = |code: &str, i, o| PortCount::parse(code).unwrap().actual(i, o);
        assert_eq!(actual("1/1", 0, 3), (1, 1));
        assert_eq!(actual("1-2/0", 3, 1), (2, 0));
        assert_eq!(actual("-", 5, 2), (5, 2));
        assert_eq!(actual("1-/=+", 3, 0), (3, 4));
        assert_eq!(PortCount::parse("x/1"), None);
    }

    #[test]
    fn modes_repeat_their_last_letter() {
        assert_eq!(mode("a/ah", 5, true), Some(Mode::Push));
        assert_eq!(mode("a/ah", 5, false), Some(Mode::Agnostic));
        assert_eq!(mode("l", 0, true), Some(Mode::Pull));
        assert_eq!(mode("q/", 0, false), None);
        assert_eq!(mode("h/", 0, true), None);
    }

    #[test]
    fn flows_follow_letters_and_numbers() {
        assert!(flows("", 3, 4));
        assert!(!flows("x/y", 0, 0));
        assert!(flows("xy/x", 0, 7) && !flows("xy/x", 1, 0));
        assert!(flows("#/#", 2, 2) && !flows("#/#", 2, 1));
        assert!(flows("#/[^#]", 2, 1) && !flows("#/[^#]", 2, 2));
        assert!(flows("xy/[xy]x", 1, 0) && !flows("xy/[xy]x", 1, 1));
    }
}
