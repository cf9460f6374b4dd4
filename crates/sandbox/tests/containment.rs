//! What a node cannot do to the host, tried from inside, as root's lab and as a user's. Each
//! attempt that must fail in a node is one that succeeds outside where that can be shown.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program without the usual harness"
)]

mod lab;
mod scripts;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ::lab::{Entry, EntryKind, Mount};

use self::lab::{By, USER};
use self::scripts::{Lab, Node};

type Case = fn(By);

fn main() {
    self::scripts::serve();
    if testkit::listed(&["nodes_are_contained"]) {
        return;
    }
    if let Some(script) = std::env::var_os("TELAIO_SCRIPT") {
        return by_hand(&script.to_string_lossy());
    }
    for by in By::all() {
        let cases: [(&str, Case); 9] = [
            ("attempts are refused", attempts_are_refused),
            ("entries stay inside", entries_stay_inside),
            ("read-only shares stay as they are", read_only_shares_stay),
            ("shares belong to their owner", shares_belong_to_their_owner),
            ("what cannot be shared is refused", bad_shares_are_refused),
            (
                "missing shares are made if asked",
                missing_shares_are_made_if_asked,
            ),
            ("programs can be replaced", programs_can_be_replaced),
            ("tool layers are there", tool_layers_are_there),
            ("nodes do not see each other", nodes_do_not_see_each_other),
        ];
        for (name, case) in cases {
            case(by);
            println!("{by:?}: {name}: ok");
        }
    }
}

/// `TELAIO_SCRIPT='…' cargo test -p sandbox --test containment` runs a script in a node.
fn by_hand(script: &str) {
    for by in By::all() {
        let (text, status) = one(script).run(by);
        println!("{by:?}:\n{text}{status}");
    }
}

fn one(script: &str) -> Lab {
    let node = Node {
        name: "pc1".into(),
        script: script.into(),
        ..Node::default()
    };
    Lab {
        nodes: vec![node],
        ..Lab::default()
    }
}

fn file(path: &str, blob: usize) -> Entry {
    Entry {
        path: path.into(),
        mode: 0o644,
        owner: None,
        kind: EntryKind::File(blob),
    }
}

/// Files of the host with a name of their own, gone when dropped; and a process.
struct Baits {
    name: String,
    files: Vec<PathBuf>,
    sentinel: Child,
}

impl Baits {
    fn lay(by: By) -> Self {
        let name = format!("telaio-bait-{}", std::process::id());
        let mut folders = vec![PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
        if rustix::process::geteuid().is_root() {
            folders.extend(["/root", "/home", "/srv", "/opt", "/mnt"].map(PathBuf::from));
        }
        let mut files = Vec::new();
        for folder in folders.into_iter().filter(|f| f.is_dir()) {
            let file = folder.join(&name);
            fs::write(&file, "secret").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            files.push(file);
        }
        let mut sleep = Command::new("sleep");
        if by != By::Root && rustix::process::geteuid().is_root() {
            let id = USER.to_string();
            sleep = Command::new("setpriv");
            sleep.args(["--reuid", &id, "--regid", &id, "--clear-groups", "sleep"]);
        }
        let sentinel = sleep.arg("600").stdin(Stdio::null()).spawn().unwrap();
        Self {
            name,
            files,
            sentinel,
        }
    }

    fn environment(&self) -> String {
        let files: Vec<_> = self.files.iter().map(|f| f.display().to_string()).collect();
        let (name, pid) = (&self.name, self.sentinel.id());
        format!("BAIT={name} BAITS={} SENTINEL={pid}", files.join(":"))
    }
}

impl Drop for Baits {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        let _ = self.sentinel.kill();
        let _ = self.sentinel.wait();
    }
}

const ATTEMPTS: &str = include_str!("attempts.py");

fn attempts_are_refused(by: By) {
    if !Path::new("/usr/bin/python3").exists() {
        return eprintln!("skipped: attempts from inside a node, without /usr/bin/python3");
    }
    let mut baits = Baits::lay(by);
    control(&baits);
    let script = format!("{} python3 /root/attempts.py", baits.environment());
    let mut lab = one(&script);
    lab.blobs.push(ATTEMPTS.into());
    lab.nodes[0].entries.push(file("/root/attempts.py", 0));
    let (text, status) = lab.run(by);
    assert!(status.success(), "{by:?}: {status}\n{text}");
    let done: Vec<_> = text
        .lines()
        .filter(|l| l.ends_with("DONE") || l.starts_with('#'))
        .collect();
    assert!(done.is_empty(), "{by:?}: {done:#?}");
    let count = text.lines().filter(|l| l.contains(" refused: ")).count();
    assert!(
        count >= 40,
        "{by:?}: only {count} attempts were made:\n{text}"
    );
    assert!(
        baits.sentinel.try_wait().unwrap().is_none(),
        "the host's process was ended"
    );
}

