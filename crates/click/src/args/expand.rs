//! Variables in configuration strings: `$v`, `${v}`, `${v-default}`, `${v[2]}`, and where asked
//! for `$(handler arguments)`, `$?` and `$#`.

use std::borrow::Cow;

use super::quote::quote;
use super::scan;
use super::split::words;

/// How deep the texts in `$(...)` may nest.
const DEPTH: usize = 10;

/// How a variable is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `$name` or `${name}`.
    Name,
    /// `$(text)`: a handler and its arguments, variables in them already replaced.
    Call,
}

/// What is replaced, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Expansion {
    /// Whether `$(...)`, `$?` and `$#` are variables, as in scripts.
    pub script: bool,
    /// Whether a value outside of quotes is put into double quotes.
    pub quote: bool,
    /// The most bytes that the result may have.
    pub limit: usize,
}

/// The text with its values would be larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The limit, in bytes.
    pub limit: usize,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "variables expand to more than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLarge {}

/// A configuration string with the values of its variables, which `lookup` knows by name and
/// form. Nothing is replaced in single quotes and comments; in double quotes a value is quoted
/// again; what `lookup` does not know stays as it is.
///
/// # Errors
/// When the result has more bytes than the limit.
pub fn expand<'t>(
    config: &'t str,
    how: Expansion,
    lookup: &mut dyn FnMut(&str, Form) -> Option<String>,
) -> Result<Cow<'t, str>, TooLarge> {
    let out = Expander { how, lookup }.text(config, DEPTH)?;
    Ok(if out == config {
        Cow::Borrowed(config)
    } else {
        Cow::Owned(out)
    })
}

struct Expander<'a> {
    how: Expansion,
    lookup: &'a mut dyn FnMut(&str, Form) -> Option<String>,
}

/// A variable in a text: what stands in its braces or parentheses, and where it ends.
enum Variable<'t> {
    Plain(&'t str, usize),
    Braced(&'t str, usize),
    Call(&'t str, usize),
    /// Its brace or parenthesis is never closed.
    Open,
}

/// What replaces a variable, if anything does.
enum Value {
    Text(String, usize),
    Unknown,
    /// Nothing is replaced from here on.
    Open,
}

impl Expander<'_> {
    fn text(&mut self, config: &str, depth: usize) -> Result<String, TooLarge> {
        let text = config.as_bytes();
        let mut out = String::new();
        let mut copied = 0;
        let mut at = 0;
        let mut quoted = false;
        while at < text.len() {
            match text[at] {
                b'"' => quoted = !quoted,
                b'\\' if quoted => at += usize::from(at + 1 < text.len()),
                b'\'' if !quoted => at = scan::piece(text, at) - 1,
                b'/' if !quoted && scan::comment_begins(text, at) => {
                    at = scan::comment(text, at) - 1;
                }
                b'$' => match self.value(config, at, quoted, depth)? {
                    Value::Text(value, end) => {
                        out.push_str(&config[copied..at]);
                        out.push_str(&value);
                        copied = end;
                        at = end - 1;
                    }
                    Value::Unknown => {}
                    Value::Open => break,
                },
                _ => {}
            }
            at += 1;
            self.check(out.len())?;
        }
        out.push_str(&config[copied..]);
        self.check(out.len())?;
        Ok(out)
    }

    fn check(&self, length: usize) -> Result<(), TooLarge> {
        let limit = self.how.limit;
        if length > limit {
            Err(TooLarge { limit })
        } else {
            Ok(())
        }
    }

    /// What replaces the variable here, and where it ends.
    fn value(
        &mut self,
        config: &str,
        at: usize,
        quoted: bool,
        depth: usize,
    ) -> Result<Value, TooLarge> {
        let script = self.how.script && depth > 0;
        let Some(variable) = variable(config, at, script) else {
            return Ok(Value::Unknown);
        };
        let (value, end) = match variable {
            Variable::Plain(name, end) => ((self.lookup)(name, Form::Name), end),
            Variable::Braced(inner, end) => (self.braced(inner), end),
            Variable::Call(inner, end) => {
                let call = self.text(inner, depth - 1)?;
                let value = (self.lookup)(&call, Form::Call);
                if value.is_none() && call != inner {
                    return Ok(Value::Text(format!("$({call})"), end));
                }
                (value, end)
            }
            Variable::Open => return Ok(Value::Open),
        };
        Ok(match value {
            Some(value) => Value::Text(self.inserted(value, quoted), end),
            None => Value::Unknown,
        })
    }

    /// The value of `${inner}`.
    fn braced(&mut self, inner: &str) -> Option<String> {
        if let Some(value) = (self.lookup)(inner, Form::Name) {
            return Some(value);
        }
        if let Some((name, default)) = inner.split_once('-') {
            let value = (self.lookup)(name, Form::Name);
            return Some(value.unwrap_or_else(|| default.to_owned()));
        }
        let (name, index) = inner.strip_suffix(']')?.split_once('[')?;
        let index: usize = index.parse().ok()?;
        let value = (self.lookup)(name, Form::Name)?;
        let word = words(&value).get(index).copied().unwrap_or_default();
        Some(word.to_owned())
    }

    /// A value as it stands in the text.
    fn inserted(&self, value: String, quoted: bool) -> String {
        if !quoted && !self.how.quote {
            return value;
        }
        let quoted_value = again(&value);
        if quoted {
            quoted_value
        } else {
            format!("\"{quoted_value}\"")
        }
    }
}

/// A value for the inside of double quotes: one that is a quoted text already loses its quotes,
/// another one gets escapes.
fn again(value: &str) -> String {
    let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    if let Some(bare) = bare.filter(|b| !b.contains(['"', '\\'])) {
        return bare.to_owned();
    }
    // only what double quotes give a meaning is escaped, so that other languages stay readable
    if value.is_ascii() {
        let quoted = quote(value.as_bytes());
        return quoted[1..quoted.len() - 1].to_owned();
    }
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$")
}

/// The variable that begins here.
fn variable(config: &str, at: usize, script: bool) -> Option<Variable<'_>> {
    let start = at + 1;
    let rest = &config[start..];
    match rest.bytes().next()? {
        b'{' => {
            let end = rest.find('}');
            Some(end.map_or(Variable::Open, |end| {
                Variable::Braced(&rest[1..end], start + end + 1)
            }))
        }
        b'(' if script => {
            let end = closing(rest.as_bytes());
            Some(end.map_or(Variable::Open, |end| {
                Variable::Call(&rest[1..end - 1], start + end)
            }))
        }
        b'?' | b'#' if script => Some(Variable::Plain(&rest[..1], start + 1)),
        _ => {
            let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
            let length = rest.bytes().take_while(|b| word(b)).count();
            (length > 0).then(|| Variable::Plain(&rest[..length], start + length))
        }
    }
}

