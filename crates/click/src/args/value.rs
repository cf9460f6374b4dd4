//! What a typed value is to the reader of arguments: a way to read it from a text.

use std::borrow::Cow;

use super::context::Context;

/// Why a text is not a value of its type, in Click's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(Cow<'static, str>);

impl Wrong {
    /// A text that has not the form of its type.
    pub fn form() -> Self {
        Self("parse error".into())
    }

    /// A number that is too large or too small, without a bound.
    pub fn range() -> Self {
        Self("out of range".into())
    }

    /// A number beyond a bound.
    pub fn bound(bound: impl std::fmt::Display) -> Self {
        Self(format!("out of range, bound {bound}").into())
    }

    /// Another reason.
    pub fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }

    /// The reason.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// A type that is written in one way.
pub trait FromArg: Sized {
    /// Reads a whole text as a value.
    ///
    /// # Errors
    /// Why it is none.
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong>;
}

/// Reads values of a type that is written in several ways, as its fields say.
pub trait Parser<T> {
    /// Reads a whole text as a value.
    ///
    /// # Errors
    /// Why it is none.
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<T, Wrong>;
}

/// Reads a type as its [`FromArg`] does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl<T: FromArg> Parser<T> for Plain {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<T, Wrong> {
        T::from_arg(text, context)
    }
}

/// A value that may be absent: what is read is there.
impl<T: FromArg> FromArg for Option<T> {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        T::from_arg(text, context).map(Some)
    }
}
