//! A panel for tests: nodes with far ends, wires between them, outputs to capture to.

#![expect(clippy::print_stderr, reason = "a skipped check has to be seen")]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::process::Command;

use packet::pcapng::read::{Capture, read};
use panel::capture::{Capturer, Direction, Event, Interface, Request};
use rustix::event::{PollFd, PollFlags, Timespec};
use sys::process::{self, Child, Namespaces};

/// Makes this process root of a user namespace with an empty network namespace.
pub(crate) fn enter() -> Result<(), String> {
    for program in ["ip", "tc"] {
        let there = Command::new(program).arg("-V").output();
        there.map_err(|e| format!("no program {program}: {e}"))?;
    }
    let (uid, gid) = (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
    );
    process::unshare(Namespaces::USER.and(Namespaces::NET))
        .map_err(|e| format!("no user namespaces here: {e}"))?;
    let files = [
        ("setgroups", "deny".to_string()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ];
    for (file, text) in files {
        let path = format!("/proc/self/{file}");
        std::fs::write(&path, text).map_err(|e| format!("{path} cannot be written: {e}"))?;
    }
    Ok(())
}

/// Runs a program with arguments, which must go well.
pub(crate) fn run(program: &str, arguments: &str) {
    let output = Command::new(program)
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments}: {error}");
}

/// Nodes and their far ends.
pub(crate) struct Board {
    nodes: Vec<Node>,
    made: usize,
}

struct Node {
    name: &'static str,
    end: String,
    child: Child,
    go: File,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            made: 0,
        }
    }

    /// A node with an interface `eth0` of this address, which does `play` once the board
    /// [plays](Self::play).
    pub(crate) fn node(&mut self, name: &'static str, address: &str, play: impl FnOnce()) -> usize {
        self.ready_node(name, address, || play)
    }

    /// The same, with something that it does before anybody plays.
    pub(crate) fn ready_node<P: FnOnce()>(
        &mut self,
        name: &'static str,
        address: &str,
        prepare: impl FnOnce() -> P,
    ) -> usize {
        let (mut wait, go) = std::io::pipe().unwrap();
        let (mut hear, mut tell) = std::io::pipe().unwrap();
        let child = process::clone(Namespaces::NET, || {
            process::die_with_parent(9).unwrap();
            let play = prepare();
            tell.write_all(&[1]).unwrap();
            wait.read_exact(&mut [0]).unwrap();
            play();
            0
        });
        hear.read_exact(&mut [0]).unwrap();
        let (child, end) = (child.unwrap(), format!("far{}", self.made));
        self.made += 1;
        let pid = child.pid;
        run(
            "ip",
            &format!("link add {end} mtu 65535 type veth peer name eth0 mtu 1500 netns {pid}"),
        );
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
        run("ip", &format!("link set {end} up"));
        for line in [
            format!("addr add {address} dev eth0"),
            "link set lo up".into(),
            "link set eth0 up".into(),
        ] {
            run("nsenter", &format!("-t {pid} -n ip {line}"));
        }
        self.nodes.push(Node {
            name,
            end,
            child,
            go: File::from(std::os::fd::OwnedFd::from(go)),
        });
        self.nodes.len() - 1
    }

    /// Joins two far ends as a lab does.
    pub(crate) fn wire(&self, a: usize, b: usize) {
        let (a, b) = (&self.nodes[a].end, &self.nodes[b].end);
        for (from, to) in [(a, b), (b, a)] {
            run("tc", &format!("qdisc add dev {from} clsact"));
            run(
                "tc",
                &format!(
                    "filter add dev {from} ingress protocol all u32 match u32 0 0 action mirred egress redirect dev {to}"
                ),
            );
        }
    }

    /// Joins far ends by a bridge.
    pub(crate) fn bridge(&self, nodes: &[usize]) {
        run("ip", "link add name bridge0 type bridge");
        std::fs::write("/proc/sys/net/ipv6/conf/bridge0/disable_ipv6", "1").unwrap();
        run("ip", "link set bridge0 up");
        for node in nodes {
            run(
                "ip",
                &format!("link set {} master bridge0", self.nodes[*node].end),
            );
        }
    }

    /// Lets a node send to an address of another one without asking for its hardware address.
    pub(crate) fn neighbour(&self, node: usize, address: &str) {
        let pid = self.nodes[node].child.pid;
        run(
            "nsenter",
            &format!("-t {pid} -n ip neigh add {address} lladdr 02:00:00:00:00:02 dev eth0"),
        );
    }

    /// What to capture of these nodes.
    pub(crate) fn ends(&self, nodes: &[usize], direction: Direction) -> Vec<Interface> {
        let socket = rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::DGRAM,
            None,
        );
        let socket = socket.unwrap();
        let interface = |node: &usize| {
            let node = &self.nodes[*node];
            Interface {
                index: rustix::net::netdevice::name_to_index(&socket, &node.end).unwrap(),
                name: format!("{}:eth0", node.name),
                direction,
                description: Some(node.end.clone()),
            }
        };
        nodes.iter().map(interface).collect()
    }

    /// Lets all nodes play and waits until they have; their interfaces are gone after that.
    pub(crate) fn play(&mut self) {
        for node in &mut self.nodes {
            node.go.write_all(&[1]).unwrap();
        }
        for node in self.nodes.drain(..) {
            assert_eq!(node.child.wait().unwrap(), 0, "node {}", node.name);
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // also after a failed check; a bridge is the only thing that no node holds
        let _ = Command::new("ip").args(["link", "del", "bridge0"]).output();
    }
}

