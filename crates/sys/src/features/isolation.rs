//! What makes a node's private machine, tried in the scratch process.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

use super::{Report, Trial};

/// Maps one id, as whoever has no subordinate ids can.
pub(super) fn map_ids(uid: u32, gid: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

pub(super) fn try_all(report: &mut Report) {
    match scratch_folder() {
        Ok(folder) => {
            report.add("capabilities", &Trial::works(""));
            mounts(Path::new(folder), report);
        }
        Err(e) => report.add("capabilities", &Trial::of(Err::<(), _>(e))),
    }
    report.add("seccomp", &Trial::of(filter()));
}

/// A tmpfs of this process's own: the first thing that takes a capability.
fn scratch_folder() -> io::Result<&'static str> {
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    let folder = ["/tmp", "/run", "/mnt"]
        .into_iter()
        .find(|f| Path::new(f).is_dir());
    let folder = folder.unwrap_or("/");
    mount("tmpfs", folder, "tmpfs", MountFlags::empty(), None::<&CStr>)?;
    Ok(folder)
}

fn mounts(folder: &Path, report: &mut Report) {
    report.add("overlay", &Trial::of(overlay(folder)));
    report.add("proc", &Trial::of(new_file_system(folder, "proc")));
    report.add("sysfs", &Trial::of(new_file_system(folder, "sysfs")));
}

fn overlay(folder: &Path) -> io::Result<()> {
    for name in ["upper", "work", "merged"] {
        fs::create_dir(folder.join(name))?;
    }
    let at = folder.display();
    let options = format!("lowerdir=/usr,upperdir={at}/upper,workdir={at}/work");
    let options = std::ffi::CString::new(options)?;
    let merged = folder.join("merged");
    mount(
        "overlay",
        &merged,
        "overlay",
        MountFlags::empty(),
        Some(options.as_c_str()),
    )?;
    fs::write(merged.join("written"), "")
}

fn new_file_system(folder: &Path, kind: &str) -> io::Result<()> {
    let target = folder.join(kind);
    fs::create_dir(&target)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount(kind, &target, kind, flags, None::<&CStr>)?)
}

/// Installs a system-call filter that allows everything.
fn filter() -> io::Result<()> {
    let mut allow = [libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_ALLOW,
    }];
    let program = libc::sock_fprog {
        len: 1,
        filter: allow.as_mut_ptr(),
    };
    // SAFETY: plain numbers.
    let prepared = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if prepared != 0 {
        return Err(io::Error::last_os_error());
    }
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: a valid program of the given length that lives through the call.
    match unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
