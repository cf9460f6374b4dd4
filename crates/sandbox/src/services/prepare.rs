//! What must be there before a daemon starts and what a package's scripts or a boot would have
//! made: users, folders, `tmpfiles.d`.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use super::catalog::{Extra, Single};
use super::unit::Unit;
use super::{Failure, users};

const ROOT: &str = "/";

/// Makes all that `unit` needs.
pub(super) fn prepare(unit: &Unit, extra: Option<&Extra>) -> Result<(), Failure> {
    let named = unit.user.iter().map(String::as_str);
    for user in named.chain(extra.map_or(&[][..], |e| e.users).iter().copied()) {
        made(users::ensure(Path::new(ROOT), user), "/etc/passwd")?;
    }
    if extra.is_some_and(|e| e.single == Single::Alias) && users::single_id() {
        for user in extra.map_or(&[][..], |e| e.users) {
            made(users::alias_of_root(Path::new(ROOT), user), "/etc/passwd")?;
        }
    }
    if let Some(group) = &unit.group {
        made(users::ensure_group(Path::new(ROOT), group), "/etc/group")?;
    }
    for name in tmpfiles_of(unit) {
        let text = fs::read_to_string(&name).unwrap_or_default();
        tmpfiles(&text)?;
    }
    for folder in &unit.folders {
        let owner = unit.user.as_deref().unwrap_or("root");
        folder_of(&folder.path, folder.mode, owner)?;
    }
    for (path, mode, owner) in extra.map_or(&[][..], |e| e.folders) {
        folder_of(Path::new(path), *mode, owner)?;
    }
    Ok(())
}

fn made(result: std::io::Result<()>, what: &str) -> Result<(), Failure> {
    result.map_err(|e| Failure::new(1, format!("{what} could not be made ready: {e}")))
}

/// Makes a folder with its mode and owner; one that is there gets the owner.
pub(super) fn folder_of(path: &Path, mode: u32, owner: &str) -> Result<(), Failure> {
    let shown = path.display().to_string();
    if !path.is_dir() {
        let mut builder = fs::DirBuilder::new();
        made(builder.recursive(true).mode(0o755).create(path), &shown)?;
        made(
            fs::set_permissions(path, fs::Permissions::from_mode(mode)),
            &shown,
        )?;
    }
    let (user, _) = owner.split_once(':').unwrap_or((owner, owner));
    made(users::ensure(Path::new(ROOT), user), "/etc/passwd")?;
    made(users::give(Path::new(ROOT), path, owner), &shown)
}

/// The `tmpfiles.d` files that belong to a unit: those called like it or its package.
fn tmpfiles_of(unit: &Unit) -> Vec<String> {
    let plain = unit.name.split('@').next().unwrap_or(&unit.name);
    let service = lab::packages::service_named(plain);
    let mut names = vec![plain.to_owned()];
    if let Some(service) = service {
        names.extend(service.aliases.iter().map(|a| (*a).to_owned()));
        names.push(service.package.into());
        names.push(format!("{}-common", service.package));
    }
    names.sort();
    names.dedup();
    let files = names
        .iter()
        .map(|n| format!("/usr/lib/tmpfiles.d/{n}.conf"));
    files.filter(|f| Path::new(f).is_file()).collect()
}

/// Carries out the lines of tmpfiles.d(5) that make folders, files and links.
fn tmpfiles(text: &str) -> Result<(), Failure> {
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [kind, path, rest @ ..] = words.as_slice() else {
            continue;
        };
        if !path.starts_with('/') || path.contains("..") || path.contains('%') {
            continue;
        }
        let field = |i: usize| rest.get(i).copied().filter(|f| *f != "-");
        let mode =
            field(0).and_then(|m| u32::from_str_radix(m.trim_start_matches(['~', ':']), 8).ok());
        let owner = format!(
            "{}:{}",
            field(1).unwrap_or("root"),
            field(2).unwrap_or("root")
        );
        match kind.trim_end_matches(['!', '+', '-', '=']) {
            "d" | "D" | "v" => folder_of(Path::new(path), mode.unwrap_or(0o755), &owner)?,
            "f" | "F" if !Path::new(path).exists() => {
                let text = rest.get(4..).unwrap_or_default().join(" ");
                made(fs::write(path, text), path)?;
                made(users::give(Path::new(ROOT), Path::new(path), &owner), path)?;
            }
            "L" if fs::symlink_metadata(path).is_err() => {
                let target = field(4).unwrap_or("/");
                made(std::os::unix::fs::symlink(target, path), path)?;
            }
            _ => {}
        }
    }
    Ok(())
}