/// A file in memory to capture to.
pub(crate) struct Sink(File);

impl Sink {
    pub(crate) fn new() -> Self {
        Self(process::memfd("capture").unwrap())
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.0.metadata().unwrap().len() as usize];
        self.0.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    /// What was captured; the file must be whole.
    pub(crate) fn capture(&self) -> Capture {
        let capture = read(&self.bytes()).unwrap();
        assert!(!capture.cut_off);
        capture
    }
}

/// A capturer with the events that have come and not been asked for.
pub(crate) struct Captures {
    pub(crate) capturer: Capturer,
    events: VecDeque<Event>,
}

impl Captures {
    pub(crate) fn new() -> Self {
        Self {
            capturer: Capturer::spawn().unwrap(),
            events: VecDeque::new(),
        }
    }

    /// The next event.
    pub(crate) fn hear(&mut self) -> Event {
        let patience = Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        while self.events.is_empty() {
            let mut fds = [PollFd::new(&self.capturer, PollFlags::IN)];
            assert_eq!(
                rustix::event::poll(&mut fds, Some(&patience)),
                Ok(1),
                "nothing is heard"
            );
            self.events.extend(self.capturer.events());
        }
        self.events.pop_front().unwrap()
    }

    pub(crate) fn start(&mut self, id: u64, request: Request, output: BorrowedFd<'_>) {
        self.capturer.start(id, request, output).unwrap();
    }

    pub(crate) fn stop(&mut self, id: u64) {
        self.capturer.stop(id).unwrap();
    }
}

pub(crate) fn request(ends: &[Interface], raw: bool) -> Request {
    Request {
        interfaces: ends.to_vec(),
        raw,
        snaplen: None,
    }
}

/// Bytes that a transfer sends.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// The two sides of a transfer from 10.0.0.1 to 10.0.0.2, port 5000.
pub(crate) fn bulk(board: &mut Board, length: usize) -> [usize; 2] {
    let client = board.node("a", "10.0.0.1/24", move || {
        let mut stream = TcpStream::connect("10.0.0.2:5000").unwrap();
        stream.write_all(&pattern(length)).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    let server = board.ready_node("b", "10.0.0.2/24", move || {
        let listener = TcpListener::bind("0.0.0.0:5000").unwrap();
        move || {
            let mut data = Vec::new();
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_to_end(&mut data).unwrap();
            assert_eq!(data.len(), length);
        }
    });
    [client, server]
}

/// Has tshark read a capture of a transfer of so many bytes, if it is there.
pub(crate) fn tshark(sink: &Sink, length: usize) {
    let path = std::env::temp_dir().join(format!("telaio-capture-{}.pcapng", std::process::id()));
    std::fs::write(&path, sink.bytes()).unwrap();
    let checks = "-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE";
    let bad = "ip.checksum.status == 0 || tcp.checksum.status == 0";
    let ask = |filter: &str, field: &str| {
        let mut command = Command::new("tshark");
        // settings of whoever runs this are not for it, and may be out of its reach
        command.env("HOME", std::env::temp_dir());
        command
            .arg("-r")
            .arg(&path)
            .args(checks.split(' '))
            .args(["-Y", filter]);
        command.args(["-T", "fields", "-e", field]).output()
    };
    let answers = (ask(bad, "frame.number"), ask("tcp.len > 0", "tcp.len"));
    std::fs::remove_file(&path).unwrap();
    let (Ok(bad), Ok(lengths)) = answers else {
        return eprintln!("skipped: no tshark to read the capture with");
    };
    assert!(
        bad.status.success(),
        "{}",
        String::from_utf8_lossy(&bad.stderr)
    );
    assert_eq!(
        String::from_utf8_lossy(&bad.stdout),
        "",
        "frames that tshark finds bad"
    );
    let lengths = String::from_utf8_lossy(&lengths.stdout);
    let sent: usize = lengths.lines().map(|l| l.parse::<usize>().unwrap()).sum();
    assert!(sent >= length);
}