/// The same attempts outside, as far as they harm nobody: they succeed.
fn control(baits: &Baits) {
    let mut python = Command::new("python3");
    python.arg("-c").arg(ATTEMPTS).arg("bait");
    for pair in baits.environment().split(' ') {
        let (key, value) = pair.split_once('=').unwrap();
        python.env(key, value);
    }
    if rustix::process::geteuid().is_root() {
        python.args(["core_pattern", "swappiness"]);
    }
    let output = python.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("DONE") && !text.contains("refused"),
        "control: {text}"
    );
}

fn entries_stay_inside(by: By) {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("written");
    let link = |path: &str, to: &str| Entry {
        kind: EntryKind::Symlink(to.into()),
        ..file(path, 0)
    };
    let mut lab = one("cat /etc/hosts; test -L /up && test -f /etc/deep/er && id -u");
    lab.blobs.push(b"from the lab\n".to_vec());
    lab.nodes[0].entries = vec![
        link("/up", "../../../../.."),
        file(&format!("/up{}", target.display()), 0),
        link("/proc-root", "/proc/1/root"),
        file(&format!("/proc-root{}-2", target.display()), 0),
        link("/fds", "/proc/self/fd"),
        link("/etc/there", "/etc/deep"),
        file("/etc/there/er", 0),
        file("/etc/hosts", 0),
    ];
    // the link to a folder that is not there gives place to a folder
    lab.nodes[0].entries.insert(
        5,
        Entry {
            kind: EntryKind::Dir,
            ..file("/etc/deep", 0)
        },
    );
    let (text, status) = lab.run(by);
    assert!(status.success(), "{by:?}: {text}");
    assert_eq!(text, "from the lab\n0\n");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    for bad in ["/../x", "x", "/a/../../x", "/"] {
        let mut lab = one("true");
        lab.blobs.push(Vec::new());
        lab.nodes[0].entries.push(file(bad, 0));
        let (text, status) = lab.run(by);
        assert!(
            !status.success() && text.contains("no root: "),
            "{bad}: {text}"
        );
    }
}

/// A folder that an ordinary user owns, whoever runs the test.
fn users_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .prefix("telaio-share-")
        .tempdir_in("/tmp")
        .unwrap();
    fs::write(folder.path().join("there"), "as it was\n").unwrap();
    if rustix::process::geteuid().is_root() {
        for path in [folder.path().to_path_buf(), folder.path().join("there")] {
            chown(path, Some(USER), Some(USER)).unwrap();
        }
    }
    folder
}

fn shared(host: &Path, read_only: bool, script: &str) -> Lab {
    let mut lab = one(script);
    lab.nodes[0].mounts.push(Mount {
        host: host.into(),
        at: "/shared/sub".into(),
        read_only,
        create: false,
    });
    lab
}

fn read_only_shares_stay(by: By) {
    let folder = users_folder();
    let script = "cat /shared/sub/there
        cd /shared/sub && echo gone > there; rm -f there; touch new; chmod 777 there; mkdir x
        mount -o remount,rw,bind /shared/sub; mount -o remount,rw /shared/sub; echo gone > there; touch new
        cd /; umount /shared/sub; ls -A /shared/sub; mount | grep -c shares; true";
    let (text, status) =
        shared(folder.path(), true, &format!("exec 2>/dev/null\n{script}")).run(by);
    assert!(status.success(), "{by:?}: {text}");
    assert_eq!(text, "as it was\n0\n", "{by:?}");
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["there"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("there")).unwrap(),
        "as it was\n"
    );
}

fn shares_belong_to_their_owner(by: By) {
    let folder = users_folder();
    let script = "cd /shared/sub && stat -c '%u:%g' . there && echo more >> there && echo new > new && mkdir -p a/b
        chmod 4755 new && echo set-id; setfattr -n user.x -v y new && echo attribute
        cp /bin/true tool && chmod 755 tool && ./tool && stat -c %a tool";
    let (text, status) =
        shared(folder.path(), false, &format!("exec 2>/dev/null\n{script}")).run(by);
    assert!(status.success(), "{by:?}: {text}");
    // a user's own files cannot harm others more than he can himself
    let text = if by != By::Root {
        text.replace("set-id\n", "").replace("attribute\n", "")
    } else {
        text
    };
    assert_eq!(text, "0:0\n0:0\n755\n", "{by:?}");
    assert_eq!(
        fs::read_to_string(folder.path().join("there")).unwrap(),
        "as it was\nmore\n"
    );
    let owner = fs::metadata(folder.path()).unwrap().uid();
    for name in ["new", "a", "a/b", "tool"] {
        let meta = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(meta.uid(), owner, "{name}");
        assert!(by != By::Root || meta.mode() & 0o6000 == 0, "{name}");
    }
}

