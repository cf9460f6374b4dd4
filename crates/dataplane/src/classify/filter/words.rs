//! The words of a filter expression.

/// Splits an expression into operators, brackets and words.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = rest.split_at(length(rest, first));
        words.push(word);
        rest = after.trim_ascii_start();
    }
    words
}

/// How many bytes the word has that a text begins with.
fn length(text: &str, first: char) -> usize {
    let doubled = match first {
        '&' | '|' => text[1..].starts_with(first),
        '<' | '>' | '!' | '=' => text[1..].starts_with('='),
        _ => false,
    };
    if doubled {
        return 2;
    }
    let word = text.bytes().take_while(|&byte| is_word(byte)).count();
    word.max(first.len_utf8())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-./@_:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn operators_need_no_blanks() {
        let text = "0 src tcp port>=80&&!(ip[6:2]&0x1fff!=0)||10.0.0.0/8 é-1\t";
        let expected = [
            "0",
            "src",
            "tcp",
            "port",
            ">=",
            "80",
            "&&",
            "!",
            "(",
            "ip",
            "[",
            "6:2",
            "]",
            "&",
            "0x1fff",
            "!=",
            "0",
            ")",
            "||",
            "10.0.0.0/8",
            "é",
            "-1",
        ];
        assert_eq!(words(text), expected);
        assert_eq!(words("a===b&|"), ["a", "==", "=", "b", "&", "|"]);
        assert!(words(" \n").is_empty());
    }
}
