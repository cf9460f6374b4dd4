//! Filter expressions of `IPFilter` and `IPClassifier`, much like those of tcpdump.
//!
//! [`words`] are read by the grammar in [`expression`]; each [`test`] becomes a [`primitive`], which is
//! completed, checked, and written into the program by [`emit`].

mod emit;
mod expression;
mod kind;
mod lookup;
mod primitive;
mod test;
mod words;

use super::message::Messages;
use super::program::{Draft, Join, Jump, Tree};
use super::view::NETWORK;
use click::args::{Context, FromArg};
use expression::Parser;
use primitive::Primitive;

/// The most steps that the rules of one element may have before they are optimised.
const MAX_STEPS: usize = 32768;

/// Reads rules, each of an action and an expression. They are of use only if there are no errors.
pub(super) fn parse(
    rules: &[&str],
    outputs: usize,
    context: Context<'_>,
    messages: &mut Messages,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut steps = 0;
    for (number, rule) in rules.iter().enumerate() {
        let words = words::words(rule);
        if words.is_empty() {
            messages.error(format_args!("empty pattern {number}"));
            continue;
        }
        messages.about(number);
        let tree = rule_tree(&words, outputs, context, messages);
        messages.about_all();
        steps += tree.len();
        if steps > MAX_STEPS {
            messages.error(format_args!(
                "patterns too long, more than {MAX_STEPS} steps"
            ));
            return drafts;
        }
        drafts.push(tree.draft());
    }
    drafts
}

/// The steps of one rule.
fn rule_tree(
    words: &[&str],
    outputs: usize,
    context: Context<'_>,
    messages: &mut Messages,
) -> Tree {
    let target = action(words[0], outputs, context, messages);
    let mut tree = Tree::new(0);
    tree.open();
    if let [_] | [_, "-" | "any" | "all"] = words {
        tree.always();
    } else {
        let before = Primitive::default();
        let mut parser = Parser {
            words,
            at: 1,
            tree: &mut tree,
            messages,
            context,
            before,
        };
        parser.expression();
        if let Some(word) = parser.word() {
            parser
                .messages
                .error(format_args!("garbage after expression at '{word}'"));
        }
    }
    tree.finish_to(Join::And, target, Jump::FAILURE);
    tree
}

/// Where packets go that match a rule with this action.
fn action(word: &str, outputs: usize, context: Context<'_>, messages: &mut Messages) -> Jump {
    match word {
        "deny" | "drop" => return Jump::NEVER,
        "allow" if outputs == 0 => {
            messages.error("'allow' is meaningless, element has zero outputs")
        }
        "allow" => {}
        word => match i32::from_arg(word, &context) {
            Err(_) => messages.error(format_args!("unknown slot ID '{word}'")),
            Ok(slot) => match usize::try_from(slot).ok().filter(|&slot| slot < outputs) {
                Some(slot) => return Jump::output(slot),
                None => messages.error(format_args!("slot '{slot}' out of range")),
            },
        },
    }
    Jump::output(0)
}

/// One program of many, each of which sees what the one before does not match. They are joined in
/// pairs, and each pair optimised, as Click does: that decides which steps are left in the end.
pub(super) fn merge(mut drafts: Vec<Draft>) -> Draft {
    let mut distance = 1;
    while distance < drafts.len() {
        for first in (0..drafts.len() - distance).step_by(2 * distance) {
            let next = std::mem::replace(&mut drafts[first + distance], Draft::empty(0));
            drafts[first].or(&next);
            drafts[first].optimize(key);
        }
        distance *= 2;
    }
    let single = drafts.len() <= 1;
    let mut draft = drafts.into_iter().next().unwrap_or_else(|| Draft::empty(0));
    if single {
        draft.optimize(key);
    }
    draft.set_failure(Jump::NEVER);
    draft.sort(key);
    draft
}

/// The protocol is looked at before the rest of the header.
fn key(offset: u16) -> u16 {
    if offset == NETWORK + 8 {
        NETWORK + 3
    } else {
        offset
    }
}
