//! From a tree that knows its places to the model's types, by way of serde: the model says what
//! its native form is, and a mistake still has the place where it stands.

use diag::yaml::{Tree, Value};
use diag::{Diagnostic, Source, Span};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use crate::nearest::nearest;

/// Reads a tree as the value of a key.
pub(super) fn from_tree<T: DeserializeOwned>(
    source: &Source,
    key: &str,
    tree: &Tree,
) -> Result<T, Diagnostic> {
    T::deserialize(De(tree)).map_err(|wrong| {
        let wrong = wrong.about(tree).of(key);
        let span = wrong.span.unwrap_or_else(|| mark(source, tree));
        let diagnostic = Diagnostic::error(wrong.message).at(source.at(first_line(source, span)));
        match wrong.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    })
}

/// The part of a value that is marked for it: its first line.
pub(super) fn mark(source: &Source, tree: &Tree) -> Span {
    first_line(source, tree.span.clone())
}

fn first_line(source: &Source, span: Span) -> Span {
    let text = &source.text()[source.at(span.clone()).span];
    let length = text.find('\n').unwrap_or(text.len());
    span.start..span.start + length
}

/// What is wrong with a value.
#[derive(Debug)]
pub(super) struct Wrong {
    message: String,
    span: Option<Span>,
    help: Option<String>,
    /// Whether the message does not say yet which key it is about.
    bare: bool,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

impl Wrong {
    fn bare(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: None,
            help: None,
            bare: true,
        }
    }

    fn whole(message: impl Into<String>) -> Self {
        Self {
            bare: false,
            ..Self::bare(message)
        }
    }

    fn unknown(what: &str, word: &str, known: &[&str]) -> Self {
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        Self {
            help: Some(help),
            ..Self::whole(format!("unknown {what} `{word}`"))
        }
    }

    /// The place, if there is none yet.
    fn at(mut self, span: &Span) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Names the scalar that a type refused.
    fn about(mut self, tree: &Tree) -> Self {
        if let (true, None, Some(text)) = (self.bare, &self.span, tree.text())
            && text.len() < 60
        {
            self.message = format!("`{text}`: {}", self.message);
        }
        self.at(&tree.span)
    }

    /// The key that the value belongs to, if that is not said yet.
    fn of(mut self, key: &str) -> Self {
        if self.bare {
            self.message = format!("bad `{key}`: {}", self.message);
        }
        if self.help.is_none() && (self.bare || OUTER.contains(&key)) {
            self.help = hint(key).map(Into::into);
        }
        self.bare = false;
        self
    }
}

/// Keys that say how all that is in their value is written.
const OUTER: [&str; 6] = ["ulimits", "files", "mounts", "routes", "ports", "links"];

/// How the value of a key is written.
fn hint(key: &str) -> Option<&'static str> {
    Some(match key {
        "addresses" => "an address has its prefix length, like 10.0.0.1/24 or fd00::1/64",
        "via" | "gateway" | "server" | "ip" => "an address without a prefix length, like 10.0.0.1",
        "routes" => "like `{to: 10.1.0.0/16, via: 10.0.0.1}` or `default via 10.0.0.1`",
        "memory" => "a number and a unit, like 64M or 1G",
        "ulimits" => "a number, or soft and hard, like `1024:2048`; -1 is unlimited",
        "ports" => "[HOST:]GUEST[/tcp|udp|sctp], like 8080:80",
        "links" => "two ends, like `[pc1:eth0, r1:eth0]`",
        "interfaces" => "a mapping of interfaces, like `{eth0: {segment: A}}`",
        "startup" | "shutdown" => "shell text, `{file: NAME}`, or a list of these",
        "files" => {
            "a folder's name, or a list of `{to: /PATH, from: NAME}` or `{to: /PATH, text: …}`"
        }
        "mounts" => "a list of `{host: FOLDER, at: /PATH}`",
        "checks" => "a list of tests, like `- reaches: {from: pc1, to: pc2}`",
        _ => return None,
    })
}

