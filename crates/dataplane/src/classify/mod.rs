//! Packet classification: patterns and filter expressions to decision programs, printed as Click
//! prints them and run in a faster form that decides the same.
//!
//! [`classifier`] reads the patterns of `Classifier` (bytes at offsets). What comes out is a
//! [`Program`], whose text is that of Click's handler `program`, and messages in Click's words. A
//! program classifies packets one by one, as a [`View`] shows them.

mod message;
mod pattern;
mod program;
mod view;

pub use message::{Message, Severity};
pub use program::{Group, Jump, NOWHERE, Program};
pub use view::{Ip, NETWORK, Raw, TRANSPORT, View};

use message::Messages;
use program::Grouping;

/// A program, or why there is none, and what else is to be said.
#[derive(Clone, Debug)]
pub struct Classified {
    /// The program; none if there are errors.
    pub program: Option<Program>,
    /// Errors and warnings, in Click's order.
    pub messages: Vec<Message>,
}

/// The program of a `Classifier` with these arguments and as many outputs, for packets whose first
/// byte stands `align` bytes (0 to 3) after a multiple of four. Packets are seen [`Raw`].
#[must_use]
pub fn classifier(arguments: &[&str], align: u16, outputs: usize) -> Classified {
    let mut messages = Messages::default();
    if arguments.len() != outputs {
        return wrong_number(messages, outputs);
    }
    let draft = pattern::parse(arguments, align % 4, &mut messages);
    let program = draft.finish(Grouping::Single);
    checked(program, Some(outputs), messages)
}

fn wrong_number(mut messages: Messages, outputs: usize) -> Classified {
    messages.error(format_args!(
        "need {outputs} arguments, one per output port"
    ));
    Classified {
        program: None,
        messages: messages.into_list(),
    }
}

/// The program if there are no errors, with warnings of outputs without packets.
fn checked(program: Program, outputs: Option<usize>, mut messages: Messages) -> Classified {
    let program = (!messages.has_errors()).then_some(program);
    for output in program
        .iter()
        .flat_map(|program| program.unused_outputs(outputs.unwrap_or(0)))
    {
        messages.warning(format_args!("output {output} matches no packets"));
    }
    Classified {
        program,
        messages: messages.into_list(),
    }
}
