//! Configuration strings into arguments, arguments into words, and both back.

use super::scan;

/// The arguments of a configuration string: split at commas outside quotes, comments made blanks,
/// a last empty one left out (`cp_argvec`).
pub fn arguments(config: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < config.len() {
        let (argument, end) = argument(config, at, true);
        if !argument.is_empty() || end < config.len() {
            list.push(argument);
        }
        at = end + 1;
    }
    list
}

/// A text without the blanks around it, with one blank for each comment and the blanks beside it
/// (`cp_uncomment`). Other blanks and all in quotes stay.
pub fn uncomment(text: &str) -> String {
    argument(text, 0, false).0
}

/// The argument that begins at `from` and where it ends: at a comma, if `commas`.
fn argument(config: &str, from: usize, commas: bool) -> (String, usize) {
    let text = config.as_bytes();
    let mut at = scan::blank(text, from);
    let mut out = String::new();
    let (mut left, mut right) = (at, at);
    let mut commented = false;
    while at < text.len() {
        if scan::is_space(text[at]) {
            at += 1;
        } else if scan::comment_begins(text, at) {
            at = scan::comment(text, at);
            commented = true;
        } else if commas && text[at] == b',' {
            break;
        } else {
            if std::mem::take(&mut commented) {
                out.push_str(&config[left..right]);
                out.push(' ');
                left = at;
            }
            at = scan::piece(text, at);
            right = at;
        }
    }
    out.push_str(&config[left..right]);
    (out, at)
}

/// The words of an argument: split at blanks and comments outside quotes (`cp_spacevec`).
pub fn words(argument: &str) -> Vec<&str> {
    let mut rest = argument;
    std::iter::from_fn(|| shift_word(&mut rest)).collect()
}

/// Takes the first word from a text, and the blanks around it.
pub fn shift_word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.as_bytes();
    let start = scan::blank(text, 0);
    let end = scan::word(text, start);
    let word = &rest[start..end];
    *rest = &rest[scan::blank(text, end)..];
    (!word.is_empty()).then_some(word)
}

/// Arguments as a configuration string; they are not quoted.
pub fn join_arguments<T: AsRef<str>>(arguments: &[T]) -> String {
    join(arguments, ", ")
}

/// Words as an argument; they are not quoted.
pub fn join_words<T: AsRef<str>>(words: &[T]) -> String {
    join(words, " ")
}

fn join<T: AsRef<str>>(parts: &[T], between: &str) -> String {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    parts.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_end_at_commas_outside_quotes() {
        assert_eq!(arguments("a, b, c"), ["a", "b", "c"]);
        assert_eq!(arguments("  a /*?*/ b,  c, "), ["a b", "c"]);
        assert_eq!(arguments("\"x, y\" // ?"), ["\"x, y\""]);
        assert_eq!(
            arguments("'a,b' \\<2c // ,> ,\n 2c>, z"),
            ["'a,b' \\<2c // ,> ,\n 2c>", "z"]
        );
        assert_eq!(arguments(", ,"), ["", ""]);
        assert_eq!(arguments("1,"), ["1"]);
        assert!(arguments(" /* */ ").is_empty());
        assert_eq!(arguments("a // x\r\n, b"), ["a", "b"]);
    }

    #[test]
    fn comments_become_one_blank() {
        assert_eq!(uncomment("  a   b  "), "a   b");
        assert_eq!(uncomment("  a /* c */       b  "), "a b");
        assert_eq!(uncomment(" \" /* ? */ \" "), "\" /* ? */ \"");
        assert_eq!(uncomment("a /* never ends"), "a");
    }

    #[test]
    fn words_end_at_blanks_outside_quotes() {
        assert_eq!(words("a  b, c"), ["a", "b,", "c"]);
        assert_eq!(words(" 'a /*?*/ b'c "), ["'a /*?*/ b'c"]);
        assert_eq!(words("a/b//c\nd"), ["a/b", "d"]);
        let mut rest = " é \"ü x\" ";
        assert_eq!(shift_word(&mut rest), Some("é"));
        assert_eq!(rest, "\"ü x\" ");
        assert_eq!(shift_word(&mut rest), Some("\"ü x\""));
        assert_eq!(shift_word(&mut rest), None);
    }

    #[test]
    fn joined_as_they_are() {
        assert_eq!(join_arguments(&["a", "b c"]), "a, b c");
        assert_eq!(join_words::<&str>(&[]), "");
    }
}
