//! Mistakes in labs, as their authors are told.

use std::fs;

use formats::{Dialect, Options};

/// What is said about a lab made of these files, without the folder's own path.
fn said(files: &[(&str, &str)], options: &Options) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let text = match formats::read(folder.path(), options) {
        Ok(read) => format!("READ\n{}", read.diagnostics),
        Err(wrong) => wrong.to_string(),
    };
    let prefix = folder.path().display().to_string();
    text.replace(&format!("{prefix}/"), "")
        .replace(&prefix, "LAB")
}

fn kathara(text: &str) -> String {
    let options = Options {
        dialect: Some(Dialect::Kathara),
        ..Options::default()
    };
    said(&[("lab.conf", text)], &options)
}

fn native(text: &str) -> String {
    said(&[("telaio.yaml", text)], &Options::default())
}

#[test]
fn lab_conf() {
    insta::assert_snapshot!(kathara(
        "r1[0]=A/02:00:00:00:00\n\
         r1[1]=A/01:00:00:00:00:01\n\
         r1[2]=B C\n\
         r1[3]=\n\
         r1[99999]=A\n\
         ../x[0]=A\n\
         shared[0]=A\n\
         r2[0]=\"A\n\
         r2[0=A\n\
         r2[1]=\"A\" B\n\
         r2[2]=A\n\
         r2[2]=B\n\
         r2[mem]=lots\n\
         r2[mem]=1k\n\
         r2[cpus]=-1\n\
         r2[ipv6]=maybe\n\
         r2[port]=80/icmp\n\
         r2[sysctl]=kernel.core_pattern=x\n\
         r2[env]=NOTHING\n\
         r2[ulimit]=files=1\n\
         r2[num_terms]=many\n\
         r2[volume]=data\n\
         r2[shell]=bash\n"
    ));
}

#[test]
fn lab_conf_warnings() {
    insta::assert_snapshot!(kathara(
        "LAB_NAM=x\n\
         R1[0]=A   # comment\n\
         R1[2] = B\n\
         R1[imgae]=kathara/frr\n\
         R1[folder]=x\n\
         R1[image]=kathara/base\n\
         R1[image]=kathara/frr\n\
         some words\n\
         r2[0]=A\n\
         r2[1]=A\n"
    ));
}

#[test]
fn lab_dep_and_lab_ext() {
    let files = [
        ("lab.conf", "a[0]=lan\nb[0]=lan\nc[0]=lan\n"),
        ("lab.dep", "a: b\nb: \\\n  c\nc: a\nd: a\n"),
        ("lab.ext", "lann eth1\nlan eth1.5000\nlan\n"),
    ];
    insta::assert_snapshot!(said(&files, &Options::default()));
}

#[test]
fn scripts_and_folders_of_nobody() {
    let files = [
        ("lab.conf", "router[0]=A\nrouter[image]=kathara/base\n"),
        ("routr.startup", "true"),
        ("other.startup", "true"),
    ];
    insta::assert_snapshot!(said(&files, &Options::default()));
}

#[test]
fn nothing_to_read() {
    let mut all = said(&[("readme.txt", "hello")], &Options::default());
    all.push_str(&said(&[("lab.conf", "")], &Options::default()));
    all.push_str(&said(&[("telaio.yaml", "")], &Options::default()));
    let wrong = formats::read("no/such/lab".as_ref(), &Options::default()).unwrap_err();
    all.push_str(&wrong.to_string());
    let only = Options {
        only: vec!["pc2".into()],
        ..Options::default()
    };
    all.push_str(&said(&[("lab.conf", "pc1[0]=A")], &only));
    insta::assert_snapshot!(all);
}

