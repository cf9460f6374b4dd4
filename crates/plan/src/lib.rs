//! What must be done to have a lab, and whether this host can: pure functions over data.
//!
//! [`plan()`] turns a wanted lab and a running one into ordered [`Step`]s, each with what undoes
//! it and what shows that it is done. Nothing here asks the system: whoever calls has tried
//! what the host offers.

mod feature;
mod host;
mod steps;
mod wires;

pub use feature::{Feature, UnknownFeature};
pub use host::{Host, HostLimits};
pub use steps::{Action, Plan, Step, plan};
pub use wires::{Member, SegmentPlan, WireKind, segments};
