//! Programs and services that are not there.

use std::collections::{BTreeMap, BTreeSet};

use diag::{Diagnostic, Diagnostics, Level};
use lab::packages;

use super::{at, names};
use crate::{Host, Need, Wanted};

/// Needs by the name of what is missing.
type Missing<'a> = BTreeMap<&'a str, Vec<&'a Need>>;

/// At most one message for services and one for programs, with one command that gets them all.
pub(super) fn judge(needs: &[Need], host: &Host<'_>, out: &mut Diagnostics) {
    let programs = missing(needs, host, |wanted| match wanted {
        Wanted::Program(name) if !(host.has_program)(name) => Some(name),
        _ => None,
    });
    let services = missing(needs, host, |wanted| match wanted {
        Wanted::Service(name) if is_missing(name, host) => Some(name),
        _ => None,
    });
    let unknown = missing(needs, host, |wanted| match wanted {
        Wanted::Service(name) if packages::service_named(name).is_none() => Some(name),
        _ => None,
    });
    let messages = [
        services_message(&services, &programs),
        programs_message(&programs),
        unknown_message(&unknown),
    ];
    messages.into_iter().flatten().for_each(|m| out.push(m));
}

/// Needs that are certain and not there, unless the user does without them.
fn missing<'a>(
    needs: &'a [Need],
    host: &Host<'_>,
    name: impl Fn(&'a Wanted) -> Option<&'a String>,
) -> Missing<'a> {
    let mut out = Missing::new();
    for need in needs.iter().filter(|n| n.certain) {
        if let Some(name) = name(&need.wanted).filter(|n| !host.waived(n)) {
            out.entry(name).or_default().push(need);
        }
    }
    out
}

/// Whether none of the programs of a known service is there.
fn is_missing(name: &str, host: &Host<'_>) -> bool {
    packages::service_named(name)
        .is_some_and(|s| !s.program.is_empty() && !s.program.iter().any(|p| (host.has_program)(p)))
}

fn services_message(services: &Missing<'_>, programs: &Missing<'_>) -> Option<Diagnostic> {
    let first = services.values().flatten().next()?;
    let message = format!(
        "services that this lab starts are not installed: {}",
        list(services)
    );
    let help = format!(
        "{}; `up --without {}` starts the lab all the same",
        tools(services.keys().chain(programs.keys()))?,
        services.keys().copied().collect::<Vec<_>>().join(","),
    );
    Some(at(Level::Error, message, Some(first)).help(help))
}

fn programs_message(programs: &Missing<'_>) -> Option<Diagnostic> {
    let first = programs.values().flatten().next()?;
    let message = format!(
        "programs that this lab calls are not installed: {}",
        list(programs)
    );
    let mut diagnostic = at(Level::Warning, message, Some(first));
    diagnostic.help = tools(programs.keys());
    Some(diagnostic)
}

fn unknown_message(services: &Missing<'_>) -> Option<Diagnostic> {
    let first = services.values().flatten().next()?;
    let message = format!("services that Telaio does not know: {}", list(services));
    let help = "bring a script `/etc/init.d/NAME` in the node's files, or start the daemon by its own command";
    Some(at(Level::Warning, message, Some(first)).help(help))
}

/// `named` (dns1 and dns2), `radvd` (r1).
fn list(missing: &Missing<'_>) -> String {
    let one = |(name, needs): (&&str, &Vec<&Need>)| format!("`{name}` ({})", names(needs));
    missing.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The command that gets all the packages; none when no package is known.
fn tools<'a>(names: impl Iterator<Item = &'a &'a str>) -> Option<String> {
    let packages: BTreeSet<&str> = names.filter_map(|n| packages::package_of(n)).collect();
    let list: Vec<&str> = packages.into_iter().collect();
    (!list.is_empty()).then(|| format!("get them with `telaio tools add {}`", list.join(" ")))
}
