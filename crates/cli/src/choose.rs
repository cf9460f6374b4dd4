//! Which running lab a verb means.

use std::path::{Path, PathBuf};

use supervisor::client::Client;
use supervisor::place::Place;

use crate::failure::Failure;

/// A lab chosen, and how to talk to it.
pub(crate) fn client(lab: Option<&str>) -> Result<Client, Failure> {
    place(lab).map(|p| Client::new(&p))
}

/// The lab that `-l` names, else the one of the current folder, else the only one running.
pub(crate) fn place(lab: Option<&str>) -> Result<Place, Failure> {
    let all = Place::list();
    let chosen = match lab {
        Some(word) => named(word, &all),
        None => unnamed(&all),
    };
    let index = chosen?;
    let mut all = all;
    let place = all.swap_remove(index);
    tracing::info!(
        "the lab is {}, at {}",
        place.name(),
        place.folder().display()
    );
    Ok(place)
}

fn named(word: &str, all: &[Place]) -> Result<usize, Failure> {
    if let Some(index) = all.iter().position(|p| p.name() == word) {
        return Ok(index);
    }
    let path = Path::new(word).canonicalize();
    match path.ok().map(|p| from_folder(&p, all)) {
        Some(Some(index)) => Ok(index),
        Some(None) => Err(
            Failure::usage(format!("no lab from {word} is running")).help(format!(
                "start it with `telaio up {word}`; {}",
                running(all)
            )),
        ),
        None => {
            Err(Failure::usage(format!("no lab called `{word}` is running")).help(running(all)))
        }
    }
}

fn unnamed(all: &[Place]) -> Result<usize, Failure> {
    let here = std::env::current_dir().and_then(|d| d.canonicalize()).ok();
    if let Some(index) = here.and_then(|h| h.ancestors().find_map(|f| from_folder(f, all))) {
        return Ok(index);
    }
    let own: Vec<usize> = (0..all.len()).filter(|i| all[*i].is_own()).collect();
    match (own.as_slice(), all) {
        ([one], _) => Ok(*one),
        ([], []) => Err(Failure::usage("no lab is running").help("start one: `telaio up PATH`")),
        ([], [_]) => Ok(0),
        _ => Err(
            Failure::usage("several labs are running, and none from this folder")
                .help(format!("say which with `-l NAME`: {}", running(all))),
        ),
    }
}

/// The one lab that was read from this file or folder; own ones come first.
fn from_folder(path: &Path, all: &[Place]) -> Option<usize> {
    let exact = all.iter().position(|p| p.note().source == path);
    exact.or_else(|| {
        let folder = folder_of(path.to_path_buf());
        all.iter()
            .position(|p| folder_of(p.note().source) == folder)
    })
}

/// A lab's folder, given that or its main file.
fn folder_of(path: PathBuf) -> PathBuf {
    match path.is_dir() {
        true => path,
        false => path.parent().map_or(path.clone(), Path::to_path_buf),
    }
}

fn running(all: &[Place]) -> String {
    if all.is_empty() {
        return "no lab is running".into();
    }
    let one = |p: &Place| match p.note().source {
        source if source.as_os_str().is_empty() => p.name().to_string(),
        source => format!("{} ({})", p.name(), source.display()),
    };
    let all: Vec<String> = all.iter().map(one).collect();
    format!("running: {}", all.join(", "))
}
