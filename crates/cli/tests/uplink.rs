//! An interface of the host in a lab (`lab.ext`), with the real program, in a network namespace
//! that stands for the host's.

use std::fs;
use std::process::Command;

/// A cable from `nic0`, which the lab takes, to a computer outside: here the host's own end of
/// the cable.
const SCRIPT: &str = r#"
set -e
ip link set lo up
ip link add nic0 type veth peer name outside
ip addr add 10.5.0.9/24 dev outside
ip link set outside up
ip link set nic0 up
"$TELAIO" up
"$TELAIO" exec pc1 -- /usr/lib/telaio/telaio __probe ping 10.5.0.9 10.5.0.2
"$TELAIO" link
"$TELAIO" down
echo "left: $(tc filter show dev nic0 ingress 2>/dev/null) $(ip -br link | grep -c '^tl')"
"#;

#[test]
fn a_physical_interface_joins_a_segment_and_is_given_back() {
    if !rustix::process::geteuid().is_root() {
        testkit::skip!("only root can take an interface of the host into a lab");
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    write("lab.conf", "pc1[0]=\"A\"\npc2[0]=\"A\"\n");
    write("lab.ext", "A nic0\n");
    write("pc1.startup", "ip addr add 10.5.0.1/24 dev eth0\n");
    write("pc2.startup", "ip addr add 10.5.0.2/24 dev eth0\n");
    let output = Command::new("unshare")
        .args(["-n", "bash", "-c", SCRIPT])
        .current_dir(folder.path())
        .env("TELAIO", env!("CARGO_BIN_EXE_telaio"))
        .env("TELAIO_RUNTIME_DIR", folder.path().join("run"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert_eq!(
        text.matches("\"reached\":true").count(),
        2,
        "{text}\n{errors}"
    );
    assert!(text.contains("host:nic0"), "{text}");
    assert!(text.ends_with("left:  0\n"), "{text}");
}
