//! Programs that must be root whoever starts them. Tool layers, which others of the host can
//! reach, never have such files; nodes get copies, which nobody outside reaches.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Base;
use crate::error::Error;

/// Below `/usr`: a mail server that becomes root again to deliver, and what is made for this.
const PROGRAMS: [&str; 2] = ["sbin/exim4", "bin/sudo"];

/// Copies those that tool layers have into the layer above. Where there is one id only, there is
/// nobody else who could start them.
pub(super) fn make(base: &Base) -> Result<(), Error> {
    let usr = base.parts.iter().find(|(part, _)| *part == "usr");
    let Some((_, layers)) = usr.filter(|_| !base.single_id) else {
        return Ok(());
    };
    let tools = layers.iter().filter(|l| l.starts_with("tools/"));
    let tools: Vec<_> = tools.map(|l| base.place.join(l)).collect();
    for program in PROGRAMS {
        let found = tools.iter().map(|t| t.join(program)).find(|p| p.is_file());
        if let Some(from) = found {
            let to = base.place.join("skel/usr").join(program);
            copy(&from, &to).map_err(Error::at("copying", &to))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o4755))
}
