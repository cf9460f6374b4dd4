//! Each capability: what the trial gave, what follows, what mends it.

use std::fs;

use sys::features::{Features, Trial};

use super::{Row, State};

/// Features that every wire needs.
const WIRES: &[&str] = &["veth", "bridge", "ingress", "mirred"];
/// Any one of these carries frames to the other end.
const FILTERS: &[&str] = &["matchall", "u32", "cls_bpf"];

pub(super) fn all(features: &Features) -> Vec<Row> {
    let mut rows = vec![
        namespaces(features),
        capabilities(features),
        machine(
            "overlays",
            &features.overlay,
            "nodes cannot have a `/usr` of their own",
            "`sudo modprobe overlay`; overlays in user namespaces need Linux 5.11 or later",
        ),
        machine(
            "a new /proc",
            &features.proc,
            "nodes cannot have a `/proc` of their own",
            "in a container: run it with `--security-opt systempaths=unconfined`, so that its `/proc` is not masked",
        ),
        wires(features),
        limited(
            "a new /sys",
            &features.sysfs,
            "nodes see no `/sys` of their own",
            "in a container: run it with `--security-opt systempaths=unconfined`",
        ),
        limited(
            "system-call filters",
            &features.seccomp,
            "daemons that give up root's identity fail where there are no subordinate ids",
            "a kernel with `CONFIG_SECCOMP_FILTER`",
        ),
    ];
    rows.extend(identities(features));
    rows.push(limited(
        "control groups",
        &features.cgroups,
        "memory and processor limits of nodes are not kept",
        delegation(features),
    ));
    rows.push(limited(
        "eBPF",
        &features.ebpf,
        "small packets take a slower way through wires",
        if features.root {
            "a kernel with `CONFIG_BPF_SYSCALL`"
        } else {
            "start labs as root"
        },
    ));
    rows.push(limited(
        "/dev/net/tun",
        &features.tun,
        "nodes cannot make TUN and TAP interfaces",
        "`sudo modprobe tun`, and `sudo chmod 666 /dev/net/tun`",
    ));
    rows.push(kernel(features));
    rows
}

fn row(what: &'static str, state: State, trial: &Trial) -> Row {
    let detail = match (trial.detail.as_str(), trial.works) {
        ("", true) => "works",
        (detail, _) => detail,
    };
    Row {
        what,
        state,
        result: detail.into(),
        consequence: None,
        mend: None,
    }
}

fn judged(what: &'static str, bad: State, trial: &Trial, consequence: &str, mend: &str) -> Row {
    if trial.works {
        return row(what, State::Good, trial);
    }
    Row {
        consequence: Some(consequence.into()),
        mend: Some(mend.into()),
        ..row(what, bad, trial)
    }
}

/// Something without which nodes cannot be made.
fn machine(what: &'static str, trial: &Trial, consequence: &str, mend: &str) -> Row {
    judged(what, State::Broken, trial, consequence, mend)
}

fn limited(what: &'static str, trial: &Trial, consequence: &str, mend: &str) -> Row {
    judged(what, State::Limited, trial, consequence, mend)
}

fn namespaces(features: &Features) -> Row {
    let mend = namespaces_mend(features);
    machine(
        "user namespaces",
        &features.user_namespaces,
        "no lab can run",
        &mend,
    )
}

fn capabilities(features: &Features) -> Row {
    let mend = namespaces_mend(features);
    let consequence = "no lab can run: nothing may be mounted or set up in a user namespace";
    machine(
        "rights in user namespaces",
        &features.capabilities,
        consequence,
        &mend,
    )
}

/// What forbids user namespaces, as far as the kernel's settings tell.
fn namespaces_mend(features: &Features) -> String {
    let is = |key: &str, value: &str| {
        fs::read_to_string(format!("/proc/sys/{key}")).is_ok_and(|v| v.trim() == value)
    };
    if is("kernel/apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor restricts them: `sudo telaio setup` installs a profile that allows them to telaio".into();
    }
    if is("kernel/unprivileged_userns_clone", "0") {
        return "`sudo telaio setup`, or `sudo sysctl -w kernel.unprivileged_userns_clone=1`"
            .into();
    }
    if features.limits.user_namespaces == Some(0) {
        return "`sudo sysctl -w user.max_user_namespaces=15000`".into();
    }
    "in a container: run it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`".into()
}

fn identities(features: &Features) -> Option<Row> {
    if features.root {
        let consequence =
            "files below a node's `/usr` are copied to get other owners, which takes memory";
        return Some(limited(
            "mounts with own ids",
            &features.idmapped,
            consequence,
            "Linux 5.12 or later",
        ));
    }
    let consequence = "a node has one user, and programs that change theirs are told that they did";
    let mend =
        "`sudo telaio setup`, and `sudo apt-get install uidmap` where `newuidmap` is missing";
    Some(limited(
        "subordinate ids",
        &features.subordinate_ids,
        consequence,
        mend,
    ))
}

fn delegation(features: &Features) -> &'static str {
    match features.root {
        true => "mount a cgroup hierarchy that can be written",
        false => {
            "`sudo telaio setup`, then log in anew; or `systemd-run --user --scope -p Delegate=yes telaio up`"
        }
    }
}

fn wires(features: &Features) -> Row {
    let works = |name: &&&str| features.kernel.get(**name).is_some_and(|t| t.works);
    let mut missing: Vec<&str> = WIRES.iter().filter(|n| !works(n)).copied().collect();
    if !FILTERS.iter().any(|n| works(&n)) {
        missing.extend(FILTERS);
    }
    let trial = Trial {
        works: missing.is_empty(),
        detail: match missing.as_slice() {
            [] => String::new(),
            missing => format!("without {}", missing.join(", ")),
        },
    };
    let mend = "`sudo modprobe -a veth bridge sch_ingress act_mirred cls_matchall`";
    machine("wires", &trial, "nodes cannot be joined", mend)
}

/// Features that some labs use: one line for all that are missing.
fn kernel(features: &Features) -> Row {
    let missing: Vec<plan::Feature> = features
        .kernel
        .iter()
        .filter(|(_, trial)| !trial.works)
        .filter_map(|(name, _)| name.parse().ok())
        .collect();
    let names: Vec<&str> = missing.iter().map(|f| f.name()).collect();
    let trial = Trial {
        works: missing.is_empty(),
        detail: match missing.len() {
            0 => String::new(),
            _ => format!("without {}", names.join(", ")),
        },
    };
    let consequence = "labs that use one of these are refused, with its name";
    limited(
        "kernel features",
        &trial,
        consequence,
        &modules(&features.release, &missing),
    )
}

/// Which of the missing features' modules the host has, ready to be loaded.
fn modules(release: &str, missing: &[plan::Feature]) -> String {
    let list =
        fs::read_to_string(format!("/lib/modules/{release}/modules.dep")).unwrap_or_default();
    let has = |module: &str| {
        let file = format!("/{module}.ko");
        list.lines()
            .any(|l| l.split(':').next().is_some_and(|path| path.contains(&file)))
    };
    let mut there: Vec<&str> = missing
        .iter()
        .map(|f| f.module())
        .filter(|m| has(m))
        .collect();
    there.dedup();
    match there.as_slice() {
        [] => "a kernel that has them: this one has no modules for them".into(),
        there => format!("`sudo modprobe -a {}`", there.join(" ")),
    }
}