#[test]
fn native_keys_and_values() {
    insta::assert_snapshot!(native(
        "telaio: 1\n\
         nodez: {}\n\
         profile: katara\n\
         info: {descripton: x}\n\
         nodes:\n\
        \x20 a:\n\
        \x20   interfaces:\n\
        \x20     eth0: {segment: lan, adresses: [10.0.0.1/24]}\n\
        \x20 b:\n\
        \x20   interfaces:\n\
        \x20     eth0: {segment: lan, addresses: [10.0.0.1/24, 10.0.0.300/24]}\n\
        \x20 c:\n\
        \x20   interfaces:\n\
        \x20     eth0:\n\
        \x20       mac: 02:00:00:00:zz:00\n\
        \x20 d: {limits: {memory: much}}\n\
        \x20 e: {forward: yes}\n\
        \x20 f: {routes: [default thru 10.0.0.1]}\n\
        \x20 g: {startup: [{fil: x}]}\n\
        \x20 h: {limits: {ulimits: {nofile: few}}}\n\
        \x20 i: 5\n\
        \x20 j: {ports: [http]}\n\
        \x20 k: {files: [{from: x}]}\n\
         segments: [lan]\n\
         links:\n\
        \x20 - [a:eth0]\n\
         checks:\n\
        \x20 - reaches: {from: a, too: b}\n\
        \x20 - reachs: {from: a, to: b}\n\
        \x20 - reaches: {from: a}\n\
        \x20 - {name: x}\n\
        \x20 - {reaches: {from: a, to: b}, route: {node: a, to: default}}\n\
        \x20 - command: {node: a, run: x, matches: \"(\"}\n\
        \x20 - route: {node: a, to: 10.0.0}\n"
    ));
}

#[test]
fn native_rules() {
    insta::assert_snapshot!(native(
        "telaio: 1\n\
         name: a/b\n\
         nodes:\n\
        \x20 ../x: {}\n\
        \x20 r1:\n\
        \x20   interfaces:\n\
        \x20     eth0: {segment: lan, mac: 02:00:00:00:00:01, addresses: [10.0.0.1/24]}\n\
        \x20     eth1: {}\n\
        \x20     an-interface-with-a-long-name: lan\n\
        \x20   routes:\n\
        \x20     - default via 10.0.0.9\n\
        \x20     - {to: 10.0.0.1/8, via: 10.0.0.9}\n\
        \x20     - {to: fd00::/8, via: 10.0.0.9}\n\
        \x20     - {to: 10.0.0.0/8}\n\
        \x20     - {to: 10.0.0.0/8, dev: eth9}\n\
        \x20   sysctls: {kernel.core_pattern: x}\n\
        \x20   files: [{to: ../etc, text: x}, {to: /x}, {to: /y, text: a, mode: rw}]\n\
        \x20   depends_on: [r2, r9]\n\
        \x20 r2:\n\
        \x20   interfaces: {eth0: {segment: lan, mac: 02:00:00:00:00:01, addresses: [10.0.0.1/24]}}\n\
        \x20   depends_on: [r1]\n\
        \x20   startup: {file: gone.sh}\n\
         links:\n\
        \x20 - [r1:eth0, r2:eth9]\n\
        \x20 - [r1:eth1, r1:eth1]\n\
         checks:\n\
        \x20 - reaches: {from: r7, to: r1}\n\
        \x20 - {reaches: {from: r1, to: r22}, within: -1}\n"
    ));
}

#[test]
fn native_files() {
    insta::assert_snapshot!(native(
        "telaio: 1\n\
         nodes:\n\
        \x20 r2:\n\
        \x20   files: [nowhere, {to: /x}, {to: /y, text: a, mode: rw}]\n\
        \x20   startup: [echo fine, {file: gone.sh}]\n\
        \x20   mounts: [\"gone:/gone\"]\n"
    ));
}

#[test]
fn native_yaml_itself() {
    let mut all = String::new();
    for text in [
        "telaio: 1\nnodes:\n  a: {}\n  b: {}\n  a: {}\n",
        "telaio: 1\nnodes:\n  a: [\n",
        "telaio: 1\nnodes:\n\ta: 1\n",
        "telaio: 2\nnodes: {}\n",
        "nodes: {}\n",
        "- a\n",
        "telaio: 1\n---\ntelaio: 1\n",
        "telaio: 1\nnodes: {a: *none}\n",
    ] {
        all.push_str(&native(text));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_lab_does_not_steer_the_terminal() {
    let all = [
        kathara("r1[0]=A\nr1[\u{1b}[31mx]=A\nr1[mem]=\u{1b}]0;x\u{7}\n\u{1b}c[0]=A\n"),
        native("telaio: 1\n\"\\e[31m\": 1\nnodes:\n  \"\\e]0;\": {}\n  a: {shel: \"\\e\"}\n"),
        native("telaio: 1\nnodes: {\u{1b}[31m: 1}\n"),
    ];
    for text in all {
        assert!(text.contains("error"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}
