//! A running lab: order, commands, wires, limits, neighbours on the same host.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use crate::host::{Host, until};
use crate::{PAIR, for_everyone};

const PATIENCE: Duration = Duration::from_secs(20);

for_everyone!(
    labs_side_by_side_do_not_meet,
    a_script_that_never_ends_holds_up_only_those_that_need_it,
    startup_follows_dependencies,
    a_failed_dependency_is_told,
    commands_pass_on_status_and_input,
    a_command_gets_the_signals_of_its_client,
    a_restart_keeps_wires_and_captures,
    a_cut_cable_has_no_carrier,
    memory_is_limited_or_the_lack_is_told,
);

/// Whether `from` hears an address.
fn hears(host: &Host, lab: &str, from: &str, address: &str) -> bool {
    let name = host.name(lab);
    let probe = ["/usr/lib/telaio/telaio", "__probe", "ping", address];
    let words = [["exec", "-l", &name, from, "--"].as_slice(), &probe].concat();
    host.run(&words).contains("\"reached\":true")
}

fn labs_side_by_side_do_not_meet(host: &Host) {
    host.lab("one", PAIR);
    let lonely = PAIR.replace("10.9.0.2/24", "10.9.0.3/24");
    host.lab("two", &lonely);
    host.up("one");
    host.up("two");
    host.sh("one", "a", "echo one >/tmp/mark");
    assert_eq!(
        host.sh("two", "a", "cat /tmp/mark 2>/dev/null || echo none"),
        "none\n"
    );
    assert!(until(PATIENCE, || hears(host, "one", "a", "10.9.0.2")));
    assert!(until(PATIENCE, || hears(host, "two", "a", "10.9.0.3")));
    assert!(!hears(host, "one", "a", "10.9.0.3"));
    assert!(!hears(host, "two", "a", "10.9.0.2"));
    host.run(&["down", &host.name("one")]);
    assert!(hears(host, "two", "a", "10.9.0.3"));
    host.run(&["down", &host.name("two")]);
    host.wait_clean(PATIENCE);
}

