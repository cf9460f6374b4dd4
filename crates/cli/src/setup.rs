//! `telaio setup`: the one-time part that needs root, so that labs need none.
//!
//! It writes a few small files of its own, each of which it shows before, and gives a user a
//! range of subordinate ids. Doing it again changes nothing; `--undo` takes it all back.

mod changes;
mod facts;
mod ids;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use changes::{Change, Deed};
use facts::Facts;

/// Arguments of `telaio setup`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do it without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Take back what an earlier setup did
    #[arg(long)]
    pub(crate) undo: bool,
    /// Whom to give subordinate ids (by default who called sudo)
    #[arg(long)]
    pub(crate) user: Option<String>,
}

/// Shows and, if that is wanted and allowed, makes the changes. What it says goes to `out`.
pub(crate) fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let facts = Facts::of_host(options.user.clone())?;
    let list = match options.undo {
        true => changes::undo(&facts),
        false => changes::wanted(&facts),
    };
    for hint in facts.hints() {
        writeln!(out, "note: {hint}")?;
    }
    if list.is_empty() {
        writeln!(out, "nothing to do")?;
        return Ok(());
    }
    for change in &list {
        show(change, out)?;
    }
    if options.dry_run {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "this needs root: run `sudo telaio setup` (with `--dry-run` it only shows what it would do)"
        );
    }
    if !options.yes && !confirmed(out)? {
        bail!("nothing was done; `--yes` does it without asking");
    }
    for change in &list {
        apply(&change.deed, &facts.root).with_context(|| change.what.clone())?;
    }
    writeln!(out, "done")?;
    Ok(())
}

fn show(change: &Change, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", change.what)?;
    match &change.deed {
        Deed::Write { path, text } => {
            writeln!(out, "  write {}:", path.display())?;
            text.lines().try_for_each(|l| writeln!(out, "    {l}"))
        }
        Deed::Remove { path } => writeln!(out, "  remove {}", path.display()),
        Deed::Run { argv, .. } => writeln!(out, "  run {}", argv.join(" ")),
        Deed::Set { key, value } => writeln!(out, "  set {key} = {value}"),
    }
}

fn confirmed(out: &mut impl Write) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(out, "Do this? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn apply(deed: &Deed, root: &Path) -> Result<()> {
    let below = |path: &Path| -> PathBuf { root.join(path.strip_prefix("/").unwrap_or(path)) };
    match deed {
        Deed::Write { path, text } => {
            let path = below(path);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
        }
        Deed::Remove { path } => {
            let path = below(path);
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))
        }
        Deed::Set { key, value } => {
            let path = below(Path::new("/proc/sys")).join(key.replace('.', "/"));
            std::fs::write(&path, value).with_context(|| format!("setting {key}"))
        }
        Deed::Run { argv, optional } => match run_program(argv) {
            Err(_) if *optional => Ok(()),
            done => done,
        },
    }
}

fn run_program(argv: &[String]) -> Result<()> {
    let Some((program, arguments)) = argv.split_first() else {
        return Ok(());
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("`{program}` cannot be run"))?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}",
            argv.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
