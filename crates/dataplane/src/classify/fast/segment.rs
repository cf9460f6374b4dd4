//! Cubes as bits: for each field and each set of its values that makes a difference, the cubes
//! that allow them. The first bit that all fields of a packet have is the cube that decides.

use super::cubes::Cube;
use super::fields::Field;
use super::search::Finder;
use crate::classify::view::View;
use std::collections::HashMap;

/// Rows that are found before the first chunk is looked at.
const ROWS: usize = 16;

/// Bits that are looked at together.
type Chunk<const WORDS: usize> = [u64; WORDS];

/// Cubes that are looked for together, so many words of them at a time.
#[derive(Clone, Debug)]
pub(super) struct Segment<const WORDS: usize> {
    columns: Vec<Column<WORDS>>,
    /// How many chunks a row has.
    chunks: usize,
    ports: Vec<u16>,
}

/// What one field says.
#[derive(Clone, Debug)]
struct Column<const WORDS: usize> {
    field: Field,
    finder: Finder,
    bits: Vec<Chunk<WORDS>>,
}

impl<const WORDS: usize> Segment<WORDS> {
    /// Bits of a chunk.
    const BITS: usize = WORDS * 64;

    pub(super) fn of(fields: &[Field], cubes: &[Cube]) -> Self {
        let chunks = cubes.len().div_ceil(Self::BITS);
        let column = |(place, &field): (usize, &Field)| {
            let asked = cubes.iter().any(|cube| cube.set(place).is_some());
            asked.then(|| Column::of(place, field, cubes, chunks))
        };
        let columns = fields.iter().enumerate().filter_map(column).collect();
        Self {
            columns,
            chunks,
            ports: cubes.iter().map(|cube| cube.end.port()).collect(),
        }
    }

    /// The output of a packet that is in some cube.
    #[inline]
    pub(super) fn look_up(&self, packet: &impl View) -> Option<u16> {
        if self.chunks == 1 {
            self.look_up_few(packet)
        } else {
            self.look_up_many(packet)
        }
    }

    /// One chunk: fields are looked at as long as there is a cube left.
    #[inline]
    fn look_up_few(&self, packet: &impl View) -> Option<u16> {
        let mut left = [u64::MAX; WORDS];
        for column in &self.columns {
            and(&mut left, &column.bits[column.row(packet)]);
            if left == [0; WORDS] {
                return None;
            }
        }
        self.port(0, &left)
    }

    /// Several chunks: the rows are found first, then the chunks are looked at in order.
    fn look_up_many(&self, packet: &impl View) -> Option<u16> {
        let mut rows = [0; ROWS];
        let (near, far) = self.columns.split_at(self.columns.len().min(ROWS));
        rows.iter_mut()
            .zip(near)
            .for_each(|(row, column)| *row = column.row(packet));
        (0..self.chunks).find_map(|chunk| {
            let mut left = [u64::MAX; WORDS];
            for (column, row) in near.iter().zip(&rows) {
                and(&mut left, &column.bits[row + chunk]);
            }
            for column in far {
                and(&mut left, &column.bits[column.row(packet) + chunk]);
            }
            self.port(chunk, &left)
        })
    }

    /// The output of the first cube of a chunk that is left.
    #[inline]
    fn port(&self, chunk: usize, left: &Chunk<WORDS>) -> Option<u16> {
        let word = left.iter().position(|&word| word != 0)?;
        let cube = chunk * Self::BITS + word * 64 + left[word].trailing_zeros() as usize;
        self.ports.get(cube).copied()
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let column = |column: &Column<WORDS>| column.finder.bytes() + size_of_val(&column.bits[..]);
        self.columns.iter().map(column).sum::<usize>() + size_of_val(&self.ports[..])
    }
}

#[inline]
fn and<const WORDS: usize>(left: &mut Chunk<WORDS>, row: &Chunk<WORDS>) {
    left.iter_mut()
        .zip(row)
        .for_each(|(left, row)| *left &= row);
}

impl<const WORDS: usize> Column<WORDS> {
    fn of(place: usize, field: Field, cubes: &[Cube], chunks: usize) -> Self {
        let mut row = vec![[0; WORDS]; chunks];
        let mut changes: Vec<(u32, usize)> = Vec::new();
        for (number, cube) in cubes.iter().enumerate() {
            match cube.set(place) {
                None => flip(&mut row, number),
                Some(set) => changes.extend(set.bounds().map(|value| (value, number))),
            }
        }
        changes.sort_unstable();
        let mut rows = Rows::default();
        let mut starts = Vec::new();
        if changes.first().is_none_or(|(value, _)| *value > 0) {
            starts.push((0, rows.add(&row)));
        }
        for changes in changes.chunk_by(|a, b| a.0 == b.0) {
            changes
                .iter()
                .for_each(|&(_, number)| flip(&mut row, number));
            starts.push((changes[0].0, rows.add(&row)));
        }
        Self {
            field,
            finder: Finder::of(field.width, starts),
            bits: rows.bits,
        }
    }

    /// The first chunk of a packet's row.
    #[inline]
    fn row(&self, packet: &impl View) -> usize {
        self.finder.find(self.field.of(packet.word(self.field.at))) as usize
    }
}

fn flip<const WORDS: usize>(row: &mut [Chunk<WORDS>], number: usize) {
    row[number / 64 / WORDS][number / 64 % WORDS] ^= 1 << (number % 64);
}

/// Rows of bits, each once.
#[derive(Default)]
struct Rows<const WORDS: usize> {
    bits: Vec<Chunk<WORDS>>,
    known: HashMap<Vec<Chunk<WORDS>>, u32>,
}

impl<const WORDS: usize> Rows<WORDS> {
    /// The first chunk of a row.
    fn add(&mut self, row: &[Chunk<WORDS>]) -> u32 {
        if let Some(&first) = self.known.get(row) {
            return first;
        }
        let first = u32::try_from(self.bits.len()).unwrap_or(u32::MAX);
        self.known.insert(row.to_vec(), first);
        self.bits.extend(row);
        first
    }
}
