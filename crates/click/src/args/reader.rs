//! Reading arguments by keyword and position into variables.

use super::basic::in_keyword;
use super::context::Context;
use super::scan;
use super::split::{arguments, words};
use super::value::{FromArg, Parser, Plain, Wrong};

/// How an argument is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// By keyword, if it is there.
    pub const NONE: Self = Self(0);
    /// It must be there.
    pub const MANDATORY: Self = Self(1);
    /// It may stand without its keyword, in the order of the reads.
    pub const POSITIONAL: Self = Self(2);
    /// It is warned of.
    pub const DEPRECATED: Self = Self(4);
    /// Of several with this keyword the first one counts, and the others stay; else the last one
    /// counts and the others go.
    pub const FIRST: Self = Self(8);

    /// These and others.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What is said about an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether it is only a warning.
    pub warning: bool,
    /// In Click's words, with the keyword before it.
    pub text: String,
}

/// Arguments that cannot be used, and why: at least one message is no warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgsError {
    /// In the order of the reads.
    pub messages: Vec<Message>,
}

impl std::fmt::Display for ArgsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.messages.iter().map(Message::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = if self.warning { "warning: " } else { "" };
        write!(f, "{prefix}{}", self.text)
    }
}

impl std::error::Error for ArgsError {}

/// What is left when arguments were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Arguments that nothing read, in their order.
    pub rest: Vec<String>,
    /// Warnings, in the order of the reads.
    pub warnings: Vec<String>,
}

/// Arguments of one element while they are read. Variables keep their values until
/// [`Args::complete`] or [`Args::consume`], and for good if anything is wrong.
///
/// ```
/// use click::args::{Args, Context};
/// let (mut limit, mut active) = (-1i32, true);
/// let args = Args::parse("5, ACTIVE false", Context::none());
/// args.read_p("LIMIT", &mut limit).read("ACTIVE", &mut active).complete()?;
/// assert_eq!((limit, active), (5, false));
/// # Ok::<(), click::args::ArgsError>(())
/// ```
#[must_use = "nothing is stored before complete() or consume()"]
pub struct Args<'a> {
    arguments: Vec<Argument>,
    context: Context<'a>,
    stores: Vec<Box<dyn FnOnce() + 'a>>,
    messages: Vec<Message>,
    given: bool,
}

struct Argument {
    text: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody read it; so long is its keyword, 0 for none.
    Free(usize),
    /// Read by its position.
    Position,
    /// Read by its keyword.
    Keyword,
}

impl Argument {
    /// Whether it is unread and has this keyword.
    fn has_keyword(&self, keyword: &str) -> bool {
        let long = self.state == State::Free(keyword.len()) && !keyword.is_empty();
        long && self.text.starts_with(keyword)
    }

    /// What follows its keyword.
    fn after(&self, keyword: &str) -> String {
        let rest = &self.text.as_bytes()[keyword.len()..];
        let blanks = rest.iter().take_while(|b| scan::is_space(**b)).count();
        self.text[keyword.len() + blanks..].to_owned()
    }
}

impl<'a> Args<'a> {
    /// Those that were split already.
    pub fn new(arguments: &[String], context: Context<'a>) -> Self {
        let argument = |text: &String| Argument {
            text: text.clone(),
            state: State::Free(keyword_length(text)),
        };
        Self {
            arguments: arguments.iter().map(argument).collect(),
            context,
            stores: Vec::new(),
            messages: Vec::new(),
            given: false,
        }
    }

    /// Those of a configuration string.
    pub fn parse(config: &str, context: Context<'a>) -> Self {
        Self::new(&arguments(config), context)
    }

    /// The words of a text, each as an argument.
    pub fn parse_words(text: &str, context: Context<'a>) -> Self {
        let words: Vec<String> = words(text).into_iter().map(str::to_owned).collect();
        Self::new(&words, context)
    }

