//! Labs whose nodes each run one shell script. The program must call [`serve`] first.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use lab::{Entry, Mount};
use sandbox::{Base, NodeRoot};
use serde::{Deserialize, Serialize};

use crate::lab::{By, again, make, node_process};

/// A node and what it runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// Its files.
    pub(crate) entries: Vec<Entry>,
    /// Its shared folders.
    pub(crate) mounts: Vec<Mount>,
    /// What it runs, by bash.
    pub(crate) script: String,
}

/// A lab.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lab {
    /// Its nodes; one starts when the one before has ended.
    pub(crate) nodes: Vec<Node>,
    /// File contents.
    pub(crate) blobs: Vec<Vec<u8>>,
    /// Tool layers.
    pub(crate) tools: Vec<PathBuf>,
}

impl Lab {
    /// Runs the lab; what its nodes wrote to standard output, and its exit status.
    pub(crate) fn run(&self, by: By) -> (String, ExitStatus) {
        let mut command = again(by, "as-lab");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = serde_json::to_vec(self).unwrap();
        child.stdin.take().unwrap().write_all(&text).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            output.status,
        )
    }
}

/// If this process was started as a lab, is one and ends.
pub(crate) fn serve() {
    if std::env::args().nth(1).as_deref() == Some("as-lab") {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).unwrap();
        let lab: Lab = serde_json::from_slice(&text).unwrap();
        std::process::exit(run_all(&lab));
    }
}

fn run_all(lab: &Lab) -> i32 {
    let shared: Vec<Mount> = lab.nodes.iter().flat_map(|n| n.mounts.clone()).collect();
    make(&lab.tools, &shared, |base| {
        for node in &lab.nodes {
            let child = node_process(base, None, || node_main(base, lab, node));
            let status = child.wait().unwrap();
            if status != 0 {
                return status;
            }
        }
        0
    })
}

fn node_main(base: &Base, lab: &Lab, node: &Node) -> i32 {
    let root = NodeRoot {
        name: &node.name,
        hostname: &node.name,
        hosts: "127.0.0.1\tlocalhost\n",
        resolv: Some("nameserver 192.0.2.1\n"),
        entries: &node.entries,
        blobs: &lab.blobs,
        mounts: &node.mounts,
    };
    match base.enter(&root) {
        Ok(warnings) => {
            for warning in warnings {
                println!("warning: {warning}");
            }
        }
        Err(e) => {
            println!("no root: {e}");
            return 1;
        }
    }
    let status = Command::new("/bin/bash")
        .args(["-c", &node.script])
        .stdin(Stdio::null())
        .status();
    status.ok().and_then(|s| s.code()).unwrap_or(126)
}
