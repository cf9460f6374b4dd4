//! What a lab must show: runs the model's checks against a running lab and reports. It reaches
//! the lab only through [`NodeAccess`]; what a check needs to see inside a node is looked at by
//! [`probe`], a part of the same program that runs there.

mod attempt;
mod describe;
pub mod kathara;
pub mod probe;
mod report;
mod run;
mod schedule;

use std::time::Duration;

pub use attempt::Finding;
pub use report::{Outcome, Report, csv_of_all, csv_of_failed, csv_of_labs, csv_of_numbers, junit};
pub use run::{Options, run};

/// A running lab, as checks see it. Calls come from several threads at once.
pub trait NodeAccess: Sync {
    /// Runs a command in a node and waits for its end, at most `timeout`.
    fn exec(&self, node: &str, argv: &[&str], timeout: Duration) -> Result<Output, AccessError>;

    /// Startup of a node so far: none while it runs, else the failed commands.
    fn startup(&self, node: &str) -> Result<Option<Vec<String>>, AccessError>;
}

/// A command's outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// Why a node could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No such node, or it does not run.
    #[error("{0}")]
    Node(String),
    /// The time was over.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}
