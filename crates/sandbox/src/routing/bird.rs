//! BIRD 1's configuration as BIRD 2 reads it. What differs most is that BIRD 2 speaks both IP
//! versions at once: what a protocol imports and exports stands in a channel (`ipv4 { … };`). The
//! source is BIRD's own list of changes from 1.6 to 2.0.

/// Whether a configuration was written for BIRD 1: it has routing protocols and no channel.
pub(super) fn is_old(text: &str) -> bool {
    let tokens = tokens(text);
    let words = || {
        tokens
            .iter()
            .filter(|t| t.kind == Kind::Word)
            .map(|t| t.text)
    };
    let needs =
        words().any(|w| ["bgp", "kernel", "static", "ospf", "rip", "direct", "pipe"].contains(&w));
    let channel = |w: &str| w == "ipv4" || w == "ipv6";
    needs && words().any(|w| w == "protocol" || w == "template") && !words().any(channel)
}

/// Statements of a protocol that stand in its channel now, by their first word or words.
const CHANNEL: &[&str] = &[
    "import",
    "export",
    "table",
    "preference",
    "receive limit",
    "next hop",
    "missing lladdr",
    "gateway",
    "add paths",
    "igp table",
    "secondary",
    "extended next hop",
    "rr client keep",
];

/// Converts a configuration, with `ipv4` or `ipv6` channels.
pub(super) fn convert(text: &str, channel: &str) -> String {
    let tokens = tokens(text);
    let mut out = String::with_capacity(text.len() + 256);
    let mut i = 0;
    while i < tokens.len() {
        match protocol(&tokens[i..]) {
            Some(found) => {
                out.push_str(&rewrite(&found, channel));
                i += found.length;
            }
            None => {
                i += plain(&tokens[i..], channel, &mut out);
            }
        }
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    /// Blanks and comments.
    Space,
    /// A string or any other character.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = next(rest, first);
        let (text, after) = rest.split_at(length);
        out.push(Token { kind, text });
        rest = after;
    }
    out
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    let run = |ok: fn(char) -> bool| rest.find(|c| !ok(c)).unwrap_or(rest.len());
    match first {
        '#' => (Kind::Space, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => {
            (Kind::Space, rest.find("*/").map_or(rest.len(), |i| i + 2))
        }
        '"' => (
            Kind::Other,
            rest[1..].find('"').map_or(rest.len(), |i| i + 2),
        ),
        c if c.is_whitespace() => (Kind::Space, run(char::is_whitespace)),
        c if c.is_ascii_alphanumeric() || c == '_' => {
            (Kind::Word, run(|c| c.is_ascii_alphanumeric() || c == '_'))
        }
        c => (Kind::Other, c.len_utf8()),
    }
}

/// A `protocol` or `template` block.
struct Protocol<'a> {
    /// Words before the brace.
    head: Vec<&'a str>,
    /// Statements, each without its last `;`, with the comments before it.
    body: Vec<String>,
    /// Tokens that it takes.
    length: usize,
}

fn protocol<'a>(tokens: &[Token<'a>]) -> Option<Protocol<'a>> {
    let first = tokens.first()?;
    if !["protocol", "template"].contains(&first.text) {
        return None;
    }
    let open = tokens.iter().position(|t| t.text == "{")?;
    let head: Vec<_> = tokens[..open]
        .iter()
        .filter(|t| t.kind != Kind::Space)
        .map(|t| t.text)
        .collect();
    let mut body = Vec::new();
    let mut statement = String::new();
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open + 1) {
        match token.text {
            "}" if depth == 0 => {
                body.push(statement);
                return Some(Protocol {
                    head,
                    body,
                    length: i + 1,
                });
            }
            ";" if depth == 0 => body.push(std::mem::take(&mut statement)),
            "}" => {
                depth -= 1;
                statement.push('}');
            }
            "{" => {
                depth += 1;
                statement.push('{');
            }
            text => statement.push_str(text),
        }
    }
    None
}

/// A statement's words without comments, as one line.
fn bare(statement: &str) -> String {
    let tokens = tokens(statement);
    let words: Vec<_> = tokens
        .iter()
        .filter(|t| t.kind != Kind::Space)
        .map(|t| t.text)
        .collect();
    words.join(" ")
}

