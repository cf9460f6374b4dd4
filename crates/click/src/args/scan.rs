//! Steps over the pieces of a configuration string: blanks, comments, quoted texts, hexadecimal
//! data. Positions are those of bytes; a piece ends after an ASCII character or with the text.

/// Blanks of C's `isspace`.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether a comment begins here.
pub(super) fn comment_begins(text: &[u8], at: usize) -> bool {
    text.get(at) == Some(&b'/') && matches!(text.get(at + 1), Some(b'/' | b'*'))
}

/// Whether hexadecimal data `\<...>` begins here.
pub(super) fn hex_begins(text: &[u8], at: usize) -> bool {
    text[at..].starts_with(b"\\<")
}

/// The place behind the comment that begins here; a line's end belongs to its comment.
pub(super) fn comment(text: &[u8], at: usize) -> usize {
    let body = (at + 2).min(text.len());
    if text[at + 1] == b'*' {
        let end = text[body..].windows(2).position(|w| w == b"*/");
        return end.map_or(text.len(), |i| body + i + 2);
    }
    let end = text[body..].iter().position(|b| matches!(b, b'\n' | b'\r'));
    match end.map(|i| body + i) {
        Some(i) if text[i..].starts_with(b"\r\n") => i + 2,
        Some(i) => i + 1,
        None => text.len(),
    }
}

/// The place of the first thing that is neither blank nor comment.
pub(super) fn blank(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        if is_space(text[at]) {
            at += 1;
        } else if comment_begins(text, at) {
            at = comment(text, at);
        } else {
            break;
        }
    }
    at
}

/// The place behind the backslash here and what it escapes.
pub(super) fn backslash(text: &[u8], at: usize) -> usize {
    let length = match text.get(at + 1) {
        Some(b'<') => return hex(text, at + 2),
        Some(b'\r') if text.get(at + 2) == Some(&b'\n') => 3,
        Some(_) => 2,
        None => 1,
    };
    at + length
}

fn hex(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        if text[at] == b'>' {
            return at + 1;
        }
        at = if comment_begins(text, at) {
            comment(text, at)
        } else {
            at + 1
        };
    }
    text.len()
}

/// The place behind one piece: a quoted text, hexadecimal data, or one byte.
pub(crate) fn piece(text: &[u8], at: usize) -> usize {
    match text[at] {
        b'\'' => single_quoted(text, at),
        b'"' => double_quoted(text, at),
        b'\\' if hex_begins(text, at) => backslash(text, at),
        _ => at + 1,
    }
}

fn single_quoted(text: &[u8], at: usize) -> usize {
    let end = text[at + 1..].iter().position(|b| *b == b'\'');
    end.map_or(text.len(), |i| at + i + 2)
}

fn double_quoted(text: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at = backslash(text, at),
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The place behind the word that begins here: up to a blank or a comment.
pub(super) fn word(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && !is_space(text[at]) && !comment_begins(text, at) {
        at = piece(text, at);
    }
    at
}
