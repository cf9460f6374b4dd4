//! Services started in nodes by the words that labs use, as root's lab and as users' labs: own
//! units of every kind and, where apt can be reached, FRR and BIND from a tool layer on a host
//! that need not have them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program without the usual harness"
)]

mod lab;
mod scripts;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ::lab::{Entry, EntryKind, Snapshot};
use sandbox::tools::{Error, Store};
use sandbox::{routing, services};

use self::lab::By;
use self::scripts::{Lab, Node};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if services::is_shim(&args[0]) {
        std::process::exit(services::main(&args[0], &args[1..]));
    }
    self::scripts::serve();
    if testkit::listed(&["services_start_in_nodes"]) {
        return;
    }
    let tools = tools();
    for by in By::all() {
        units(by);
        networking(by);
        match &tools {
            Ok((_, layer)) => {
                routers(by, layer);
                names(by, layer);
            }
            Err(why) => eprintln!("skipped: daemons from a tool layer: {why}"),
        }
        eprintln!("ok: services in a lab of {by:?}");
    }
}

/// A layer with FRR, BIND and dig.
fn tools() -> Result<(tempfile::TempDir, PathBuf), String> {
    let folder = tempfile::tempdir().unwrap();
    // an ordinary user's lab is to see it, too
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let store = Store::at(folder.path());
    let wanted = ["frr", "bind9", "bind9-dnsutils"].map(str::to_owned);
    match store.add(&wanted, &mut |_| ()) {
        Ok(_) => {}
        Err(e @ (Error::NotDebian(_) | Error::NoLists | Error::Download(_))) => {
            return Err(e.to_string());
        }
        Err(e) => panic!("{e}"),
    }
    assert_eq!(store.list().unwrap().len(), 3);
    let again = store.add(&wanted[..1], &mut |_| ()).unwrap();
    assert!(again.packages.is_empty(), "added twice: {again:?}");
    let layer = store.layer().unwrap().expect("a layer was made");
    assert!(!layer.join("etc/frr/frr.conf").exists());
    Ok((folder, layer))
}

/// Runs a script in a node with these files; it prints a line for each thing that is wrong, and
/// `end` at its end.
fn run(by: By, files: &[(&str, &str)], tools: &[&Path], script: &str) {
    let mut snapshot = Snapshot::default();
    for (path, text) in files {
        let blob = snapshot.blob(text.as_bytes().to_vec());
        snapshot.trees.entry("n".into()).or_default().push(Entry {
            path: (*path).into(),
            mode: 0o755,
            owner: None,
            kind: EntryKind::File(blob),
        });
    }
    let mut model = ::lab::Lab::default();
    model.nodes.insert("n".into(), ::lab::Node::default());
    let said = routing::adapt(&model, &mut snapshot);
    assert!(said.is_empty(), "{said}");
    let lab = Lab {
        nodes: vec![Node {
            name: "n".into(),
            entries: snapshot.trees.shift_remove("n").unwrap_or_default(),
            script: format!(
                "exec 2>&1\nwrong() {{ echo \"wrong: $*\"; }}\nip link set lo up\n{script}\necho end\n"
            ),
            ..Node::default()
        }],
        blobs: snapshot.blobs,
        tools: tools.iter().map(|t| (*t).to_owned()).collect(),
    };
    let (out, status) = lab.run(by);
    assert!(
        status.success() && out.ends_with("end\n") && !out.contains("wrong: "),
        "{by:?}: {status}\n{out}"
    );
}

const FORKING: &str = "[Service]\nType=forking\nPIDFile=/run/forks.pid\nExecStart=/bin/sh -c 'sleep 1000 & echo $! > /run/forks.pid'\n";
const SIMPLE: &str = "[Unit]\nRequires=forks.service\n[Service]\nRuntimeDirectory=own\nEnvironment=WHAT=seen\n\
    ExecStartPre=/bin/sh -c 'echo \"$WHAT\" > /run/own/pre'\nExecStart=/bin/sleep 1000\nExecReload=/bin/sh -c 'echo ${MAINPID} > /run/own/reloaded'\n";
const NOTIFY: &str = "[Service]\nType=notify\nExecStart=/usr/bin/python3 -c 'import os,socket,time; time.sleep(0.3); \
    s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); open(\"/run/ready\",\"w\"); s.sendto(b\"READY=1\",os.environ[\"NOTIFY_SOCKET\"]); time.sleep(1000)'\n";
const FAILS: &str = "[Service]\nExecStart=/bin/sh -c 'echo own last words; exit 3'\n";

