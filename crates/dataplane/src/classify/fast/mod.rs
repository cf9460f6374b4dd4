//! Programs in a form that decides the same several times faster.
//!
//! A program looks at one value after the other. Here each rule becomes a few [`cubes`]: conditions on
//! [`fields`] of the packet that must all hold. Each field of a packet is found once in a tree, which
//! says in a row of bits the cubes that allow its value; the first bit that all rows have is
//! the cube that decides ([`segment`]). The program itself decides on packets that are too short for some
//! test, and on rules that are too many cubes.

mod cubes;
mod diagram;
mod fields;
mod search;
mod segment;
mod sets;

use super::program::{Draft, Program};
use super::view::View;
use cubes::Cubes;
use segment::Segment;

/// A program and its faster form.
#[derive(Clone, Debug)]
pub struct Matcher {
    program: Program,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// All packets go to this output.
    All(u16),
    /// Up to 64 cubes, 128, or any number.
    Few(Segments<1>),
    Some(Segments<2>),
    Many(Segments<4>),
    /// There is no faster form.
    Steps,
}

#[derive(Clone, Debug)]
struct Segments<const WORDS: usize> {
    list: Vec<Segment<WORDS>>,
    otherwise: u16,
    /// The least length of packets that are looked for.
    length: i32,
}

/// The most cubes of a segment: a row of bits is to be a few lines of the cache.
const SEGMENT: usize = 1024;

impl Matcher {
    /// The matcher of a program that was made from some rules.
    pub(super) fn new(program: Program, rules: &[Draft]) -> Self {
        let form = match (program.all(), Cubes::of(rules)) {
            (Some(all), _) => Form::All(all.port()),
            (None, Ok(cubes)) => match cubes.list.len() {
                0..=64 => Form::Few(Segments::of(&cubes)),
                65..=128 => Form::Some(Segments::of(&cubes)),
                _ => Form::Many(Segments::of(&cubes)),
            },
            (None, Err(diagram::TooLarge)) => Form::Steps,
        };
        Self { program, form }
    }

    /// The program, whose text is that of the handler `program`.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// How much memory the faster form takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::All(_) | Form::Steps => 0,
            Form::Few(segments) => segments.bytes(),
            Form::Some(segments) => segments.bytes(),
            Form::Many(segments) => segments.bytes(),
        }
    }

    /// The output that a packet leaves by; [`NOWHERE`](super::NOWHERE) if it is dropped.
    #[must_use]
    pub fn classify(&self, packet: &impl View) -> u16 {
        match &self.form {
            Form::All(port) => *port,
            Form::Few(segments) => segments.look_up(packet, &self.program),
            Form::Some(segments) => segments.look_up(packet, &self.program),
            Form::Many(segments) => segments.look_up(packet, &self.program),
            Form::Steps => self.program.classify(packet),
        }
    }

    /// Writes the output of each packet, as far as both slices reach.
    pub fn classify_batch<V: View>(&self, packets: &[V], outputs: &mut [u16]) {
        let both = outputs.iter_mut().zip(packets);
        let program = &self.program;
        match &self.form {
            Form::All(port) => both.for_each(|(output, _)| *output = *port),
            Form::Few(few) => {
                both.for_each(|(output, packet)| *output = few.look_up(packet, program))
            }
            Form::Some(some) => {
                both.for_each(|(output, packet)| *output = some.look_up(packet, program))
            }
            Form::Many(many) => {
                both.for_each(|(output, packet)| *output = many.look_up(packet, program))
            }
            Form::Steps => both.for_each(|(output, packet)| *output = program.classify(packet)),
        }
    }
}

impl<const WORDS: usize> Segments<WORDS> {
    fn of(cubes: &Cubes) -> Self {
        let segment = |list| Segment::of(&cubes.fields, list);
        Self {
            list: cubes.list.chunks(SEGMENT).map(segment).collect(),
            otherwise: cubes.otherwise.port(),
            length: cubes.length,
        }
    }

    /// The output of a packet; the program decides on packets that are too short.
    #[inline]
    fn look_up(&self, packet: &impl View, program: &Program) -> u16 {
        if packet.length() < self.length {
            return program.classify(packet);
        }
        let found = self.list.iter().find_map(|segment| segment.look_up(packet));
        found.unwrap_or(self.otherwise)
    }

    fn bytes(&self) -> usize {
        self.list.iter().map(Segment::bytes).sum()
    }
}
