//! A tolerant reader of shell scripts: which commands a script runs, with what words, and
//! whether it surely runs them. It follows the grammar of POSIX shells as far as finding
//! commands asks for; what it cannot follow it skips, and it never fails.

mod parser;
mod words;

use std::collections::{BTreeSet, HashMap};

use diag::Span;

/// Variables whose values are known.
pub(crate) type Variables = HashMap<String, String>;

/// A script's commands in the order they stand.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) commands: Vec<Command>,
    /// Functions that it defines.
    pub(crate) functions: BTreeSet<String>,
}

/// A simple command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// Its words, the program first; never empty unless it only redirects.
    pub(crate) words: Vec<Word>,
    /// Where it stands in the text.
    pub(crate) span: Span,
    /// Whether the script runs it in any case, and nothing in the script minds its failure.
    pub(crate) certain: bool,
    /// The function that it is in.
    pub(crate) function: Option<String>,
    /// Files that it writes to by redirection.
    pub(crate) writes: Vec<Word>,
    /// Text given to it as a here-document or here-string.
    pub(crate) input: Option<Word>,
}

impl Command {
    /// The program's name as written; empty when it is not known.
    pub(crate) fn name(&self) -> &str {
        match self.words.first() {
            Some(word) if word.exact => &word.text,
            _ => "",
        }
    }
}

/// A word, its quotes removed and known variables filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Whether `text` is all of it; else parts that only a run can tell are left out.
    pub(crate) exact: bool,
}

/// Reads a script.
pub(crate) fn parse(text: &str, variables: &mut Variables) -> Script {
    let mut script = Script::default();
    parser::Parser::new(text, 0..text.len(), variables, &mut script, 0).run();
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<String> {
        let script = parse(text, &mut Variables::new());
        let show = |c: &Command| {
            let words: Vec<&str> = c.words.iter().map(|w| w.text.as_str()).collect();
            let mark = if c.certain { "" } else { "?" };
            format!("{mark}{}", words.join(" "))
        };
        script.commands.iter().map(show).collect()
    }

    #[test]
    fn commands_are_split_and_quotes_removed() {
        assert_eq!(
            commands("ip link add 'a b' type \"vlan\"; ls | wc -l & # rest\n\necho a\\ b\r\n"),
            ["ip link add a b type vlan", "ls", "wc -l", "echo a b"]
        );
        assert_eq!(commands("echo a \\\n b"), ["echo a b"]);
        assert_eq!(commands("echo \"un\nclosed"), ["echo un\nclosed"]);
    }

    #[test]
    fn known_variables_are_filled_in() {
        assert_eq!(
            commands("T=vlan\nip add type $T ${T}x $U"),
            ["ip add type vlan vlanx "]
        );
        assert_eq!(commands("for T in a b; do echo $T.x; done"), ["?echo .x"]);
    }

    #[test]
    fn what_may_fail_or_not_run_is_not_certain() {
        assert_eq!(commands("modprobe x || true"), ["?modprobe x", "?true"]);
        assert_eq!(commands("modprobe x || exit 1"), ["modprobe x", "?exit 1"]);
        assert_eq!(commands("[ -f x ] && tc a"), ["[ -f x ]", "?tc a"]);
        assert_eq!(commands("cd x && tc a"), ["cd x", "tc a"]);
        assert_eq!(
            commands("if grep x y; then tc a; else tc b; fi; tc c"),
            ["?grep x y", "?tc a", "?tc b", "tc c"]
        );
        assert_eq!(
            commands("until ping -c1 h; do sleep 1; done; tc c"),
            ["ping -c1 h", "?sleep 1", "tc c"]
        );
        assert_eq!(
            commands("case $x in a|b) tc a;; *) tc b ;; esac\ntc c"),
            ["?tc a", "?tc b", "tc c"]
        );
        assert_eq!(commands("tc a; exit 0; tc b"), ["tc a", "exit 0"]);
        assert_eq!(
            commands("[[ a < b && c ]] && tc a"),
            ["[[ a < b && c ]]", "?tc a"]
        );
        assert_eq!(commands("{ tc a; tc b; } 2>&1"), ["tc a", "tc b"]);
        assert_eq!(commands("( tc a )"), ["tc a"]);
    }

    #[test]
    fn functions_name_their_commands() {
        let script = parse(
            "f() {\n tc a\n}\nfunction g { tc b; }\nf",
            &mut Variables::new(),
        );
        let got: Vec<_> = script
            .commands
            .iter()
            .map(|c| (c.name(), c.function.as_deref()))
            .collect();
        assert_eq!(got, [("tc", Some("f")), ("tc", Some("g")), ("f", None)]);
        assert!(script.functions.contains("f") && script.functions.contains("g"));
    }

    #[test]
    fn substitutions_are_commands_too() {
        assert_eq!(
            commands("A=$(hostname -I | cut -d' ' -f1); echo `id` $((1 + (2)))x"),
            ["hostname -I", "cut -d  -f1", "id", "echo  x"]
        );
    }

    #[test]
    fn here_documents_are_no_commands() {
        let text = "cat > /etc/x <<EOF\nip link add\nEOF\nbash <<-'E'\n\ttc a\n\tE\ntc b <<< word";
        let script = parse(text, &mut Variables::new());
        let names: Vec<_> = script.commands.iter().map(Command::name).collect();
        assert_eq!(names, ["cat", "bash", "tc"]);
        assert_eq!(script.commands[0].writes[0].text, "/etc/x");
        assert_eq!(script.commands[1].input.as_ref().unwrap().text, "\ttc a\n");
        assert_eq!(script.commands[2].input.as_ref().unwrap().text, "word");
    }

    #[test]
    fn places_are_kept() {
        let text = "x=1\n  ip link add $(id)\n";
        let script = parse(text, &mut Variables::new());
        let spans: Vec<_> = script
            .commands
            .iter()
            .map(|c| &text[c.span.clone()])
            .collect();
        assert_eq!(spans, ["id", "ip link add $(id)"]);
    }

    #[test]
    fn hostile_text_ends() {
        for piece in [
            "$(",
            "`",
            "((",
            "${",
            "if ",
            "case x in ",
            "f(){ ",
            "<<A\n",
            "\"$(",
            "[[ ",
        ] {
            parse(&piece.repeat(20_000), &mut Variables::new());
        }
    }
}
