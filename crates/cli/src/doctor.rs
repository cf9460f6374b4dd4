//! `telaio doctor`: what this host can and cannot do for labs, what follows from that, and the
//! command that mends it.

mod host;
mod limits;
mod rows;
mod show;

use std::path::PathBuf;

use diag::Diagnostics;
use lab::{Lab, Snapshot};
use plan::size::Size;
use serde::Serialize;
use sys::features::Features;

pub(crate) use host::Offer;
pub(crate) use show::size as size_line;

/// How good something is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Good,
    /// Labs run without it, less well.
    Limited,
    /// Labs cannot run.
    Broken,
}

/// A thing that was tried.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// What.
    pub(crate) what: &'static str,
    /// How good it is.
    pub(crate) state: State,
    /// What the trial gave.
    pub(crate) result: String,
    /// What follows, where it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consequence: Option<String>,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mend: Option<String>,
}

/// All that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    rows: Vec<Row>,
    features: Features,
}

impl Report {
    /// Judges what was tried.
    pub(crate) fn of(features: &Features) -> Self {
        let mut rows = rows::all(features);
        rows.extend(limits::all(features));
        Self {
            rows,
            features: features.clone(),
        }
    }

    /// Whether labs can run here at all.
    pub(crate) fn usable(&self) -> bool {
        self.rows.iter().all(|r| r.state != State::Broken)
    }

    /// For programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "usable": self.usable(),
            "rows": self.rows,
            "tried": self.features,
        })
    }
}

/// A lab's size and what it lacks here. `layers` are the tool layers that it would see,
/// `without` is what the user does without.
pub(crate) fn of_lab(
    lab: &Lab,
    snapshot: &Snapshot,
    features: &Features,
    layers: &[PathBuf],
    without: &[String],
) -> (Size, Diagnostics) {
    let offer = Offer::of(features, layers);
    let needs = plan::needs(lab, snapshot);
    let size = Size::of(lab, services(&needs));
    let mut out = offer.ask(|host| plan::judge(&needs, host), without);
    out.append(plan::size::judge(lab, &size, offer.limits()));
    (size, out)
}

/// How many nodes start services.
fn services(needs: &[plan::Need]) -> usize {
    let starts = |n: &&plan::Need| matches!(n.wanted, plan::Wanted::Service(_));
    let mut nodes: Vec<&str> = needs
        .iter()
        .filter(starts)
        .map(|n| n.node.as_str())
        .collect();
    nodes.dedup();
    nodes.len()
}

#[cfg(test)]
mod tests;
