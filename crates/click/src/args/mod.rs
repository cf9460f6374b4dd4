//! Configuration strings: split at commas, unquoted, read as typed values.
//!
//! An element's configuration is a string. [`arguments`] splits it at commas and [`words`] an
//! argument at blanks, [`unquote`] gives the bytes that a quoted text stands for, and [`Args`]
//! reads arguments by keyword and position into variables, with the words of Click's messages.
//! A type says with [`FromArg`] how it is written; types that need parameters (how many bits of
//! fraction, which protocol's ports) have a [`Parser`]. Names of addresses, ports and elements are
//! looked up through a [`Context`].
//!
//! The behaviour is that of Click 2.1 (`lib/confparse.cc`, `lib/args.cc`, `lib/variableenv.cc`).

mod address;
mod annotation;
mod bandwidth;
mod basic;
mod book;
mod context;
mod decimal;
mod expand;
mod integer;
mod prefix;
mod quote;
mod reader;
mod real;
pub(crate) mod scan;
mod seconds;
mod service;
mod split;
mod units;
mod value;

pub use address::EtherAddress;
pub use annotation::{ANNOTATION_BYTES, Anno, Annotation};
pub use bandwidth::Bandwidth;
pub use basic::{ElementName, Keyword, Raw, is_identifier, is_word};
pub use book::NameBook;
pub use context::{Context, Names, NoNames, NumberKind};
pub use expand::{Expansion, Form, TooLarge, expand};
pub use integer::{Base, Bounded, Integer, Saturating, leading_integer};
pub use prefix::{Ipv4Prefix, Ipv6Prefix, OrAddress};
pub use quote::{hex_data, quote, quote_with_newlines, unquote};
pub use reader::{Args, ArgsError, Flags, Message, Taken};
pub use real::{Decimals, Fixed, unparse_decimals, unparse_fixed};
pub use seconds::Seconds;
pub use service::{Named, PAYLOAD, Port, TCP_OR_UDP, TRANSPORT, builtin};
pub use split::{arguments, join_arguments, join_words, shift_word, uncomment, words};
pub use value::{FromArg, Parser, Plain, Wrong};
