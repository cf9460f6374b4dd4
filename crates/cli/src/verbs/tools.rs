//! `telaio tools`.

use std::io::{self, IsTerminal};

use clap::Subcommand;
use sandbox::tools::{Progress, Store};

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::table::{Cell, Table};
use crate::ui::{self, Look};

const EXAMPLES: &str = "\
Examples:
  telaio tools add frr bind9 bind9-dnsutils   so that nodes find them
  telaio tools ls                             what was added, with versions
  telaio tools rm bind9

The packages of this distribution are downloaded and unpacked into a folder of yours; nothing is
installed on the host, and no root is needed. Labs that are started later see them; root's labs
see what root added.";

/// Add daemons and programs that nodes find, without root
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do with tools.
#[derive(Debug, Subcommand)]
enum What {
    /// Add packages
    Add {
        /// Names of the distribution's packages
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<String>,
    },
    /// List what was added
    #[command(alias = "list")]
    Ls,
    /// Remove packages, and what only they needed
    #[command(alias = "remove")]
    Rm {
        /// Names of packages that were added
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<String>,
    },
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let store = Store::of_user();
    let say = |e: sandbox::tools::Error| Failure::usage(e.to_string());
    match &args.what {
        What::Add { packages } => add(&store, packages, common).map_err(say)?,
        What::Ls => list(&store, common).map_err(say)?,
        What::Rm { packages } => {
            store.remove(packages).map_err(say)?;
            if common.json {
                ui::json(&serde_json::json!({ "removed": packages }));
            }
        }
    }
    Ok(0)
}

fn add(store: &Store, packages: &[String], common: &Common) -> Result<(), sandbox::tools::Error> {
    let live = !common.json && io::stderr().is_terminal();
    let quiet = common.json;
    let mut show = |progress: Progress<'_>| {
        let text = words(&progress);
        match (live, quiet) {
            (true, _) => ui::err(&format!("\r\x1b[K{text}")),
            (_, false) => ui::err(&format!("{text}\n")),
            _ => {}
        }
    };
    let added = store.add(packages, &mut show);
    if live {
        ui::err("\r\x1b[K");
    }
    let added = added?;
    if common.json {
        let packages = added
            .packages
            .iter()
            .map(|p| (p.name.clone(), p.version.clone().into()));
        let packages: serde_json::Map<String, serde_json::Value> = packages.collect();
        ui::json(&serde_json::json!({ "added": packages, "on_host": added.on_host }));
        return Ok(());
    }
    for package in &added.packages {
        ui::line(&format!("added {} {}", package.name, package.version));
    }
    for name in &added.on_host {
        ui::line(&format!("{name} is installed on this host already"));
    }
    Ok(())
}

fn words(progress: &Progress<'_>) -> String {
    match progress {
        Progress::Resolving(name) => format!("asking apt what {name} needs"),
        Progress::Downloading(number) => format!("downloading {}", ui::count(*number, "package")),
        Progress::Unpacking(package, number, of) => {
            format!("unpacking {} ({number} of {of})", package.name)
        }
        Progress::Linking => "putting them together".into(),
    }
}

fn list(store: &Store, common: &Common) -> Result<(), sandbox::tools::Error> {
    let all = store.list()?;
    if common.json {
        ui::json(&serde_json::json!({ "folder": store.folder(), "tools": all }));
        return Ok(());
    }
    if all.is_empty() {
        ui::err("no tools were added; `telaio tools add PACKAGE` adds some\n");
        return Ok(());
    }
    let mut table = Table::new(["TOOL", "VERSION", "WITH"]);
    for tool in &all {
        let with: Vec<&str> = tool.with.iter().map(|(name, _)| name.as_str()).collect();
        table.row([
            Cell::new(tool.name.as_str(), Look::Strong),
            tool.version
                .clone()
                .unwrap_or_else(|| "on the host".into())
                .into(),
            with.join(" ").into(),
        ]);
    }
    ui::out(&table.render(ui::color()));
    Ok(())
}
