//! Starting a lab: from a read lab to a running broker.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sys::process::Namespaces;

use crate::aside::{receive, send};
use crate::broker;
use crate::place::Place;

/// A lab to start.
#[derive(Debug)]
pub struct Start {
    /// Its name, unique among the caller's running labs.
    pub name: String,
    /// What it was read from, as people know it.
    pub source: PathBuf,
    /// The folder that relative paths in it start from.
    pub folder: PathBuf,
    /// The lab.
    pub lab: lab::Lab,
    /// The contents of its files.
    pub snapshot: lab::Snapshot,
    /// Folders of the tool layers that nodes see, the first one on top.
    pub tools: Vec<PathBuf>,
    /// Descriptors that are to stay open for as long as the lab lives.
    pub held: Vec<OwnedFd>,
}

/// Why a lab could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    /// What is wrong, for people.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl StartError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }
}

/// A started lab's life line: the lab ends with it unless it is [kept](Keep::keep).
#[derive(Debug)]
pub struct Keep(OwnedFd);

impl Keep {
    /// The lab lives on without this process.
    pub fn keep(self) {
        // a broker that is gone has taken the lab along: whoever asks next will see that
        let _ = send(&self.0, &FromStarter::Keep, &[]);
    }
}

/// From the process that starts a lab to its broker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromStarter {
    /// Live on without it.
    Keep,
}

/// From a broker to the process that starts its lab.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToStarter {
    /// The control socket answers.
    Serving,
    /// There will be no lab.
    Failed {
        /// Why.
        message: String,
        /// Mend.
        help: Option<String>,
    },
}

/// Starts a lab. Returns when its control socket answers; the lab goes on building. Only a
/// process with one thread may call this.
pub fn start(mut start: Start) -> Result<(Place, Keep), StartError> {
    for mount in start.lab.nodes.values_mut().flat_map(|n| &mut n.mounts) {
        mount.host = start.folder.join(&mount.host);
    }
    let place = Place::create(&start.name, &start.source).map_err(|e| StartError {
        message: e.to_string(),
        help: e.help(),
    })?;
    let pair = sys::fdpass::packet_pair();
    let (ours, theirs) = pair.map_err(|e| StartError::new(format!("no socket pair: {e}")))?;
    let broker = sys::process::clone(Namespaces::NONE, || broker::run(&start, &place, theirs));
    broker.map_err(|e| StartError::new(format!("the lab's broker cannot be started: {e}")))?;
    match receive(&ours) {
        Ok(Some((ToStarter::Serving, _))) => Ok((place.handed_over(), Keep(ours))),
        Ok(Some((ToStarter::Failed { message, help }, _))) => Err(StartError { message, help }),
        Ok(None) | Err(_) => Err(StartError {
            message: "the lab's broker ended before the lab was there".into(),
            help: Some(format!("see {}", place.log().display())),
        }),
    }
}
