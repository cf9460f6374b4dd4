//! Quoted texts: what bytes they stand for, and bytes as a quoted text.

use super::scan;
use super::split::uncomment;

/// Removes one layer of quotes (`cp_unquote`): `'...'` stands for itself, `"..."` has backslash
/// escapes, `\<48 65>` is hexadecimal data, comments and blanks around go. It gives bytes, since
/// escapes can write any.
pub fn unquote(text: &str) -> Vec<u8> {
    let plain = uncomment(text);
    let text = plain.as_bytes();
    let mut out = Vec::with_capacity(text.len());
    let mut quote = None;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if quote == Some(byte) {
            quote = None;
        } else if quote.is_none() && matches!(byte, b'"' | b'\'') {
            quote = Some(byte);
        } else if escapes(text, at, quote) {
            at = unescape(text, at, &mut out);
            continue;
        } else {
            out.push(byte);
        }
        at += 1;
    }
    out
}

/// Whether an escape begins here: in double quotes any, outside of quotes only data.
fn escapes(text: &[u8], at: usize, quote: Option<u8>) -> bool {
    let begins = text[at] == b'\\' && at + 1 < text.len();
    begins && (quote == Some(b'"') || (quote.is_none() && scan::hex_begins(text, at)))
}

/// Appends what the escape here stands for; gives the place behind it.
fn unescape(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let plain = match text[at + 1] {
        b'\r' | b'\n' => return scan::backslash(text, at),
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'0'..=b'7' => return octal(text, at + 1, out),
        b'x' => return hexadecimal(text, at + 2, out),
        b'<' => return data(text, at, out),
        other => other,
    };
    out.push(plain);
    at + 2
}

/// Up to three octal digits; what exceeds a byte is cut off.
fn octal(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let digits = text[at..].iter().take(3);
    let digits: Vec<u8> = digits
        .copied()
        .take_while(|b| matches!(b, b'0'..=b'7'))
        .collect();
    let value = digits.iter().fold(0u32, |v, d| v * 8 + u32::from(d - b'0'));
    out.push(value.to_le_bytes()[0]);
    at + digits.len()
}

/// Any number of hexadecimal digits, of which the last two count.
fn hexadecimal(text: &[u8], mut at: usize, out: &mut Vec<u8>) -> usize {
    let mut value = 0u8;
    while let Some(digit) = text.get(at).and_then(|b| hex_digit(*b)) {
        value = (value << 4) | digit;
        at += 1;
    }
    out.push(value);
    at
}

/// Pairs of hexadecimal digits up to `>`; all else between them is passed over.
fn data(text: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    let end = scan::backslash(text, start);
    let mut first = None;
    let mut at = start + 2;
    while at < end {
        if scan::comment_begins(text, at) {
            at = scan::comment(text, at);
            continue;
        }
        if let Some(digit) = hex_digit(text[at]) {
            match first.take() {
                Some(high) => out.push((high << 4) | digit),
                None => first = Some(digit),
            }
        }
        at += 1;
    }
    end
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Bytes as a text in double quotes that [`unquote`] gives back (`cp_quote`).
pub fn quote(bytes: &[u8]) -> String {
    quoted(bytes, false)
}

/// As [`quote`], but line ends stay as they are.
pub fn quote_with_newlines(bytes: &[u8]) -> String {
    quoted(bytes, true)
}

fn quoted(bytes: &[u8], newlines: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for byte in bytes {
        match byte {
            b'\n' if newlines => out.push('\n'),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            b'\\' | b'"' | b'$' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

/// Bytes as hexadecimal data, `\<48656c>`.
pub fn hex_data(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("\\<{digits}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_of_quotes_is_removed() {
        assert_eq!(
            unquote("\"\\n\" abc /* 123 */ '/* def */'"),
            b"\n abc /* def */"
        );
        assert_eq!(unquote("a\"b\"c'\"d\\n'"), b"abc\"d\\n");
        assert_eq!(unquote("\"it's\\\"\\$\\,\\q\""), b"it's\"$,q");
        assert_eq!(unquote("a\\nb"), b"a\\nb");
        assert_eq!(unquote("\"a\\\r\nb\\\nc\\"), b"abc\\");
    }

    #[test]
    fn escapes_write_any_byte() {
        assert_eq!(unquote("\"\\101\\0\\7778\""), [b'A', 0, 0xff, b'8']);
        assert_eq!(unquote("\"\\x41g\\x12345\\x\""), [0x41, b'g', 0x45, 0]);
        assert_eq!(unquote("\\<48656c6C 6f 2 /* and */ 1>"), b"Hello!");
        assert_eq!(unquote("\"\\<4 zz 8 // >\n 49>!\""), b"HI!");
        assert_eq!(unquote("\\<41 4"), b"A");
    }

    #[test]
    fn quotes_are_added_as_click_does() {
        assert_eq!(quote(b""), "\"\"");
        assert_eq!(
            quote(b"a$\"\\\t\n\r\x01\xff"),
            "\"a\\$\\\"\\\\\\t\\n\\r\\001\\377\""
        );
        assert_eq!(quote_with_newlines(b"a\nb"), "\"a\nb\"");
        assert_eq!(hex_data(b"\x00\xff"), "\\<00ff>");
    }
}
