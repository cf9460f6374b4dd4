//! Whether a host has what a lab needs.

mod programs;

use std::collections::BTreeMap;

use diag::{Diagnostic, Diagnostics, Level};

use crate::{Feature, Host, Need, Wanted};

/// How many nodes a message names.
const NAMED: usize = 4;

/// Compares needs with a host: an error for each kernel feature that a startup surely uses and
/// each service that it surely starts; a warning for features that may not come to be used or
/// that the user does without, for services that nobody knows, and for programs.
pub fn judge(needs: &[Need], host: &Host<'_>) -> Diagnostics {
    let mut out = Diagnostics::new();
    let mut features: BTreeMap<Feature, Vec<&Need>> = BTreeMap::new();
    for need in needs {
        if let Wanted::Feature(feature) = need.wanted
            && !host.features.contains(&feature)
        {
            features.entry(feature).or_default().push(need);
        }
    }
    for (feature, needs) in features {
        out.push(missing_feature(feature, &needs, host));
    }
    programs::judge(needs, host, &mut out);
    out
}

fn missing_feature(feature: Feature, needs: &[&Need], host: &Host<'_>) -> Diagnostic {
    let certain = needs.iter().copied().find(|n| n.certain);
    let level = match certain {
        Some(_) if !host.waived(feature.name()) => Level::Error,
        _ => Level::Warning,
    };
    let shown = certain.or(needs.first().copied());
    let verb = if certain.is_some() {
        "need"
    } else {
        "may need"
    };
    let message = format!(
        "{} no {} (`{feature}`), which {} {}",
        offers(feature),
        feature.what(),
        names(needs),
        inflect(verb, needs.len()),
    );
    let mend = mend(feature);
    let help = match level {
        Level::Error => format!(
            "{mend}; `up --without {feature}` starts the lab all the same, and what uses it will fail there"
        ),
        _ => mend,
    };
    at(level, message, shown).help(help)
}

/// Who lacks it: not every kernel that has TUN devices lets everybody make them.
fn offers(feature: Feature) -> &'static str {
    match feature {
        Feature::Tun => "this host offers you",
        _ => "this host's kernel offers",
    }
}

/// What brings a feature to a host.
fn mend(feature: Feature) -> String {
    match feature.option() {
        _ if feature == Feature::Tun => {
            "root can bring it (`modprobe tun`) and open it to all (`chmod 666 /dev/net/tun`)"
                .into()
        }
        Some(option) => format!("a kernel built with `{option}` has it"),
        None => format!(
            "it comes with the kernel module `{}` (`sudo modprobe {0}`, where the host has it)",
            feature.module()
        ),
    }
}

fn at(level: Level, message: String, need: Option<&Need>) -> Diagnostic {
    let mut diagnostic = Diagnostic::warning(message);
    diagnostic.level = level;
    diagnostic.at_opt(need.and_then(|n| n.place.clone()))
}

/// The nodes of needs: `r1, r2, r3, r4 and 7 more`.
fn names(needs: &[&Need]) -> String {
    let mut nodes: Vec<&str> = needs.iter().map(|n| n.node.as_str()).collect();
    nodes.dedup();
    let more = nodes.len().saturating_sub(NAMED);
    match (more, nodes.as_slice()) {
        (0, [one]) => (*one).to_string(),
        (0, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {more} more", nodes[..NAMED].join(", ")),
    }
}

/// `need` for several, `needs` for one; `may need` stays.
fn inflect(verb: &str, count: usize) -> String {
    let ending = if count == 1 && verb == "need" {
        "s"
    } else {
        ""
    };
    format!("{verb}{ending}")
}

#[cfg(test)]
mod tests;
