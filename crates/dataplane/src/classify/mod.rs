//! Packet classification: patterns and filter expressions to decision programs, printed as Click
//! prints them and run in a faster form that decides the same.
//!
//! [`classifier`] reads the patterns of `Classifier` (bytes at offsets), [`ip_filter`] and
//! [`ip_classifier`] those of the elements of these names (expressions). What comes out is a
//! [`Matcher`] and messages in Click's words. A matcher classifies packets as a [`View`] shows them.
//! It has the [`Program`], whose text is that of Click's handler `program`, and which classifies, too,
//! step by step; and a form of the rules that does the same several times faster.

mod fast;
mod filter;
mod message;
mod pattern;
mod program;
#[cfg(test)]
mod tests;
mod view;

pub use fast::Matcher;
pub use message::{Message, Severity};
pub use program::{Group, Jump, NOWHERE, Program};
pub use view::{Ip, NETWORK, Raw, TRANSPORT, View};

use click::args::Context;
use message::Messages;
use program::{Draft, Grouping};

/// A classifier, or why there is none, and what else is to be said.
#[derive(Clone, Debug)]
pub struct Classified {
    /// The program with its faster form; none if there are errors.
    pub matcher: Option<Matcher>,
    /// Errors and warnings, in Click's order.
    pub messages: Vec<Message>,
}

/// A `Classifier` with these arguments and as many outputs, for packets whose first byte stands
/// `align` bytes (0 to 3) after a multiple of four. Packets are seen [`Raw`].
#[must_use]
pub fn classifier(arguments: &[&str], align: u16, outputs: usize) -> Classified {
    let mut messages = Messages::default();
    if arguments.len() != outputs {
        return wrong_number(messages, outputs);
    }
    let align = align % 4;
    let rules = pattern::parse(arguments, align, &mut messages);
    let program = || pattern::merge(&rules, align).finish(Grouping::Single);
    finished(program, &rules, outputs, messages)
}

/// An `IPFilter` with these arguments, unquoted, and as many outputs. Packets are seen as [`Ip`].
#[must_use]
pub fn ip_filter(rules: &[&str], outputs: usize, context: Context<'_>) -> Classified {
    ip(rules, outputs, 0, context)
}

/// An `IPClassifier` with these arguments, unquoted, and as many outputs. Packets are seen as [`Ip`].
#[must_use]
pub fn ip_classifier(patterns: &[&str], outputs: usize, context: Context<'_>) -> Classified {
    if patterns.len() != outputs {
        return wrong_number(Messages::default(), outputs);
    }
    let rule = |(output, pattern): (usize, &&str)| format!("{output} {pattern}");
    let rules: Vec<String> = patterns.iter().enumerate().map(rule).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    ip(&rules, outputs, outputs, context)
}

/// Rules for IP packets; those of the first `wanted` outputs that get none are named.
fn ip(rules: &[&str], outputs: usize, wanted: usize, context: Context<'_>) -> Classified {
    let mut messages = Messages::default();
    let rules = filter::parse(rules, outputs, context, &mut messages);
    let program = || filter::merge(rules.clone()).finish(Grouping::ByValue);
    finished(program, &rules, wanted, messages)
}

fn wrong_number(mut messages: Messages, outputs: usize) -> Classified {
    messages.error(format_args!(
        "need {outputs} arguments, one per output port"
    ));
    Classified {
        matcher: None,
        messages: messages.into_list(),
    }
}

/// The program of rules without errors, and warnings of those of the first `wanted` outputs that
/// get no packets.
fn finished(
    program: impl FnOnce() -> Program,
    rules: &[Draft],
    wanted: usize,
    mut messages: Messages,
) -> Classified {
    let matcher = (!messages.has_errors()).then(|| Matcher::new(program(), rules));
    let unused = |matcher: &Matcher| matcher.program().unused_outputs(wanted);
    for output in matcher.as_ref().map(unused).unwrap_or_default() {
        messages.warning(format_args!("output {output} matches no packets"));
    }
    Classified {
        matcher,
        messages: messages.into_list(),
    }
}