/// The place behind the parenthesis that closes the first one, outside of quotes.
fn closing(text: &[u8]) -> Option<usize> {
    let mut level = 0usize;
    let mut quote = None;
    let mut at = 0;
    while at < text.len() {
        match (text[at], quote) {
            (b'\\', q) if q != Some(b'\'') => at += 1,
            (b, Some(q)) if b == q => quote = None,
            (b @ (b'"' | b'\''), None) => quote = Some(b),
            (b'(', None) => level += 1,
            (b')', None) => level -= 1,
            _ => {}
        }
        at += 1;
        if level == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Expansion = Expansion {
        script: false,
        quote: false,
        limit: 1000,
    };
    const SCRIPT: Expansion = Expansion {
        script: true,
        quote: true,
        limit: 1000,
    };

    fn lookup(name: &str, form: Form) -> Option<String> {
        let value = match (form, name) {
            (Form::Name, "a") => "x y",
            (Form::Name, "q") => "\"z\"",
            (Form::Name, "b") => "a\"b$c",
            (Form::Name, "?") => "7",
            (Form::Call, "add 1 2") => "3",
            (Form::Call, "add \"3\" 1") => "4",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn with(how: Expansion, text: &str) -> String {
        expand(text, how, &mut lookup).unwrap().into_owned()
    }

    #[test]
    fn variables_are_replaced_where_they_may_be() {
        let plain = |text| with(PLAIN, text);
        assert_eq!(
            plain("$a, '$a', ${a[1]}, ${a[9]}, ${n-7}, ${a-7}, $n, ${n}"),
            "x y, '$a', y, , 7, x y, $n, ${n}"
        );
        assert_eq!(
            plain("\"<$q> '$a' \\$a\" // $a\n$a"),
            "\"<z> 'x y' \\$a\" // $a\nx y"
        );
        assert_eq!(plain("\"$b\" $b"), "\"a\\\"b\\$c\" a\"b$c");
        assert_eq!(
            plain("$a$a$ $ $? $(add 1 2) ${a"),
            "x yx y$ $ $? $(add 1 2) ${a"
        );
        assert_eq!(plain("é$aé"), "éx yé");
    }

    #[test]
    fn scripts_call_handlers() {
        let script = |text| with(SCRIPT, text);
        assert_eq!(script("$(add 1 2)"), "\"3\"");
        assert_eq!(script("$(add $(add 1 2) 1)"), "\"4\"");
        assert_eq!(script("\"$(add 1 2)\" $?"), "\"3\" \"7\"");
        assert_eq!(
            script("$(sub ')' $(add 1 2)) $(add"),
            "$(sub ')' \"3\") $(add"
        );
        assert_eq!(script("$b"), "\"a\\\"b\\$c\"");
    }

    #[test]
    fn bounds() {
        let how = Expansion { limit: 5, ..PLAIN };
        assert_eq!(expand("$a$a", how, &mut lookup), Err(TooLarge { limit: 5 }));
        assert!(matches!(
            expand("plain", how, &mut lookup),
            Ok(Cow::Borrowed("plain"))
        ));
        let open = "${".repeat(100_000);
        let wide = Expansion {
            limit: 1_000_000,
            ..PLAIN
        };
        assert_eq!(
            expand(&open, wide, &mut lookup).as_deref(),
            Ok(open.as_str())
        );
        let deep = format!("{}$(add 1 2){}", "$(f ".repeat(500), ")".repeat(500));
        assert!(
            expand(
                &deep,
                Expansion {
                    limit: 10_000,
                    ..SCRIPT
                },
                &mut lookup
            )
            .is_ok()
        );
    }
}
