//! Which ports a connection statement joins: lists, ports that grow, one to many, many to many.

use crate::syntax::End;

/// The ports written beside one element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports {
    pub(crate) list: Vec<usize>,
    /// Written with an open end, grows to match the other side.
    pub(crate) open: bool,
}

impl Ports {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One element of a chain with its ports.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) element: usize,
    pub(crate) inputs: Ports,
    pub(crate) outputs: Ports,
}

/// One side of a connection.
struct Side<'a> {
    items: Vec<(usize, &'a Ports)>,
    least: usize,
    open: bool,
}

impl<'a> Side<'a> {
    fn new(items: &'a [Item], output: bool) -> Self {
        let ports = |i: &'a Item| if output { &i.outputs } else { &i.inputs };
        let items: Vec<_> = items.iter().map(|i| (i.element, ports(i))).collect();
        Self {
            least: items.iter().map(|(_, p)| p.list.len().max(1)).sum(),
            open: items.iter().any(|(_, p)| p.open),
            items,
        }
    }

    fn opens(&self) -> usize {
        self.items.iter().filter(|(_, p)| p.open).count()
    }

    fn is_plain(&self) -> bool {
        self.items.len() == 1 && self.items[0].1.is_empty()
    }

    /// All ports in order, with `more` ports at the first place that can grow.
    fn ends(&self, mut more: usize) -> Vec<End> {
        let mut ends = Vec::new();
        let plain = self.is_plain();
        for (element, ports) in &self.items {
            let element = *element;
            let list = if ports.is_empty() {
                &[0][..]
            } else {
                &ports.list
            };
            ends.extend(list.iter().map(|&port| End { element, port }));
            if ports.open || plain {
                let last = list[list.len() - 1];
                ends.extend((1..=more).map(|i| End {
                    element,
                    port: last + i,
                }));
                more = 0;
            }
        }
        ends
    }
}

/// What a connection joins, and what is wrong with it in Click's words.
pub(crate) fn join(
    outputs: &[Item],
    inputs: &[Item],
    double: bool,
) -> (Vec<(End, End)>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut from = Side::new(outputs, true);
    let mut to = Side::new(inputs, false);
    if from.opens() + to.opens() > 1 {
        wrong.push("at most one expandable port allowed per connection".to_owned());
        if to.least < from.least {
            from.open = false;
        } else {
            to.open = false;
        }
    }
    if double {
        to.open |= to.is_plain() && from.least > 1;
        from.open |= from.is_plain() && to.least > 1;
    }
    let steps = |side: &Side<'_>| side.least > 1 || side.open;
    let (from_steps, to_steps) = (steps(&from), steps(&to));
    if from_steps && to_steps {
        wrong.extend(mismatch(&from, &to, double));
    }
    let grow = |a: &Side<'_>, b: &Side<'_>| {
        if a.open {
            b.least.saturating_sub(a.least)
        } else {
            0
        }
    };
    let from_ends = from.ends(grow(&from, &to));
    let to_ends = to.ends(grow(&to, &from));
    (pairs(&from_ends, from_steps, &to_ends, to_steps), wrong)
}

fn mismatch(from: &Side<'_>, to: &Side<'_>, double: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    if !double {
        wrong.push("syntax error: many-to-many connections require '=>'".to_owned());
    }
    let (out, inn) = (from.least, to.least);
    if !from.open && !to.open && out != inn {
        wrong.push(format!(
            "connection mismatch: {out} outputs connected to {inn} inputs"
        ));
    } else if !to.open && inn < out {
        wrong.push(format!(
            "connection mismatch: {out} or more outputs connected to {inn} inputs"
        ));
    } else if !from.open && out < inn {
        wrong.push(format!(
            "connection mismatch: {out} outputs connected to {inn} or more inputs"
        ));
    }
    wrong
}

fn pairs(from: &[End], from_steps: bool, to: &[End], to_steps: bool) -> Vec<(End, End)> {
    match (from_steps, to_steps) {
        (true, false) => from.iter().map(|f| (*f, to[0])).collect(),
        (false, true) => to.iter().map(|t| (from[0], *t)).collect(),
        _ => from.iter().copied().zip(to.iter().copied()).collect(),
    }
}