fn rewrite(protocol: &Protocol<'_>, channel: &str) -> String {
    let kind = protocol.head.get(1).copied().unwrap_or_default();
    let mut head = protocol.head.join(" ");
    if kind == "ospf" && !["v2", "v3"].contains(&protocol.head.get(2).copied().unwrap_or_default())
    {
        let version = if channel == "ipv6" { "v3" } else { "v2" };
        head = head.replacen("ospf", &format!("ospf {version}"), 1);
    }
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for statement in &protocol.body {
        let bare = bare(statement);
        if CHANNEL
            .iter()
            .any(|c| bare == *c || bare.starts_with(&format!("{c} ")))
        {
            inside.push(statement.trim().to_owned());
        } else if !bare.is_empty() {
            // a filter in braces ends a statement without a semicolon
            outside.push(statement.trim_end().to_owned());
        }
    }
    let mut out = format!("{head} {{");
    if kind == "pipe" {
        // a pipe joins two tables and has no channels
        let named = inside.iter().any(|s| bare(s).starts_with("table "));
        let table = format!("table master{}", &channel[3..]);
        inside.extend((!named).then_some(table));
        outside.extend(inside.iter().map(|s| format!("\n\t{s}")));
    } else if !["device", "bfd"].contains(&kind) {
        out.push_str(&channel_text(channel, &inside));
    }
    for statement in outside {
        out.push_str(&format!("{statement};"));
    }
    out + "\n}"
}

fn channel_text(channel: &str, statements: &[String]) -> String {
    match statements {
        [] => format!("\n\t{channel};"),
        some => {
            let lines: String = some.iter().map(|s| format!("\n\t\t{s};")).collect();
            format!("\n\t{channel} {{{lines}\n\t}};")
        }
    }
}

/// Copies one token; global statements that BIRD 2 says otherwise are changed. The number of
/// tokens that were used.
fn plain(tokens: &[Token<'_>], channel: &str, out: &mut String) -> usize {
    let statement = || {
        tokens
            .iter()
            .position(|t| t.text == ";")
            .map_or(tokens.len(), |i| i + 1)
    };
    match tokens[0].text {
        "table" => {
            out.push_str(&format!("{channel} table"));
            1
        }
        // each BGP protocol listens for itself
        "listen" => statement(),
        // a block of code: nothing in it is a statement of the configuration
        "filter" | "function" => {
            let length = block(tokens);
            tokens[..length].iter().for_each(|t| out.push_str(t.text));
            length
        }
        text => {
            out.push_str(text);
            1
        }
    }
}

/// Tokens up to the end of the block in braces that comes next.
fn block(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "router id 10.0.0.1;\nlisten bgp port 179;\ntable t1;\n# protocol bgp {\n\
        filter f { if net ~ 10.0.0.0/8 then accept; reject; }\nprotocol device { scan time 10; }\n\
        protocol kernel {\n  import none;  # nothing\n  export filter { if source = RTS_BGP then accept; reject; };\n  scan time 5;\n}\n\
        protocol static { route 10.0.0.0/8 reject; }\n\
        protocol bgp peer {\n local as 65001;\n neighbor 10.0.0.2 as 65002;\n import all;\n export where proto = \"static1\";\n next hop self;\n}\n\
        protocol pipe { peer table t1; export all; }\nprotocol ospf o { area 0 { interface \"eth0\" { cost 5; }; }; }\n";

    #[test]
    fn what_is_imported_moves_into_a_channel() {
        assert!(is_old(OLD));
        let new = convert(OLD, "ipv4");
        assert!(!is_old(&new), "{new}");
        let flat = new.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "router id 10.0.0.1; ipv4 table t1; # protocol bgp {",
            "filter f { if net ~ 10.0.0.0/8 then accept; reject; }",
            "protocol device { scan time 10; }",
            "protocol kernel { ipv4 { import none; # nothing export filter { if source = RTS_BGP then accept; reject; }; };",
            "protocol static { ipv4; route 10.0.0.0/8 reject; }",
            "protocol bgp peer { ipv4 { import all; export where proto = \"static1\"; next hop self; }; local as 65001;",
            "protocol pipe { peer table t1; export all; table master4; }",
            "protocol ospf v2 o { ipv4; area 0 { interface \"eth0\" { cost 5; }; }; }",
        ] {
            assert!(flat.contains(part), "{part}\n--\n{flat}");
        }
    }

    #[test]
    fn broken_text_comes_back_as_it_is() {
        for text in ["protocol bgp {", "/* open", "\"open", "}", ""] {
            assert_eq!(convert(text, "ipv4"), text);
        }
    }
}
