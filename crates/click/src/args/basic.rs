//! Booleans, texts, words and names.

use super::context::Context;
use super::quote::unquote;
use super::scan;
use super::value::{FromArg, Wrong};

/// `0 1`, `false true`, `no yes`, `f t`, `n y`.
impl FromArg for bool {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        match text {
            "0" | "false" | "no" | "f" | "n" => Ok(false),
            "1" | "true" | "yes" | "t" | "y" => Ok(true),
            _ => Err(Wrong::form()),
        }
    }
}

/// A text without blanks outside its quotes, and not empty unless quoted (`cp_string`).
impl FromArg for Vec<u8> {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        if text.is_empty() || spaced(text) {
            return Err(Wrong::form());
        }
        Ok(unquote(text))
    }
}

/// As bytes are, and UTF-8.
impl FromArg for String {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        String::from_utf8(Vec::from_arg(text, context)?).map_err(|_| Wrong::form())
    }
}

/// Whether a blank stands outside of quotes.
fn spaced(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if scan::is_space(bytes[at]) {
            return true;
        }
        at = scan::piece(bytes, at);
    }
    false
}

/// An argument as it stands (`AnyArg`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw(pub String);

impl FromArg for Raw {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        Ok(Self(text.to_owned()))
    }
}

/// A word of the letters, digits and signs that keywords are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyword(pub String);

impl FromArg for Keyword {
    fn from_arg(text: &str, _: &Context<'_>) -> Result<Self, Wrong> {
        if text.is_empty() || !text.bytes().all(in_keyword) {
            return Err(Wrong::form());
        }
        Ok(Self(text.to_owned()))
    }
}

/// What keywords are made of.
pub(super) fn in_keyword(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'?' | b'!')
}

/// Whether bytes are a word (`cp_is_word`): visible ASCII without quotes, backslash and comma.
pub fn is_word(bytes: &[u8]) -> bool {
    let in_word = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\' | b',');
    !bytes.is_empty() && bytes.iter().all(in_word)
}

/// Whether a text can be the name of an element (`cp_is_click_id`): letters, digits, `_` and `@`,
/// with single slashes between.
pub fn is_identifier(text: &str) -> bool {
    let in_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'@');
    text.split('/')
        .all(|part| !part.is_empty() && part.bytes().all(in_part))
}

/// The full name of an element, written relative to the compound of the one that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementName(pub String);

impl FromArg for ElementName {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        let found = context.find_element(text).map(Self);
        found.ok_or_else(|| Wrong::because("does not name an element"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FromArg>(text: &str) -> Result<T, Wrong> {
        T::from_arg(text, &Context::none())
    }

    #[test]
    fn booleans() {
        assert_eq!(read("yes"), Ok(true));
        assert_eq!(read("f"), Ok(false));
        assert_eq!(read::<bool>("True"), Err(Wrong::form()));
        assert_eq!(read("0"), Ok(Some(false)));
    }

    #[test]
    fn texts_have_no_bare_blanks() {
        assert_eq!(read("a\" b\"'c d'"), Ok("a bc d".to_owned()));
        assert_eq!(read("\"\""), Ok(Vec::<u8>::new()));
        assert_eq!(read("\\<00 ff>"), Ok(vec![0, 0xff]));
        assert_eq!(read::<String>("\\<ff>"), Err(Wrong::form()));
        assert_eq!(read::<String>("a b"), Err(Wrong::form()));
        assert_eq!(read::<String>(""), Err(Wrong::form()));
        assert_eq!(read("a  'b"), Ok(Raw("a  'b".to_owned())));
    }

    #[test]
    fn names() {
        assert_eq!(read("A.b:1?!_"), Ok(Keyword("A.b:1?!_".into())));
        assert_eq!(read::<Keyword>("a-b"), Err(Wrong::form()));
        assert!(is_word(b"a/b-c") && !is_word(b"a,b") && !is_word(b"") && !is_word(b"\xe9"));
        assert!(is_identifier("a/b@1") && !is_identifier("a//b") && !is_identifier("/a"));
        let wrong = read::<ElementName>("q").unwrap_err();
        assert_eq!(wrong.text(), "does not name an element");
    }
}
