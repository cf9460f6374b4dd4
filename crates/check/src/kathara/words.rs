//! Commands as the tool runs them: split into words as a shell would, and nothing else that a
//! shell does. A command with operators outside quotes is meant for a shell.

/// The command for `bash -c` that runs just those words.
pub(super) fn for_bash(command: &str) -> String {
    match split(command) {
        Some(words) => {
            let words: Vec<String> = words.iter().map(|w| quote(w)).collect();
            words.join(" ")
        }
        None => command.to_string(),
    }
}

/// Words by POSIX quoting; none if a quote stays open or an operator stands outside quotes.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '\n' => return None,
            c if c.is_whitespace() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => quoted(&mut chars, word.get_or_insert_default())?,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// Within double quotes `\` stands before `"` and itself alone.
fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '\\' => match chars.next()? {
                c @ ('"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,@%+=".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_as_they_are() {
        assert_eq!(for_bash("ip  -j route"), "ip -j route");
        assert_eq!(for_bash("awk \"{print $1}\" f"), "awk '{print $1}' f");
        assert_eq!(
            for_bash(r#"bash -c 'for i in 1 2; do echo "$i"; done'"#),
            r#"bash -c 'for i in 1 2; do echo "$i"; done'"#
        );
        assert_eq!(for_bash(r"echo it\'s ''"), r"echo 'it'\''s' ''");
        assert_eq!(for_bash(r#"echo "a\"b\n""#), "echo 'a\"b\\n'");
    }

    #[test]
    fn operators_are_for_the_shell() {
        for command in ["ip a | grep x", "a && b", "echo 'open", "a > b"] {
            assert_eq!(for_bash(command), command);
        }
    }
}
