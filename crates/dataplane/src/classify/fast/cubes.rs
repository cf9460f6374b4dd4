//! Rules as cubes: conditions on some fields that must all hold.
//!
//! A rule is as many cubes as its diagram has paths to its action; no packet is in two of them.

use super::diagram::{Condition, Diagrams, Link, TooLarge, Way};
use super::fields::{Column, Field, Halves, columns};
use super::sets::Set;
use crate::classify::program::{Draft, Jump, Step};

/// So many ways the diagram of a rule may have.
const WAYS: usize = 1 << 14;
/// So many cubes a rule may be.
const CUBES: usize = 1 << 8;
/// So many ways there may be by the value of two bytes; if there are more, they stay two.
const JOINED: usize = 256;
/// So many fields the rules may look at together.
const FIELDS: usize = 128;

/// Conditions on fields, and where packets go that meet them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cube {
    /// The fields by their number.
    sets: Vec<(usize, Set)>,
    pub end: Jump,
}

impl Cube {
    /// The values that a field may have, if not all of them.
    pub(super) fn set(&self, field: usize) -> Option<&Set> {
        let (_, set) = self.sets.iter().find(|(other, _)| *other == field)?;
        Some(set)
    }
}

/// All cubes of some rules, in the order in which the first one that a packet is in decides.
#[derive(Debug)]
pub(super) struct Cubes {
    /// The fields, first the one that is looked at first.
    pub fields: Vec<Field>,
    pub list: Vec<Cube>,
    /// Where packets go that are in none.
    pub otherwise: Jump,
    /// Packets must have this length, so that no test needs more.
    pub length: i32,
}

impl Cubes {
    /// The cubes of rules, as they are before they are joined and made smaller.
    ///
    /// # Errors
    /// If some rule is too many, or the rules look at too many fields.
    pub(super) fn of(rules: &[Draft]) -> Result<Self, TooLarge> {
        Self::read(rules, Halves::Joined).or_else(|_| Self::read(rules, Halves::Bytes))
    }

    fn read(rules: &[Draft], halves: Halves) -> Result<Self, TooLarge> {
        let steps: Vec<Step> = rules.iter().flat_map(Draft::steps).collect();
        let columns = columns(&steps, halves);
        let length = steps.iter().map(Step::needed).max().unwrap_or(0);
        let parts = |(number, column): (usize, &Column)| {
            let part = |&field: &Field| Part {
                field,
                column: number,
            };
            column.parts.iter().map(part).collect::<Vec<_>>()
        };
        let parts: Vec<Part> = columns.iter().enumerate().flat_map(parts).collect();
        if parts.len() > FIELDS {
            return Err(TooLarge);
        }
        let (mut list, mut otherwise) = (Vec::new(), Jump::NEVER);
        for rule in rules {
            let reader = Reader {
                parts: &parts,
                diagrams: Diagrams::with_room(WAYS),
            };
            if let Some(all) = reader.read(rule, &mut list)? {
                otherwise = all;
                break;
            }
        }
        let fields = columns.into_iter().map(|column| column.field).collect();
        Ok(Self {
            fields,
            list,
            otherwise,
            length,
        })
    }
}

/// What tests are about, in the order of a diagram: a column, or half of one.
#[derive(Clone, Copy, Debug)]
struct Part {
    field: Field,
    column: usize,
}

/// A rule being read.
struct Reader<'a> {
    parts: &'a [Part],
    diagrams: Diagrams,
}

impl Reader<'_> {
    /// Adds the cubes of a rule, or says where all packets go.
    fn read(mut self, rule: &Draft, cubes: &mut Vec<Cube>) -> Result<Option<Jump>, TooLarge> {
        let link = match rule.all() {
            Some(all) => Link::End(all),
            None => self.diagram(rule)?,
        };
        if let Link::End(end) = link {
            return Ok((end != Jump::FAILURE).then_some(end));
        }
        let most = cubes.len() + CUBES;
        self.collect(link, &mut Vec::new(), cubes, most)?;
        Ok(None)
    }

    fn diagram(&mut self, rule: &Draft) -> Result<Link, TooLarge> {
        let steps: Vec<Step> = rule.steps().collect();
        let mut links = vec![Link::End(Jump::FAILURE); steps.len()];
        for (i, step) in steps.iter().enumerate().rev() {
            let link = |jump: Jump| jump.as_step().map_or(Link::End(jump), |step| links[step]);
            links[i] = self.step(step, link(step.yes), link(step.no))?;
        }
        Ok(links[0])
    }

    fn step(&mut self, step: &Step, yes: Link, no: Link) -> Result<Link, TooLarge> {
        let mut link = yes;
        for (place, Part { field, .. }) in self.parts.iter().enumerate() {
            let mask = field.of(step.mask);
            if field.at == step.at && mask != 0 {
                let set = Set::masked(field.of(step.value), mask, field.width);
                link = self
                    .diagrams
                    .choose(Condition { place, set: &set }, link, no)?;
            }
        }
        Ok(link)
    }

    /// Adds a cube for each path from a link on.
    fn collect(
        &self,
        link: Link,
        path: &mut Vec<(usize, Set)>,
        cubes: &mut Vec<Cube>,
        most: usize,
    ) -> Result<(), TooLarge> {
        let node = match link {
            Link::End(Jump::FAILURE) => return Ok(()),
            Link::End(end) => {
                cubes.push(Cube {
                    sets: path.clone(),
                    end,
                });
                return if cubes.len() > most {
                    Err(TooLarge)
                } else {
                    Ok(())
                };
            }
            Link::Node(node) => node,
        };
        let ways = self.ways(node)?;
        let mut links: Vec<Link> = Vec::new();
        for &(_, link) in &ways {
            if !links.contains(&link) {
                links.push(link);
            }
        }
        let column = self.parts[self.diagrams.node(node).place].column;
        for link in links {
            path.push((column, Set::of_ways(&ways, link)));
            self.collect(link, path, cubes, most)?;
            path.pop();
        }
        Ok(())
    }

    /// The ways on from a node by the value of its column.
    fn ways(&self, node: u32) -> Result<Vec<Way>, TooLarge> {
        let node_of = |node: u32| self.diagrams.node(node);
        let (place, ways) = (node_of(node).place, &node_of(node).ways);
        let column = self.parts[place].column;
        let of_column = |place: usize| {
            self.parts
                .get(place)
                .is_some_and(|part| part.column == column)
        };
        if of_column(place + 1) {
            self.joined(ways, place + 1)
        } else if place > 0 && of_column(place - 1) {
            self.joined(&[(0, Link::Node(node))], place)
        } else {
            Ok(ways.clone())
        }
    }

    /// The ways by the value of a column of two bytes, those by the upper one being known. `place` is
    /// that of the lower one.
    fn joined(&self, upper: &[Way], place: usize) -> Result<Vec<Way>, TooLarge> {
        let mut joined = Vec::new();
        let ends = upper.iter().skip(1).map(|(start, _)| *start).chain([256]);
        for (&(start, link), end) in upper.iter().zip(ends) {
            match link {
                Link::Node(node) if self.diagrams.node(node).place == place => {
                    let lower = &self.diagrams.node(node).ways;
                    let all = |upper: u32| {
                        lower
                            .iter()
                            .map(move |&(value, link)| (upper << 8 | value, link))
                    };
                    joined.extend((start..end).flat_map(all));
                }
                _ => joined.push((start << 8, link)),
            }
        }
        joined.dedup_by_key(|(_, link)| *link);
        if joined.len() > JOINED {
            Err(TooLarge)
        } else {
            Ok(joined)
        }
    }
}
