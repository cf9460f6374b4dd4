//! Netkit, netkit-jh and Kathara: a folder with a `lab.conf`, a folder of files for each
//! machine, startup and shutdown scripts, `lab.dep`, `lab.ext` and `shared`.
//!
//! One reader takes the union of the three dialects (see [`detect`] for how the dialect is
//! found). What one tool would refuse and the meaning of which is plain is a warning; the dialect
//! decides where they disagree: which machines exist, where `shared` goes, which of two settings
//! counts, and which habits nodes have ([`lab::Profile`]).

mod dep;
mod detect;
mod ext;
mod folders;
mod groups;
mod interface;
pub(crate) mod lex;
mod listing;
mod option;
pub(crate) mod values;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use diag::{Diagnostic, Diagnostics, Place, Source, Span};
use indexmap::IndexMap;
use lab::{Interface, Lab, Node, Profile, check_node_name};

use crate::folder::Folder;
use crate::nearest::nearest;
use crate::places::Places;
use crate::{Dialect, Options, Parsed};
use groups::Groups;
use lex::{Broken, Line, Value, Word};
use listing::{Listing, RESERVED};

/// Reads the lab in a folder; all mistakes are collected.
pub(crate) fn read(folder: &Folder, options: &Options) -> Result<Parsed, Diagnostics> {
    let source = folder.source(Path::new("lab.conf"))?;
    let listing = Listing::read(folder)?;
    let lines = source.as_ref().map(lex::lines).unwrap_or_default();
    let dialect = options.dialect.unwrap_or_else(|| {
        detect::detect(&lines, &listing, &mut |name| {
            let source = folder.source(Path::new(name)).ok().flatten();
            source.map(|s| s.text().to_string())
        })
    });
    if source.is_none() && !listing.has_file("lab.dep") && listing.started().next().is_none() {
        return Err(nothing(folder).into());
    }
    let name = folder.shown(Path::new("lab.conf")).display().to_string();
    let mut reader = Reader {
        folder,
        listing,
        options,
        dialect,
        source: source.unwrap_or_else(|| Source::new(name, "")),
        lab: Lab {
            telaio: 1,
            ..Lab::default()
        },
        machines: IndexMap::new(),
        chosen: None,
        places: Places::default(),
        groups: Groups::default(),
        out: Diagnostics::new(),
    };
    for line in &lines {
        reader.line(line);
    }
    reader.finish()
}

fn nothing(folder: &Folder) -> Diagnostic {
    let shown = folder.shown(Path::new(""));
    Diagnostic::error(format!("there is no lab in `{}`", shown.display()))
        .help("a lab's folder has a telaio.yaml or a lab.conf")
}

/// A machine while its lines come in.
#[derive(Default)]
struct Machine {
    node: Node,
    interfaces: BTreeMap<u32, (Interface, Span)>,
    /// Options that can be given once, and where they were.
    given: HashMap<String, Span>,
    /// Commands that run after the startup scripts.
    commands: Vec<String>,
}

struct Reader<'a> {
    folder: &'a Folder,
    listing: Listing,
    options: &'a Options,
    dialect: Dialect,
    source: Source,
    lab: Lab,
    machines: IndexMap<String, Machine>,
    /// The machines that the file itself says are the lab's.
    chosen: Option<Vec<Word>>,
    places: Places,
    groups: Groups,
    out: Diagnostics,
}

