//! Which of the three dialects a `lab.conf` is written in.
//!
//! Words and forms that only one tool knows decide, each a mark for it: `LAB_MACHINES` is
//! netkit-jh's alone; images, `ipv6`, MAC addresses and the like are Kathara's; options of
//! virtual machines, `tap`, `machines=` and lines of plain text are Netkit's. The tool with more
//! marks wins. Where there are none, the startup scripts tell: Kathara's devices find their
//! interfaces up and IPv6 off, so scripts that raise interfaces themselves and use IPv6 were
//! written for Netkit. Kathara is what remains.

use lab::Mac;

use super::lex::{Line, Value};
use super::listing::Listing;
use crate::Dialect;

const KATHARA: [&str; 14] = [
    "image",
    "cpus",
    "port",
    "bridged",
    "ipv6",
    "env",
    "sysctl",
    "ulimit",
    "num_terms",
    "privileged",
    "entrypoint",
    "args",
    "volume",
    "shell",
];
const NETKIT: [&str; 17] = [
    "M",
    "k",
    "kernel",
    "append",
    "con0",
    "con1",
    "xterm",
    "m",
    "model-fs",
    "f",
    "filesystem",
    "W",
    "D",
    "H",
    "e",
    "F",
    "mount",
];

/// Finds the dialect; `scripts` gives the text of a startup script.
pub(super) fn detect(
    lines: &[Line],
    listing: &Listing,
    scripts: &mut dyn FnMut(&str) -> Option<String>,
) -> Dialect {
    let mut marks = Marks::default();
    for line in lines {
        marks.line(line);
    }
    if listing.has_file("lab.ext") {
        marks.kathara += 1;
    }
    if marks.jh {
        return Dialect::NetkitJh;
    }
    match marks.kathara.cmp(&marks.netkit) {
        std::cmp::Ordering::Less => return Dialect::Netkit,
        std::cmp::Ordering::Greater => return Dialect::Kathara,
        std::cmp::Ordering::Equal if marks.kathara > 0 => return Dialect::Kathara,
        std::cmp::Ordering::Equal => {}
    }
    let mut raises = false;
    let mut six = false;
    for name in listing.startups() {
        let text = scripts(name).unwrap_or_default();
        raises |= text.lines().any(raises_interface);
        six |= text
            .lines()
            .any(|l| !l.trim_start().starts_with('#') && has_ipv6(l));
    }
    match (raises, six, lines.is_empty()) {
        (true, true, _) | (true, _, true) => Dialect::Netkit,
        _ => Dialect::Kathara,
    }
}

#[derive(Default)]
struct Marks {
    kathara: usize,
    netkit: usize,
    jh: bool,
}

impl Marks {
    fn line(&mut self, line: &Line) {
        match line {
            Line::Assign { arg, value, .. } => {
                let name = arg.text.as_str();
                if name.bytes().all(|b| b.is_ascii_digit()) {
                    self.interface(value);
                } else if KATHARA.contains(&name) {
                    self.kathara += 1;
                } else if NETKIT.contains(&name) {
                    self.netkit += 1;
                }
                self.netkit += usize::from(value.spaced);
            }
            Line::Meta { key, value } => match key.text.as_str() {
                "LAB_MACHINES" => self.jh = true,
                "machines" => self.netkit += 1,
                "LAB_NAME" => self.kathara += 1,
                _ => {
                    let text = value.word.text.to_ascii_lowercase();
                    self.kathara += usize::from(text.contains("kathara"));
                    self.netkit += usize::from(text.contains("netkit"));
                }
            },
            Line::Junk(_) => self.netkit += 1,
            Line::Broken { .. } => {}
        }
    }

    fn interface(&mut self, value: &Value) {
        let text = &value.word.text;
        if text.starts_with("tap,") {
            self.netkit += 1;
        }
        if text
            .split_once('/')
            .is_some_and(|(_, mac)| mac.parse::<Mac>().is_ok())
        {
            self.kathara += 1;
        }
    }
}

/// Whether a line of a script brings an interface up.
fn raises_interface(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let program = words
        .first()
        .map_or("", |w| w.rsplit('/').next().unwrap_or(w));
    match program {
        "ifconfig" => words.contains(&"up"),
        "ip" => words.contains(&"link") && words.contains(&"up"),
        "ifup" => true,
        _ => false,
    }
}

/// Whether a line has something like an IPv6 address, or names that family.
fn has_ipv6(line: &str) -> bool {
    line.contains("inet6")
        || line
            .split([' ', '\t', '/', '"', '\''])
            .any(|word| word.matches(':').count() > 1 && word.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::lex;

    fn of(conf: &str, startup: &str) -> Dialect {
        let lines = lex::lines(&diag::Source::new("lab.conf", conf));
        let listing = Listing::of(&[], &["pc1.startup"]);
        detect(&lines, &listing, &mut |_| Some(startup.to_string()))
    }

    #[test]
    fn words_of_one_tool_decide() {
        assert_eq!(of("r1[0]=A\nr1[image]=kathara/frr", ""), Dialect::Kathara);
        assert_eq!(of("r1[0]=A/02:00:00:00:00:01", ""), Dialect::Kathara);
        assert_eq!(of("r1[0]=A\nr1[M]=64", ""), Dialect::Netkit);
        assert_eq!(of("r1[0]=tap,10.0.0.1,10.0.0.2", ""), Dialect::Netkit);
        assert_eq!(of("r1[0] = A", ""), Dialect::Netkit);
        assert_eq!(of("LAB_MACHINES=a,b\na[0]=A", ""), Dialect::NetkitJh);
    }

    #[test]
    fn scripts_decide_where_the_file_is_silent() {
        let conf = "r1[0]=A";
        assert_eq!(
            of(conf, "ip addr add fd00::1/64 dev eth0"),
            Dialect::Kathara
        );
        assert_eq!(of(conf, "ifconfig eth0 10.0.0.1/8 up"), Dialect::Kathara);
        let six = "ifconfig eth0 up\nifconfig eth0 add 2001:db8::1/64";
        assert_eq!(of(conf, six), Dialect::Netkit);
    }
}
