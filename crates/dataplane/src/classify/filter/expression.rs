//! The grammar of filter expressions.
//!
//! ```text
//! expr   ::= orexpr [ "?" expr ":" expr ]
//! orexpr ::= term { ("||" | "or") term }
//! term   ::= factor { [ "&&" | "and" ] factor }
//! factor ::= ("!" | "not") factor | "(" expr ")" | test
//! ```
//!
//! What is open is kept in a list and not on the stack, so that expressions may be nested deeply.

use super::primitive::Primitive;
use crate::classify::message::Messages;
use crate::classify::program::{Join, Tree};
use click::args::Context;

/// An expression being read.
pub(super) struct Parser<'a> {
    pub words: &'a [&'a str],
    /// The number of the next word.
    pub at: usize,
    pub tree: &'a mut Tree,
    pub messages: &'a mut Messages,
    pub context: Context<'a>,
    /// The test before, whose qualifiers the next one inherits.
    pub before: Primitive,
}

/// What comes next in a construct that is open. `negated` ones stand after an odd number of `not`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Expr,
    Question,
    Colon,
    OrExpr,
    Or,
    Term,
    /// A factor was read, which had to be there or not.
    More {
        required: bool,
    },
    Factor {
        negated: bool,
    },
    AfterNot,
    Close {
        negated: bool,
    },
}

/// An open construct: what comes next in it, and where it was when its last part began.
struct Open {
    next: Next,
    since: usize,
}

impl<'a> Parser<'a> {
    /// The next word, if there is one.
    pub(super) fn word(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn takes(&mut self, words: &[&str]) -> bool {
        let taken = self.word().is_some_and(|word| words.contains(&word));
        self.at += usize::from(taken);
        taken
    }

    /// Reads an expression, as far as the words are one.
    pub(super) fn expression(&mut self) {
        let mut open = vec![Open {
            next: Next::Expr,
            since: self.at,
        }];
        while let Some(mut construct) = open.pop() {
            if let Some(part) = self.advance(&mut construct) {
                construct.since = self.at;
                open.push(construct);
                open.push(Open {
                    next: part,
                    since: self.at,
                });
            }
        }
    }

    /// Goes on in a construct. The part to be read next; none if the construct is finished.
    fn advance(&mut self, open: &mut Open) -> Option<Next> {
        let missing = self.at == open.since;
        match open.next {
            Next::Expr => {
                self.tree.open();
                open.next = Next::Question;
                Some(Next::OrExpr)
            }
            Next::Question => self.question(open),
            Next::Colon => self.colon(open, missing),
            Next::OrExpr => {
                self.tree.open();
                open.next = Next::Or;
                Some(Next::Term)
            }
            Next::Or => self.or(),
            Next::Term => {
                self.tree.open();
                open.next = Next::More { required: true };
                Some(Next::Factor { negated: false })
            }
            Next::More { required } => self.more(open, required, missing),
            Next::Factor { negated } => self.factor(open, negated),
            Next::AfterNot => {
                self.after_not(missing);
                None
            }
            Next::Close { negated } => {
                self.close(missing, negated);
                None
            }
        }
    }

    fn question(&mut self, open: &mut Open) -> Option<Next> {
        if self.takes(&["?"]) {
            open.next = Next::Colon;
            return Some(Next::Expr);
        }
        self.tree.finish(Join::Choice);
        None
    }

    fn colon(&mut self, open: &mut Open, missing: bool) -> Option<Next> {
        if !missing && self.takes(&[":"]) {
            open.next = Next::Question;
            return Some(Next::OrExpr);
        }
        self.messages.error("missing ':' in ternary expression");
        self.tree.finish(Join::Choice);
        None
    }

    fn or(&mut self) -> Option<Next> {
        if self.takes(&["or", "||"]) {
            return Some(Next::Term);
        }
        self.tree.finish(Join::Or);
        None
    }

    fn more(&mut self, open: &mut Open, required: bool, missing: bool) -> Option<Next> {
        if missing {
            if required {
                self.messages.error("missing expression");
            }
            self.tree.finish(Join::And);
            return None;
        }
        open.next = Next::More {
            required: self.takes(&["and", "&&"]),
        };
        Some(Next::Factor { negated: false })
    }

    fn factor(&mut self, open: &mut Open, negated: bool) -> Option<Next> {
        if self.takes(&["not", "!"]) {
            open.next = Next::AfterNot;
            return Some(Next::Factor { negated: !negated });
        }
        if self.takes(&["("]) {
            open.next = Next::Close { negated };
            return Some(Next::Expr);
        }
        self.test(negated);
        None
    }

    fn after_not(&mut self, missing: bool) {
        if missing {
            let word = self.words[self.at - 1];
            self.messages
                .error(format_args!("missing expression after '{word}'"));
        }
    }

    fn close(&mut self, missing: bool, negated: bool) {
        if missing {
            self.messages.error("missing expression after '('");
        }
        if !self.takes(&[")"]) && !missing {
            self.messages.error("missing ')'");
        }
        if negated {
            self.tree.negate();
        }
    }
}