fn state(host: &Host, lab: &str, node: &str) -> String {
    let text = host.run(&["ps", "-l", &host.name(lab), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["nodes"][node]["state"].as_str().unwrap().to_string()
}

fn a_script_that_never_ends_holds_up_only_those_that_need_it(host: &Host) {
    host.lab(
        "lab",
        "nodes:\n  slow: {startup: [sleep 100000]}\n  after: {depends_on: [slow]}\n  free: {}\n",
    );
    host.run(&["up", "--wait", "0"]);
    assert!(until(PATIENCE, || state(host, "lab", "free") == "ready"));
    assert_eq!(state(host, "lab", "slow"), "starting");
    assert_eq!(state(host, "lab", "after"), "waiting");
}

fn startup_follows_dependencies(host: &Host) {
    host.lab(
        "lab",
        "nodes:
  third: {depends_on: [second], startup: [date +%s%N >/tmp/began]}
  second: {depends_on: [first], startup: [date +%s%N >/tmp/began, sleep 0.2, date +%s%N >/tmp/ended]}
  first: {startup: [sleep 0.2, date +%s%N >/tmp/ended]}
",
    );
    host.up("lab");
    let time = |node: &str, what: &str| -> u64 {
        let text = host.sh("lab", node, &format!("cat /tmp/{what}"));
        text.trim().parse().unwrap()
    };
    assert!(time("first", "ended") < time("second", "began"));
    assert!(time("second", "ended") < time("third", "began"));
}

fn a_failed_dependency_is_told(host: &Host) {
    host.lab(
        "lab",
        "nodes:\n  first: {startup: [exit 3]}\n  second: {depends_on: [first], startup: [touch /tmp/ran]}\n",
    );
    let output = host.output(&["up"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("first") && text.contains('3'), "{text}");
    assert_eq!(state(host, "lab", "second"), "failed");
    let ran = host.sh("lab", "second", "test -e /tmp/ran && echo yes || echo no");
    assert_eq!(ran, "no\n");
}

fn commands_pass_on_status_and_input(host: &Host) {
    host.lab("lab", PAIR);
    host.up("lab");
    let status = |words: &[&str]| {
        let words = [["exec", "a", "--"].as_slice(), words].concat();
        host.output(&words).status.code()
    };
    assert_eq!(status(&["true"]), Some(0));
    assert_eq!(status(&["sh", "-c", "exit 42"]), Some(42));
    assert_eq!(status(&["sh", "-c", "kill -9 $$"]), Some(137));
    assert_eq!(status(&["no-such-program"]), Some(127));
    assert_eq!(status(&["/etc/hosts"]), Some(126));
    let nobody = host.output(&["exec", "nobody", "--", "true"]);
    assert_eq!(nobody.status.code(), Some(125), "{nobody:?}");
    let mut wc = host.telaio(&["exec", "a", "--", "wc", "-c"]);
    let mut child = wc
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&[b'x'; 300_000])
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "300000");
}

fn a_command_gets_the_signals_of_its_client(host: &Host) {
    host.lab("lab", PAIR);
    host.up("lab");
    let script = "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut exec = host.telaio(&["exec", "a", "--", "bash", "-c", script]);
    let mut child = exec.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "got");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

fn a_restart_keeps_wires_and_captures(host: &Host) {
    host.lab("lab", PAIR);
    host.up("lab");
    let file = host.path("tmp").join("frames.pcapng");
    let mut capture = host.telaio(&["capture", "b:eth0", "-w", file.to_str().unwrap()]);
    let mut capture = capture.stderr(Stdio::null()).spawn().unwrap();
    let size = || fs::metadata(&file).map_or(0, |m| m.len());
    assert!(until(PATIENCE, || size() > 0));
    assert!(until(PATIENCE, || hears(host, "lab", "a", "10.9.0.2")));
    host.sh("lab", "b", "echo gone >/tmp/mark");
    let mac = host.sh("lab", "b", "cat /sys/class/net/eth0/address");
    host.run(&["restart", "b"]);
    assert_eq!(
        host.sh(
            "lab",
            "b",
            "ls /tmp/mark 2>/dev/null; cat /sys/class/net/eth0/address"
        ),
        mac
    );
    let before = size();
    assert!(until(PATIENCE, || hears(host, "lab", "a", "10.9.0.2")));
    assert!(until(PATIENCE, || size() > before), "the capture goes on");
    let pid = rustix::process::Pid::from_child(&capture);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    capture.wait().unwrap();
}

fn a_cut_cable_has_no_carrier(host: &Host) {
    host.lab("lab", PAIR);
    host.up("lab");
    let carrier = |node: &str| host.sh("lab", node, "cat /sys/class/net/eth0/carrier");
    assert!(until(PATIENCE, || carrier("a") == "1\n"));
    host.run(&["link", "cut", "a:eth0"]);
    assert!(until(PATIENCE, || carrier("a") == "0\n"));
    assert!(!hears(host, "lab", "a", "10.9.0.2"));
    host.run(&["link", "plug", "a:eth0"]);
    assert!(until(PATIENCE, || carrier("a") == "1\n"));
    assert!(until(PATIENCE, || hears(host, "lab", "a", "10.9.0.2")));
}

fn memory_is_limited_or_the_lack_is_told(host: &Host) {
    host.lab("lab", "nodes:\n  a: {limits: {memory: 64M}}\n");
    let output = host.output(&["up"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    if text.contains("limits not set") {
        // this host lends the user no control of memory
        return;
    }
    let greedy = "x=$(head -c 200M /dev/zero | tr '\\0' x); echo ${#x}";
    let lab = host.name("lab");
    let output = host.output(&["exec", "-l", &lab, "a", "--", "bash", "-c", greedy]);
    assert!(
        !String::from_utf8_lossy(&output.stdout).contains("209715200"),
        "{text}"
    );
    host.run(&["down", "--now"]);
    host.wait_clean(PATIENCE);
}
