//! Plans as people read them.

use std::fmt;

use super::{Action, Plan, Step};
use crate::wires::Member;

impl Action {
    pub(super) fn undo(&self) -> String {
        match self {
            Self::Leave { segment, members } => {
                format!("join {} to {segment} again", list(members))
            }
            Self::RemoveNode { node } => format!("make node {node} again"),
            Self::RemoveInterface { member } => format!("make interface {member} again"),
            Self::AddNode { node } => format!("end node {node}"),
            Self::AddInterface { member, .. } => format!("remove interface {member}"),
            Self::RestartNode { node, .. } => format!("start node {node} as it was"),
            Self::Join {
                segment, members, ..
            } => format!("take {} off {segment}", list(members)),
            Self::Configure { node } => format!("start node {node} again"),
            Self::Startup { node, .. } => format!("end what the startup of {node} began"),
        }
    }

    pub(super) fn probe(&self) -> String {
        match self {
            Self::Leave { segment, members } => {
                format!(
                    "no redirect and no bridge of {segment} has {}",
                    list(members)
                )
            }
            Self::RemoveNode { node } => format!("process 1 of {node} has ended"),
            Self::RemoveInterface { member } => format!("the panel has no far end of {member}"),
            Self::AddNode { node } => format!("process 1 of {node} says that it has its root"),
            Self::AddInterface { member, .. } => format!("the panel has the far end of {member}"),
            Self::RestartNode { node, .. } => format!("a new process 1 of {node} runs"),
            Self::Join {
                segment, members, ..
            } => {
                format!(
                    "the redirects or the bridge of {segment} have {}",
                    list(members)
                )
            }
            Self::Configure { node } => format!("{node} says that it is configured"),
            Self::Startup { node, .. } => format!("every startup script of {node} has ended"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leave { segment, members } => write!(f, "leave {segment}: {}", list(members)),
            Self::RemoveNode { node } => write!(f, "end node {node}"),
            Self::RemoveInterface { member } => write!(f, "remove interface {member}"),
            Self::AddNode { node } => write!(f, "make node {node}"),
            Self::AddInterface { member, mac } => write!(f, "make interface {member} ({mac})"),
            Self::RestartNode { node, changed } => {
                write!(f, "start node {node} again: new {}", changed.join(", "))
            }
            Self::Join {
                segment,
                members,
                wire,
            } => {
                write!(f, "join {segment} ({}): {}", wire.name(), list(members))
            }
            Self::Configure { node } => write!(f, "configure {node}"),
            Self::Startup { node, after } if after.is_empty() => write!(f, "startup of {node}"),
            Self::Startup { node, after } => {
                write!(f, "startup of {node} after {}", after.join(", "))
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.action.fmt(f)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return writeln!(f, "nothing to do");
        }
        let width = self.steps.len().to_string().len();
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>width$}  {step}", number + 1)?;
        }
        Ok(())
    }
}

fn list(members: &[Member]) -> String {
    let names: Vec<String> = members.iter().map(Member::to_string).collect();
    names.join(", ")
}