fn bad_shares_are_refused(by: By) {
    let folder = users_folder();
    let link = folder.path().join("link");
    symlink("/root", &link).unwrap();
    for (host, why) in [
        (link.as_path(), "symbolic link"),
        (Path::new("relative"), "not absolute"),
        (&folder.path().join("none"), "No such file"),
    ] {
        let (text, _) = shared(host, false, "echo ran").run(by);
        assert!(
            text.contains(why) && !text.contains("ran"),
            "{by:?}: {}: {text}",
            host.display()
        );
    }
}

fn missing_shares_are_made_if_asked(by: By) {
    let folder = users_folder();
    let made = folder.path().join("made");
    let mut lab = shared(&made, false, "echo x > /shared/sub/x");
    lab.nodes[0].mounts[0].create = true;
    let (text, status) = lab.run(by);
    assert!(status.success(), "{by:?}: {text}");
    assert_eq!(fs::read_to_string(made.join("x")).unwrap(), "x\n");
}

fn programs_can_be_replaced(by: By) {
    let script = "set -e
        echo '#!/bin/sh' > /usr/bin/telaio-test && echo 'echo mine' >> /usr/bin/telaio-test
        chmod 755 /usr/bin/telaio-test && telaio-test
        cp /usr/bin/telaio-test /usr/bin/new && mv /usr/bin/new /usr/bin/true && /usr/bin/true
        rm /usr/bin/false && ! test -e /usr/bin/false
        mkdir -p /usr/share/doc/x/y /usr/local/lib/z && touch /usr/local/sbin/t /usr/share/doc/x/y/f
        chown 33:33 /usr/local/sbin/t && chmod 4750 /usr/local/sbin/t
        mkdir /etc/apt && ln -s x /etc/y && echo '# x' >> /etc/services && chown 5:5 /etc/services
        test \"$(hostname)\" = pc1 && grep -q 192.0.2.1 /etc/resolv.conf && test -x /usr/lib/telaio/telaio
        su daemon -s /bin/sh -c true
        test \"$(stat -c %U:%a /root /tmp | tr '\\n' ' ')\" = 'root:700 root:1777 '
        echo x > /dev/null && echo x > /dev/shm/x && ls /proc/self/fd > /dev/null && : > /dev/full
        for i in lo; do test -e /sys/class/net/$i; done";
    let (text, status) = one(script).run(by);
    assert_eq!(text, "mine\nmine\n", "{by:?}");
    assert!(status.success(), "{by:?}");
    assert!(!Path::new("/usr/bin/telaio-test").exists());
    assert!(Path::new("/usr/bin/false").exists());
}

fn tool_layers_are_there(by: By) {
    let folder = users_folder();
    let layer = folder.path().join("layer");
    for (path, text, mode) in [
        ("usr/bin/telaio-tool", "#!/bin/sh\necho tool\n", 0o755),
        ("usr/sbin/sysctl", "#!/bin/sh\necho the layer\n", 0o755),
        ("etc/telaio-tool.conf", "setting\n", 0o640),
        ("var/lib/telaio-tool/data", "data\n", 0o644),
    ] {
        let path = layer.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let owner = match by {
        By::Root => 0,
        _ => fs::metadata(folder.path()).unwrap().uid(),
    };
    let status = Command::new("chown")
        .args(["-R", &format!("{owner}:{owner}")])
        .arg(&layer)
        .status();
    assert!(status.unwrap().success());
    let mut lab = one("telaio-tool; sysctl; cat /etc/telaio-tool.conf /var/lib/telaio-tool/data
        stat -c %u:%a /usr/bin/telaio-tool /etc/telaio-tool.conf && echo x >> /usr/bin/telaio-tool
        readlink /usr/bin/systemctl; test -x /etc/init.d/frr && grep -c 'started by' /etc/init.d/frr");
    lab.tools.push(layer);
    let (text, status) = lab.run(by);
    let wanted = "tool\nthe layer\nsetting\ndata\n0:755\n0:640\n/usr/lib/telaio/telaio\n1\n";
    assert_eq!(text, wanted, "{by:?}");
    assert!(status.success(), "{by:?}: {status}");
}

fn nodes_do_not_see_each_other(by: By) {
    let mut lab = one(
        "echo mine > /etc/mine && echo mine > /usr/bin/mine && : > /run/mine && : > /dev/shm/mine",
    );
    let mut other = lab.nodes[0].clone();
    other.name = "pc2".into();
    other.script = "ls /etc/mine /usr/bin/mine /run/mine /dev/shm/mine 2>/dev/null; hostname; ls -A /nodes 2>/dev/null
        test $(ls -d /proc/[0-9]* | wc -l) -lt 8"
        .into();
    lab.nodes.push(other);
    // the first one again, from the start
    lab.nodes.push(Node {
        script: "test ! -e /etc/mine && test ! -e /usr/bin/mine".into(),
        ..lab.nodes[0].clone()
    });
    let (text, status) = lab.run(by);
    assert_eq!(text, "pc2\n", "{by:?}");
    assert!(status.success(), "{by:?}: {status}");
}