fn units(by: By) {
    let files = [
        ("/etc/systemd/system/forks.service", FORKING),
        ("/etc/systemd/system/own.service", SIMPLE),
        ("/etc/systemd/system/tells.service", NOTIFY),
        ("/etc/systemd/system/fails.service", FAILS),
        (
            "/etc/init.d/lab-script",
            "#!/bin/sh\necho \"lab script: $1\"\n",
        ),
    ];
    run(
        by,
        &files,
        &[],
        "
        systemctl start own || wrong start own
        systemctl is-active -q forks || wrong the required unit does not run
        [ \"$(cat /run/own/pre)\" = seen ] || wrong no environment
        systemctl status own.service | grep -q 'active (running)' || wrong status
        service own reload && [ -s /run/own/reloaded ] || wrong reload
        systemctl stop own; systemctl is-active -q own && wrong own still runs
        systemctl stop forks; systemctl is-active forks && wrong forks still runs
        if [ -x /usr/bin/python3 ]; then
            systemctl start tells || wrong start tells
            [ -e /run/ready ] || wrong did not wait for the notice
            systemctl stop tells
        fi
        out=$(systemctl start fails 2>&1) && wrong a failure is success
        case $out in *'own last words'*) ;; *) wrong no words: $out;; esac
        [ \"$(service lab-script start | head -1)\" = 'lab script: start' ] || wrong the script of the lab
        [ -x /usr/sbin/squid ] || { out=$(/etc/init.d/squid3 start 2>&1); [ $? = 5 ] || wrong status of a missing daemon
            case $out in *'telaio tools add squid'*) ;; *) wrong no offer: $out;; esac; }
        systemctl start no-such-thing; [ $? = 5 ] || wrong status of an unknown unit
        hostnamectl set-hostname other && [ \"$(hostname)\" = other ] || wrong host name
        reboot && wrong rebooted
        ",
    );
}

fn networking(by: By) {
    let file = "auto lo eth0 br0\niface lo inet loopback\niface eth0 inet static\n address 10.0.0.1\n netmask 255.255.255.0\n \
        gateway 10.0.0.2\n up ip route add 10.5.0.0/16 via 10.0.0.3\niface br0 inet manual\n bridge_ports eth1\n";
    run(
        by,
        &[("/etc/network/interfaces", file)],
        &[],
        "
        ip link add eth0 type veth peer name x0; ip link set x0 up; ip link add eth1 type veth peer name x1
        /etc/init.d/networking restart || wrong restart
        ip address show eth0 | grep -q 'inet 10.0.0.1/24 brd 10.0.0.255' || wrong address
        ip route | grep -q '^10.5.0.0/16 via 10.0.0.3' || wrong hook
        ip route | grep -q '^default via 10.0.0.2' || wrong gateway
        ip link show eth1 | grep -q 'master br0' || wrong bridge
        systemctl stop networking
        ip address show eth0 | grep -q 'inet ' && wrong still has its address
        ",
    );
}

/// A router as Quagga's labs have them.
fn routers(by: By, layer: &Path) {
    let files = [
        ("/etc/quagga/daemons", "zebra=yes\nospfd=yes\nbgpd=yes\n"),
        (
            "/etc/quagga/zebra.conf",
            "hostname own\npassword zebra\nip route 10.9.0.0/16 10.0.0.9\n",
        ),
        (
            "/etc/quagga/ospfd.conf",
            "router ospf\n network 10.0.0.0/24 area 0\n",
        ),
        (
            "/etc/quagga/bgpd.conf",
            "router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\nip as-path access-list 1 permit ^1$\n",
        ),
    ];
    run(
        by,
        &files,
        &[layer],
        "
        ip link add eth0 type veth peer name x0; ip link set x0 up; ip link set eth0 up; ip address add 10.0.0.1/24 dev eth0
        /etc/init.d/quagga start || wrong start
        vtysh -c 'show running-config' > /tmp/config || wrong vtysh
        for line in 'no bgp ebgp-requires-policy' 'no bgp network import-check' 'ip route 10.9.0.0/16' 'bgp as-path access-list 1' 'area 0'; do
            grep -q \"$line\" /tmp/config || wrong no $line
        done
        systemctl status quagga | grep -q ospfd || wrong status
        systemctl restart quagga || wrong restart
        echo 'router rip' > /etc/quagga/ripd.conf; sed -i 's/bgpd=yes/ripd=yes/' /etc/quagga/daemons
        systemctl restart quagga; pidof ripd > /dev/null || wrong a change after the start was not seen
        pidof bgpd > /dev/null && wrong bgpd runs
        service quagga stop; pidof zebra > /dev/null && wrong zebra runs
        ",
    );
}

/// A name server with a zone of the lab.
fn names(by: By, layer: &Path) {
    let zone = "$TTL 60\n@ IN SOA ns.example. root.example. 1 60 60 60 60\n@ IN NS ns.example.\nns IN A 10.0.0.1\nwww IN A 10.0.0.7\n";
    let config = "options { directory \"/var/cache/bind\"; recursion no; };\nzone \"example\" { type master; file \"/etc/bind/db.example\"; };\n";
    run(
        by,
        &[
            ("/etc/bind/named.conf", config),
            ("/etc/bind/db.example", zone),
        ],
        &[layer],
        "
        systemctl start bind9 || wrong start
        [ \"$(dig +short +tries=1 @127.0.0.1 www.example)\" = 10.0.0.7 ] || wrong no answer
        rndc status > /dev/null || wrong rndc
        systemctl restart named || wrong restart
        systemctl is-active -q bind || wrong not active
        service bind9 stop; systemctl is-active -q named && wrong still active
        ",
    );
}