impl de::Error for Wrong {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::bare(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::bare(format!("expected {expected}, found {found}"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("key", field, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("word", variant, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::whole(format!("`{field}` is missing"))
    }
}

/// A tree as a serde deserializer.
struct De<'de>(&'de Tree);

impl<'de> De<'de> {
    fn found(&self) -> String {
        match &self.0.value {
            Value::Scalar { .. } if self.0.is_null() => "nothing".into(),
            Value::Scalar { text, .. } if text.len() < 40 => format!("`{text}`"),
            Value::Scalar { .. } => "text".into(),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
        }
    }

    fn wrong(&self, expected: &str) -> Wrong {
        Wrong::bare(format!("expected {expected}, found {}", self.found())).at(&self.0.span)
    }

    fn scalar(&self, expected: &str) -> Result<&'de str, Wrong> {
        match &self.0.value {
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }

    fn list(&self) -> Result<&'de [Tree], Wrong> {
        match &self.0.value {
            Value::List(list) => Ok(list),
            _ if self.0.is_null() => Ok(&[]),
            _ => Err(self.wrong("a list")),
        }
    }

    fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let entries = match &self.0.value {
            Value::Map(entries) => entries.as_slice(),
            _ if self.0.is_null() => &[],
            _ => return Err(self.wrong("a mapping")),
        };
        let access = Entries {
            rest: entries.iter(),
            value: None,
        };
        visitor.visit_map(access).map_err(|e| e.at(&self.0.span))
    }

    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let text = self.scalar("a whole number")?;
        match (text.parse::<u64>(), text.parse::<i64>()) {
            (Ok(n), _) if !text.starts_with('+') => visitor.visit_u64(n),
            (_, Ok(n)) if !text.starts_with('+') => visitor.visit_i64(n),
            _ => Err(self.wrong("a whole number")),
        }
    }
}

macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.integer(visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for De<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Scalar { text, .. } => visitor.visit_borrowed_str(text),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.map(visitor),
        }
    }

    integers! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let number: Result<f64, _> = self.scalar("a number")?.parse();
        match number {
            Ok(n) if n.is_finite() => visitor.visit_f64(n),
            _ => Err(self.wrong("a number")),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.scalar("`true` or `false`")? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.wrong("`true` or `false`")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_str(self.scalar("text")?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.is_null() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Elements(self.list()?.iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let list = self.list()?;
        if list.len() != length {
            let text = format!("expected {length} values, found {}", list.len());
            return Err(Wrong::bare(text).at(&self.0.span));
        }
        visitor.visit_seq(Elements(list.iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Map(entries) if entries.len() == 1 => {
                let (key, value) = &entries[0];
                let variant = Variant {
                    name: &key.text,
                    span: &key.span,
                    value: Some(value),
                };
                visitor.visit_enum(variant)
            }
            Value::Scalar { text, .. } => visitor.visit_enum(Variant {
                name: text,
                span: &self.0.span,
                value: None,
            }),
            _ => Err(self.wrong("one word")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple_struct
    }
}

struct Elements<'de>(std::slice::Iter<'de, Tree>);

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(tree) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(De(tree))
            .map(Some)
            .map_err(|e| e.about(tree))
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (diag::yaml::Key, Tree)>,
    value: Option<&'de (diag::yaml::Key, Tree)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some(entry) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(entry);
        let key = Word(&entry.0.text);
        seed.deserialize(key)
            .map(Some)
            .map_err(|e| e.at(&entry.0.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some((key, tree)) = self.value.take() else {
            return Err(Wrong::bare("a key without a value"));
        };
        seed.deserialize(De(tree))
            .map_err(|e| e.about(tree).of(&key.text))
    }
}

/// A key as a deserializer.
struct Word<'de>(&'de str);

impl<'de> de::Deserializer<'de> for Word<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_borrowed_str(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Variant<'de> {
    name: &'de str,
    span: &'de Span,
    value: Option<&'de Tree>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let name = seed
            .deserialize(Word(self.name))
            .map_err(|e| e.at(self.span))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.value {
            Some(tree) if !tree.is_null() => Err(Wrong::bare("expected nothing").at(&tree.span)),
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        let Some(tree) = self.value else {
            return Err(Wrong::bare("a value is missing").at(self.span));
        };
        seed.deserialize(De(tree))
            .map_err(|e| e.about(tree).of(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Wrong> {
        let Some(tree) = self.value else {
            return Err(Wrong::bare("a list is missing").at(self.span));
        };
        de::Deserializer::deserialize_tuple(De(tree), length, visitor).map_err(|e| e.of(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let Some(tree) = self.value else {
            return Err(Wrong::bare("a mapping is missing")
                .at(self.span)
                .of(self.name));
        };
        // what a mapping lacks is shown at the word that asks for it
        De(tree).map(visitor).map_err(|mut e| {
            if e.span.as_ref() == Some(&tree.span) {
                e.span = Some(self.span.clone());
            }
            e.of(self.name)
        })
    }
}
