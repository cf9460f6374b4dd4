//! What must be done to have a lab, and whether this host can: pure functions over data.
//!
//! [`plan`] turns a wanted lab and a running one into ordered [`Step`]s, each with what undoes
//! it and what shows that it is done. [`needs()`] works out from a lab's files which kernel
//! features, programs and services it uses; [`judge()`] compares that with a [`Host`], and
//! [`size`] the lab's size with the host's limits. Nothing here asks the system: whoever calls
//! has tried what the host offers.

mod feature;
mod host;
mod judge;
mod needs;
mod shell;
pub mod size;
mod steps;
mod wires;

pub use feature::{Feature, UnknownFeature};
pub use host::{Host, HostLimits};
pub use judge::judge;
pub use needs::{Need, Wanted, needs};
pub use steps::{Action, Plan, Step, plan};
pub use wires::{Member, SegmentPlan, WireKind, segments};