    /// Reads by keyword.
    pub fn read<T: FromArg + 'a>(self, keyword: &str, variable: &'a mut T) -> Self {
        self.read_with(keyword, Flags::NONE, &Plain, variable)
    }

    /// Reads by keyword, which must be there.
    pub fn read_m<T: FromArg + 'a>(self, keyword: &str, variable: &'a mut T) -> Self {
        self.read_with(keyword, Flags::MANDATORY, &Plain, variable)
    }

    /// Reads by keyword or position.
    pub fn read_p<T: FromArg + 'a>(self, keyword: &str, variable: &'a mut T) -> Self {
        self.read_with(keyword, Flags::POSITIONAL, &Plain, variable)
    }

    /// Reads by keyword or position what must be there. By position it takes even what looks like
    /// another keyword's.
    pub fn read_mp<T: FromArg + 'a>(self, keyword: &str, variable: &'a mut T) -> Self {
        let flags = Flags::MANDATORY.and(Flags::POSITIONAL);
        self.read_with(keyword, flags, &Plain, variable)
    }

    /// Reads as `flags` and `parser` say.
    pub fn read_with<T: 'a>(
        mut self,
        keyword: &str,
        flags: Flags,
        parser: &dyn Parser<T>,
        variable: &'a mut T,
    ) -> Self {
        if let Some(value) = self.take(keyword, flags, parser) {
            self.stores.push(Box::new(move || *variable = value));
        }
        self
    }

    /// Reads by keyword or, if `flags` say so, position; without it, `variable` becomes `value`.
    pub fn read_or<T: FromArg + 'a>(
        mut self,
        keyword: &str,
        flags: Flags,
        variable: &'a mut T,
        value: T,
    ) -> Self {
        let value = self.take(keyword, flags, &Plain).unwrap_or(value);
        self.stores.push(Box::new(move || *variable = value));
        self
    }

    /// Reads all arguments with this keyword, in their order.
    pub fn read_all<T: FromArg + 'a>(mut self, keyword: &str, list: &'a mut Vec<T>) -> Self {
        let mut values = Vec::new();
        self.given = false;
        for at in 0..self.arguments.len() {
            if self.arguments[at].has_keyword(keyword) {
                self.arguments[at].state = State::Keyword;
                self.given = true;
                let text = self.arguments[at].after(keyword);
                values.extend(self.value(keyword, &text, &Plain));
            }
        }
        self.stores.push(Box::new(move || *list = values));
        self
    }

    /// Says now whether the last read found an argument, right or wrong.
    pub fn given(self, given: &mut bool) -> Self {
        *given = self.given;
        self
    }

    /// Adds an error of the caller's.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.say(false, text.into());
        self
    }

    fn say(&mut self, warning: bool, text: String) {
        self.messages.push(Message { warning, text });
    }

    /// Finds an argument and reads it.
    fn take<T>(&mut self, keyword: &str, flags: Flags, parser: &dyn Parser<T>) -> Option<T> {
        let found = self.find(keyword, flags);
        self.given = found.is_some();
        let Some(text) = found else {
            if flags.has(Flags::MANDATORY) {
                self.say(false, format!("{keyword}: required argument missing"));
            }
            return None;
        };
        if flags.has(Flags::DEPRECATED) {
            self.say(true, format!("{keyword}: argument deprecated"));
        }
        self.value(keyword, &text, parser)
    }

    fn value<T>(&mut self, keyword: &str, text: &str, parser: &dyn Parser<T>) -> Option<T> {
        let value: Result<T, Wrong> = parser.parse(text, &self.context);
        value
            .map_err(|wrong| self.say(false, format!("{keyword}: {wrong}")))
            .ok()
    }

    /// The text of the argument of a keyword, which then is read. An empty argument holds its
    /// position, but is none.
    fn find(&mut self, keyword: &str, flags: Flags) -> Option<String> {
        let position = self.position();
        let named = self.named(keyword, flags.has(Flags::FIRST));
        let placed =
            position.filter(|at| flags.has(Flags::POSITIONAL) && self.may_place(*at, named, flags));
        if let Some(at) = placed {
            self.arguments[at].state = State::Position;
            let first = flags.has(Flags::FIRST);
            if let Some(named) = named.filter(|_| first) {
                self.arguments[named].state = State::Free(keyword.len());
            }
            if first || named.is_none_or(|named| named < at) {
                let text = self.arguments[at].text.clone();
                return (!text.is_empty()).then_some(text);
            }
        }
        Some(self.arguments[named?].after(keyword))
    }

    /// The first argument that was not read by position, if it was not read by keyword either.
    fn position(&self) -> Option<usize> {
        let at = self
            .arguments
            .iter()
            .position(|a| a.state != State::Position)?;
        matches!(self.arguments[at].state, State::Free(_)).then_some(at)
    }

    /// Whether the argument at `at` may be read by its position.
    fn may_place(&self, at: usize, named: Option<usize>, flags: Flags) -> bool {
        let State::Free(keyword) = self.arguments[at].state else {
            return false;
        };
        let wanted = named.is_none() && flags.has(Flags::MANDATORY);
        let first = !flags.has(Flags::FIRST) || named.is_none_or(|named| at < named);
        (keyword == 0 || wanted) && first
    }

    /// The last argument with a keyword, or the first one; all that are passed over are read.
    fn named(&mut self, keyword: &str, first: bool) -> Option<usize> {
        let mut found = None;
        for (i, argument) in self.arguments.iter_mut().enumerate() {
            if argument.has_keyword(keyword) {
                argument.state = State::Keyword;
                found = Some(i);
                if first {
                    break;
                }
            }
        }
        found
    }

    /// Stores what was read, if all is well and nothing is left.
    ///
    /// # Errors
    /// All that is wrong; nothing is stored then.
    pub fn complete(mut self) -> Result<Taken, ArgsError> {
        let left = |a: &Argument| match a.state {
            State::Free(length) => Some(a.text[..length].to_owned()),
            State::Position | State::Keyword => None,
        };
        let left: Vec<String> = self.arguments.iter().filter_map(left).collect();
        for keyword in left.iter().filter(|k| !k.is_empty()) {
            self.say(false, format!("{keyword}: unknown argument"));
        }
        if left.iter().any(String::is_empty) {
            self.say(false, "too many arguments".to_owned());
        }
        self.store()
    }

    /// Stores what was read, if all is well, and gives back what is left.
    ///
    /// # Errors
    /// All that is wrong; nothing is stored then.
    pub fn consume(self) -> Result<Taken, ArgsError> {
        self.store()
    }

    fn store(self) -> Result<Taken, ArgsError> {
        if self.messages.iter().any(|m| !m.warning) {
            return Err(ArgsError {
                messages: self.messages,
            });
        }
        for store in self.stores {
            store();
        }
        let free = |a: &Argument| matches!(a.state, State::Free(_));
        let rest = self.arguments.into_iter().filter(free);
        Ok(Taken {
            rest: rest.map(|a| a.text).collect(),
            warnings: self.messages.into_iter().map(|m| m.text).collect(),
        })
    }
}

/// How long the keyword is that an argument begins with: a letter or `_` first, a blank behind it
/// and something more. 0 for none.
fn keyword_length(argument: &str) -> usize {
    let bytes = argument.as_bytes();
    let length = bytes.iter().take_while(|b| in_keyword(**b)).count();
    let first = bytes
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let blanks = bytes[length..]
        .iter()
        .take_while(|b| scan::is_space(**b))
        .count();
    let more = length + blanks < bytes.len();
    if first && blanks > 0 && more {
        length
    } else {
        0
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
