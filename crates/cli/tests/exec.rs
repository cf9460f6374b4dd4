//! `exec`, `shell` and `cp` against a lab that is this host.

mod fake;

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use fake::Fake;
use rustix::termios::{LocalModes, tcgetattr};

#[test]
fn streams_and_status_are_passed_on() {
    let lab = Fake::start();
    let mut child = lab
        .telaio(&[
            "exec",
            "pc1",
            "--",
            "sh",
            "-c",
            "cat; echo oops >&2; exit 7",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let text: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    let mut input = child.stdin.take().unwrap();
    let sent = text.clone();
    let writer = std::thread::spawn(move || input.write_all(&sent).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(
        output.stdout == text,
        "{} bytes came back",
        output.stdout.len()
    );
    assert_eq!(output.stderr, b"oops\n");
}

#[test]
fn a_command_that_reads_nothing_does_not_wait_for_input() {
    let lab = Fake::start();
    let mut command = lab.telaio(&["exec", "pc1", "--", "true"]);
    // an input that never ends
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(input);
}

#[test]
fn what_is_left_in_the_background_is_not_waited_for() {
    let lab = Fake::start();
    let words = ["exec", "pc1", "--", "sh", "-c", "sleep 600 & echo $!"];
    let output = lab.telaio(&words).output().unwrap();
    let pid: i32 = String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    sys::process::kill(pid, 9).unwrap();
}

#[test]
fn a_command_that_is_not_found_is_127() {
    let lab = Fake::start();
    let output = lab
        .telaio(&["exec", "pc1", "/no/such/program"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(127));
    let output = lab.telaio(&["exec", "pc9", "true"]).output().unwrap();
    // the fake runs it all the same: it has no other node
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn signals_reach_the_command() {
    let lab = Fake::start();
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = lab
        .telaio(&["exec", "pc1", "--", "sh", "-c", script])
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut line = [0; 6];
    output.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"ready\n");
    sys::process::kill(child.id().cast_signed(), 15).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let lab = Fake::start();
    let mut child = lab.telaio(&["exec", "pc1", "--", "yes"]).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 100]).unwrap();
    drop(output);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "");
}

/// Reads until a text has come.
fn until(terminal: &OwnedFd, text: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !seen.contains(text) {
        let n = rustix::io::read(terminal, &mut buffer).unwrap_or(0);
        assert!(n > 0, "the terminal closed before {text:?}: {seen:?}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    seen
}

fn send(terminal: &OwnedFd, text: &str) {
    rustix::io::write(terminal, text.as_bytes()).unwrap();
}

#[test]
fn a_shell_has_a_terminal_of_the_right_size_and_gives_ours_back() {
    let lab = Fake::start();
    let pty = sys::pty::Pty::open(31, 97).unwrap();
    let slave = || pty.slave.try_clone().unwrap();
    let mut command = lab.telaio(&["shell", "pc1"]);
    command
        .stdin(slave())
        .stdout(slave())
        .stderr(slave())
        .env("TERM", "xterm-test");
    sys::process::new_session(&mut command, true);
    let before = tcgetattr(&pty.slave).unwrap();
    let mut child = command.spawn().unwrap();
    send(&pty.master, "echo $TERM; stty size; echo mark$((1+1))\n");
    let seen = until(&pty.master, "mark2");
    assert!(
        seen.contains("31 97") && seen.contains("xterm-test"),
        "{seen}"
    );
    let raw = tcgetattr(&pty.slave).unwrap();
    assert!(
        !raw.local_modes.contains(LocalModes::ICANON),
        "our terminal is raw meanwhile"
    );
    sys::pty::resize(&pty.master, 40, 50).unwrap();
    // the new size travels by a signal: ask until it has come
    send(
        &pty.master,
        "until stty size | grep '40 50'; do sleep 0.02; done; echo mark$((2+1))\n",
    );
    until(&pty.master, "mark3");
    send(&pty.master, "exit 3\n");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let after = tcgetattr(&pty.slave).unwrap();
    assert_eq!(after.local_modes, before.local_modes);
    assert_eq!(after.input_modes, before.input_modes);
}

#[test]
fn a_shell_without_a_terminal_reads_a_script() {
    let lab = Fake::start();
    let mut child = lab
        .telaio(&["shell", "pc1"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"echo hello\nexit 4\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(4), &b"hello\n"[..])
    );
}

#[test]
fn files_go_in_and_out() {
    let lab = Fake::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("in/sub")).unwrap();
    fs::create_dir(at("node")).unwrap();
    fs::write(at("in/sub/a"), vec![7u8; 300_000]).unwrap();
    let node = format!("pc1:{}", at("node").display());
    let cp = |from: &str, to: &str| {
        let output = lab.telaio(&["cp", from, to]).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    cp(at("in").to_str().unwrap(), &node);
    assert_eq!(fs::read(at("node/in/sub/a")).unwrap().len(), 300_000);
    cp(&format!("{node}/in/sub/a"), at("back").to_str().unwrap());
    assert_eq!(fs::read(at("back")).unwrap(), vec![7u8; 300_000]);
    cp(&format!("{node}/in/."), &format!("{node}/other"));
    assert!(at("node/other/sub/a").is_file());
}

#[test]
fn what_cannot_be_copied_is_said_by_the_side_that_knows() {
    let lab = Fake::start();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let output = lab
        .telaio(&["cp", "pc1:/no/such/file", to])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("pc1: reading /no/such/file: no such file"),
        "{said}"
    );
    let output = lab
        .telaio(&["cp", to, "pc1:/no/such/folder/x"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/no/such/folder"), "{said}");
    let output = lab.telaio(&["cp", "pc9:/x", to]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("no node `pc9`") && said.contains("pc1"),
        "{said}"
    );
}

#[test]
fn tables_and_documents() {
    let lab = Fake::start();
    let text =
        |words: &[&str]| String::from_utf8(lab.telaio(words).output().unwrap().stdout).unwrap();
    assert_eq!(
        text(&["ps"]),
        "NODE  STATE  INTERFACES\npc1   ready  eth0=A\n"
    );
    assert_eq!(text(&["ps", "-q", "-l", "fake"]), "pc1\n");
    assert_eq!(
        text(&["link"]),
        "SEGMENT  KIND  MEMBERS\nA        open  pc1:eth0\n"
    );
    let json: serde_json::Value = serde_json::from_str(&text(&["ls", "--json"])).unwrap();
    assert_eq!(json[0]["name"], "fake");
    assert_eq!(json[0]["state"], "ready");
    let json: serde_json::Value =
        serde_json::from_str(&text(&["link", "cut", "A", "--json"])).unwrap();
    assert_eq!(json["interfaces"][0], "pc1:eth0");
    // by the folder that it was started from
    let folder = lab.folder();
    assert_eq!(
        text(&["-l", folder.parent().unwrap().to_str().unwrap(), "ps", "-q"]),
        "pc1\n"
    );
}