impl Reader<'_> {
    fn place(&self, span: &Span) -> Place {
        self.source.at(span.clone())
    }

    fn kathara(&self) -> bool {
        self.dialect == Dialect::Kathara
    }

    fn error(&mut self, span: &Span, text: impl Into<String>, help: impl Into<String>) {
        let place = self.place(span);
        self.out.push(Diagnostic::error(text).at(place).help(help));
    }

    fn warning(&mut self, span: &Span, text: impl Into<String>, help: impl Into<String>) {
        let place = self.place(span);
        self.out
            .push(Diagnostic::warning(text).at(place).help(help));
    }

    fn line(&mut self, line: &Line) {
        match line {
            Line::Assign {
                machine,
                arg,
                value,
            } => self.assign(machine, arg, value),
            Line::Meta { key, value } => self.meta(key, value),
            Line::Junk(span) => {
                let place = self.place(span);
                let help = "begin a comment with `#`";
                let text = "lines that set nothing are ignored, this is the first";
                self.groups.warn(text, help, "", place);
            }
            Line::Broken { span, why } => self.broken(span, *why),
        }
    }

    /// Kathara refuses such a line; Netkit reads over it, and loses a setting that way.
    fn broken(&mut self, span: &Span, why: Broken) {
        let (text, help) = match why {
            Broken::Quote => ("a quote is not closed", "end the value with the same quote"),
            Broken::Rest => (
                "text follows the value",
                "put the whole value in quotes, and a `#` before a comment",
            ),
            Broken::Bracket => ("a bracket is missing", "write `machine[setting]=value`"),
            Broken::Equals => ("there is no `=`", "write `machine[setting]=value`"),
        };
        match self.kathara() {
            true => self.error(span, text, help),
            false => self.warning(span, format!("{text}: the line is ignored"), help),
        }
    }

    fn meta(&mut self, key: &Word, value: &Value) {
        if value.more {
            let end = value.word.span.end;
            let text = "a second setting follows on this line";
            self.warning(&(end..end + 1), text, "end the line before it");
        }
        let text = value.word.text.clone();
        let info = &mut self.lab.info;
        match key.text.as_str() {
            "LAB_NAME" => self.lab.name = crate::names::tame(&text),
            "LAB_DESCRIPTION" => info.description = text,
            "LAB_VERSION" => info.version = text,
            "LAB_AUTHOR" => info.author = text,
            "LAB_EMAIL" => info.email = text,
            "LAB_WEB" => info.web = text,
            "machines" | "LAB_MACHINES" => self.chosen = Some(names(&value.word)),
            other => {
                let known = [
                    "LAB_NAME",
                    "LAB_DESCRIPTION",
                    "LAB_VERSION",
                    "LAB_AUTHOR",
                    "LAB_EMAIL",
                    "LAB_WEB",
                    "LAB_MACHINES",
                ];
                let help = match nearest(other, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", known.join(", ")),
                };
                self.warning(&key.span, format!("unknown setting `{other}`"), help);
            }
        }
    }

    fn assign(&mut self, machine: &Word, arg: &Word, value: &Value) {
        let name = machine.text.as_str();
        if RESERVED.contains(&name) {
            let text = format!("no machine can be called `{name}`");
            self.error(
                &machine.span,
                text,
                "that name means something else in a lab's folder",
            );
            return;
        }
        if let Err(e) = check_node_name(name) {
            let text = format!("bad machine name `{name}`");
            self.error(&machine.span, text, e.to_string());
            return;
        }
        self.habits(machine, arg, value);
        if !self.machines.contains_key(name) {
            let place = self.place(&machine.span);
            self.places.put(&["nodes", name], place);
            self.machines.insert(name.to_string(), Machine::default());
        }
        match arg.text.bytes().all(|b| b.is_ascii_digit()) && !arg.text.is_empty() {
            true => self.interface(machine, arg, value),
            false => self.option(machine, arg, value),
        }
    }

    /// What Kathara itself would refuse although its meaning is plain.
    fn habits(&mut self, machine: &Word, arg: &Word, value: &Value) {
        if !self.kathara() {
            return;
        }
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let name = &machine.text;
        let place = self.place(&machine.span);
        if name.len() > 30 || !name.bytes().all(good) {
            let text = "Kathara would refuse these names (it takes 1 to 30 of a-z, 0-9 and `_`)";
            self.groups.note(text, "", name, place);
            return;
        }
        let place = match &value.comment {
            Some(span) if !value.quoted && !value.word.text.is_empty() => self.place(span),
            _ if value.spaced => self.place(&arg.span),
            _ => return,
        };
        let text = match value.spaced {
            true => "Kathara would refuse blanks around `=`",
            false => "Kathara would refuse a comment after a value without quotes",
        };
        self.groups.note(text, "", name, place);
    }

    fn finish(mut self) -> Result<Parsed, Diagnostics> {
        self.lab.profile = match self.kathara() {
            true => Profile::Kathara,
            false => Profile::Netkit,
        };
        if self.lab.name.is_empty() {
            self.lab.name = crate::names::of_folder(self.folder.path());
        }
        self.choose();
        self.build();
        self.dependencies();
        self.externals();
        self.out.append(self.groups.into_diagnostics());
        if self.lab.nodes.is_empty() && !self.out.has_errors() {
            self.out.push(
                Diagnostic::error("the lab has no machine")
                    .at(self.source.at(0..0))
                    .help("give one an interface, like `pc1[0]=A`"),
            );
        }
        if self.out.has_errors() {
            return Err(self.out);
        }
        let places = self.places;
        Ok(Parsed {
            lab: self.lab,
            dialect: self.dialect,
            diagnostics: self.out,
            locate: Box::new(move |path| places.get(path)),
        })
    }
}

/// Names with blanks or commas between them.
fn names(list: &Word) -> Vec<Word> {
    let separator = |c: char| c == ',' || c.is_whitespace();
    let mut out = Vec::new();
    let mut at = list.span.start;
    for text in list.text.split_inclusive(separator) {
        let name = text.trim_end_matches(separator);
        if !name.is_empty() {
            out.push(Word {
                text: name.to_string(),
                span: at..at + name.len(),
            });
        }
        at += text.len();
    }
    out
}
