//! Correction files of kathara-lab-checker, read as they are: JSON or YAML, the forms of its
//! releases up to 0.1.14 and those older ones that still mean something (`peerings`, `!route`).
//!
//! Each family of tests becomes checks of the model, in the order in which that tool runs them.
//! Unknown keys are warnings, as the tool passes over them; a value that it could make nothing
//! of is an error.

mod applications;
mod bgp;
mod bridges;
mod devices;
mod protocols;
mod reader;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;

use diag::yaml::{Tree, Value};
use diag::{Diagnostics, Source};
use lab::{Check, Lab, Test};

use reader::Reader;

/// The keys of a correction file.
const KEYS: [&str; 6] = [
    "labs_path",
    "convergence_time",
    "structure",
    "lab_inline",
    "default_image",
    "test",
];

/// The families of tests, in the order in which they run.
const FAMILIES: [&str; 11] = [
    "requiring_startup",
    "ipv6_enabled",
    "sysctls",
    "ip_mapping",
    "bridges",
    "reachability",
    "daemons",
    "protocols",
    "kernel_routes",
    "applications",
    "custom_commands",
];

/// What a correction file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Correction {
    /// The folder of the labs to correct, as it stands in the file.
    pub labs_path: Option<PathBuf>,
    /// The `lab.conf` (or a file like it) that each lab must be built as, relative to the
    /// correction file's folder.
    pub structure: Option<PathBuf>,
    /// The text of such a `lab.conf`; where it is there it counts and `structure` does not.
    pub lab_inline: Option<String>,
    /// Seconds that routing needs before the lab shows what it is to show.
    pub convergence_time: Option<f64>,
    /// The image of nodes that name none.
    pub default_image: Option<String>,
    /// The checks.
    pub checks: Vec<Check>,
}

/// Whether a text is a correction file: a mapping with `test` (or a template of a lab) that is
/// neither a lab nor a list of checks of the native language.
pub fn is_correction(source: &Source) -> bool {
    let Ok(tree) = diag::yaml::parse(source) else {
        return false;
    };
    let has = |key: &str| tree.get(key).is_some();
    let native = ["telaio", "nodes", "checks"].into_iter().any(has);
    let tests = tree
        .get("test")
        .is_some_and(|t| matches!(t.value, Value::Map(_)));
    !native && (tests || has("lab_inline"))
}

/// Reads a correction file; the diagnostics beside it are warnings.
///
/// # Errors
/// All mistakes in it, each at its place.
pub fn read(source: &Source) -> Result<(Correction, Diagnostics), Diagnostics> {
    let tree = diag::yaml::parse(source)?;
    let mut reader = Reader::new(source);
    let mut correction = head(&mut reader, &tree);
    match tree.get("test") {
        Some(test) => tests_of(&mut reader, test),
        None => reader.warn(
            &tree.span,
            "there is no `test`, so nothing is checked",
            "add a mapping `test` with families of tests",
        ),
    }
    let (checks, out) = reader.finish();
    correction.checks = checks;
    if out.has_errors() {
        Err(out)
    } else {
        Ok((correction, out))
    }
}

/// Everything but the tests.
fn head(reader: &mut Reader<'_>, tree: &Tree) -> Correction {
    let mut out = Correction::default();
    for (key, value) in reader.entries(tree, "a correction file") {
        match key.text.as_str() {
            "labs_path" => out.labs_path = reader.optional(value, "labs_path").map(PathBuf::from),
            "structure" => out.structure = reader.optional(value, "structure").map(PathBuf::from),
            "lab_inline" => out.lab_inline = reader.optional(value, "lab_inline").map(Into::into),
            "default_image" => {
                out.default_image = reader.optional(value, "default_image").map(Into::into);
            }
            "convergence_time" => out.convergence_time = seconds(reader, value),
            "test" => {}
            _ => reader.unknown(key, &KEYS),
        }
    }
    out
}

fn seconds(reader: &mut Reader<'_>, tree: &Tree) -> Option<f64> {
    let text = reader.optional(tree, "convergence_time")?;
    let number = text.trim().parse::<f64>().ok();
    let number = number.filter(|n| n.is_finite() && *n >= 0.0);
    if number.is_none() {
        let message = format!("`{text}` is no number of seconds");
        reader.error(tree, &message, "write how long routing takes, such as 30");
    }
    number
}

fn tests_of(reader: &mut Reader<'_>, tree: &Tree) {
    for (key, _) in reader.entries(tree, "test") {
        if !FAMILIES.contains(&key.text.as_str()) {
            reader.unknown(key, &FAMILIES);
        }
    }
    for family in FAMILIES {
        let Some(value) = tree.get(family) else {
            continue;
        };
        match family {
            "requiring_startup" => devices::startup(reader, value),
            "ipv6_enabled" => devices::ipv6(reader, value),
            "sysctls" => devices::sysctls(reader, value),
            "ip_mapping" => devices::addresses(reader, value),
            "bridges" => bridges::bridges(reader, value),
            "reachability" => devices::reachability(reader, value),
            "daemons" => devices::daemons(reader, value),
            "protocols" => protocols::protocols(reader, value),
            "kernel_routes" => devices::routes(reader, value),
            "applications" => applications::applications(reader, value, tree.get("ip_mapping")),
            _ => devices::commands(reader, value),
        }
    }
}

impl Correction {
    /// That the devices of an expected lab are there, and then that their interfaces are plugged
    /// into the same collision domains.
    pub fn structure_checks(expected: &Lab) -> Vec<Check> {
        let nodes = expected.nodes.keys().map(|node| Check {
            name: Some(format!("the lab has a device {node}")),
            ..Check::new(Test::Node { node: node.clone() })
        });
        let plugs = expected.nodes.iter().flat_map(|(node, n)| {
            let plugged = n.interfaces.iter();
            plugged
                .filter_map(move |(name, i)| Some(plugged_check(node, name, i.segment.as_ref()?)))
        });
        nodes.chain(plugs).collect()
    }
}

fn plugged_check(node: &str, interface: &str, segment: &str) -> Check {
    Check {
        name: Some(format!(
            "{node}: {interface} is on collision domain {segment}"
        )),
        ..Check::new(Test::Plugged {
            node: node.into(),
            interface: interface.into(),
            segment: segment.into(),
        })
    }
}
