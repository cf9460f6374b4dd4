//! Checks against real kernels and servers: each test has a network of its own, with `lo` alone,
//! and asks in it what a node would be asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use check::{AccessError, NodeAccess, Options, Output, Report};
use lab::{Check, Lab, NextHop, Record, Test};
use sys::netlink::{Socket, Veth, VethPeer};

const PROBE: &str = "TELAIO_TEST_PROBE";

/// The network that a test runs in, as the node `n`. What would be run in a node is run here;
/// in place of the program of telaio's this one is.
struct Here;

impl NodeAccess for Here {
    fn exec(&self, _: &str, argv: &[&str], _: Duration) -> Result<Output, AccessError> {
        let output = match argv {
            [_, "__probe", words @ ..] => {
                let words = serde_json::to_string(words).unwrap();
                let program = std::env::current_exe().unwrap();
                let mut command = Command::new(program);
                command.args(["probe_itself", "--exact", "--nocapture", "--ignored"]);
                command.env(PROBE, words).output().unwrap()
            }
            [program, words @ ..] => match Command::new(program).args(words).output() {
                Ok(output) => output,
                Err(e) => return Err(AccessError::Node(e.to_string())),
            },
            [] => return Err(AccessError::Node("nothing to run".into())),
        };
        // the test harness says something around what the probe says
        let text = String::from_utf8_lossy(&output.stdout);
        let json = text.lines().find(|l| l.starts_with(['{', '[']));
        Ok(Output {
            status: output.status.code().unwrap_or(-1),
            stdout: json.unwrap_or(&text).into(),
            stderr: output.stderr,
        })
    }

    fn startup(&self, _: &str) -> Result<Option<Vec<String>>, AccessError> {
        Ok(Some(Vec::new()))
    }
}

/// No test of its own: the probe, in a process of its own, with the words of an environment
/// variable.
#[test]
#[ignore = "run by the others"]
fn probe_itself() {
    let Ok(words) = std::env::var(PROBE) else {
        return;
    };
    let words: Vec<String> = serde_json::from_str(&words).unwrap();
    println!();
    assert_eq!(check::probe::main(&words), 0);
}

/// Runs tests in the node `n`, each with one try at least.
fn see(tests: impl IntoIterator<Item = Test>, within: f64) -> Report {
    let mut lab = Lab::default();
    lab.nodes.insert("n".into(), lab::Node::default());
    let checks: Vec<Check> = tests.into_iter().map(Check::new).collect();
    let cancel = AtomicBool::new(false);
    let options = Options {
        jobs: 4,
        within: Some(within),
        cancel: &cancel,
        progress: &|_| {},
    };
    check::run(&lab, &checks, &Here, &options)
}

fn passes(test: Test) {
    let report = see([test], 20.0);
    assert!(report.passed(), "{report:#?}");
}

/// What is seen in place of what the test wants.
fn fails(test: Test) -> String {
    let report = see([test], 0.0);
    assert_eq!(report.failures(), 1, "{report:#?}");
    report.outcomes[0].message.clone()
}

/// Sets `lo` up with further addresses.
fn lo(addresses: &[&str]) -> Socket {
    let mut socket = Socket::open().unwrap();
    let lo = socket.link("lo").unwrap().unwrap().index;
    socket.set_up(lo, true).unwrap();
    for address in addresses {
        socket.add_address(lo, address.parse().unwrap()).unwrap();
    }
    socket
}

/// Makes an interface that is up, with an address.
fn eth0(socket: &mut Socket, address: &str) {
    let peer = VethPeer {
        name: "far",
        mtu: 1500,
        mac: None,
        netns: None,
    };
    let veth = Veth {
        name: "eth0",
        index: None,
        mtu: 1500,
        mac: None,
        up: true,
        peer,
    };
    socket.run(&[veth.create()]).unwrap();
    let index = |socket: &mut Socket, name| socket.link(name).unwrap().unwrap().index;
    let (near, far) = (index(socket, "eth0"), index(socket, "far"));
    socket.set_up(far, true).unwrap();
    socket.add_address(near, address.parse().unwrap()).unwrap();
}

fn reaches(to: &str) -> Test {
    let [from, to] = ["n".to_string(), to.to_string()];
    Test::Reaches { from, to }
}

fn not_reaches(to: &str) -> Test {
    let [from, to] = ["n".to_string(), to.to_string()];
    Test::NotReaches { from, to }
}

#[test]
fn echoes_of_both_families() {
    testkit::isolated!({
        lo(&["10.0.0.1/32", "fd00::1/128"]);
        passes(reaches("127.0.0.1"));
        passes(reaches("::1"));
        passes(reaches("n"));
        passes(reaches("localhost"));
        let text = fails(reaches("10.9.9.9"));
        assert!(text.contains("no network that a route leads to"), "{text}");
        passes(not_reaches("10.9.9.9"));
        let text = fails(not_reaches("10.0.0.1"));
        assert_eq!(text, "10.0.0.1 answered");
    });
}

#[test]
fn routes_and_addresses_of_the_kernel() {
    testkit::isolated!({
        let mut socket = lo(&[]);
        eth0(&mut socket, "10.0.0.1/24");
        let to = "10.1.0.0/16".parse().unwrap();
        let via = "10.0.0.2".parse().ok();
        socket.add_route(to, via, None, None).unwrap();
        let route = |to: &str, gateway: &str, exact| Test::Route {
            node: "n".into(),
            to: to.into(),
            via: vec![NextHop {
                gateway: gateway.parse().ok(),
                dev: None,
            }],
            absent: false,
            exact,
        };
        passes(route("10.1.0.0/16", "10.0.0.2", true));
        let text = fails(route("10.1.0.0/16", "10.0.0.3", false));
        assert_eq!(text, "10.1.0.0/16 via 10.0.0.2 dev eth0");
        let table = |to: &str| Test::Routes {
            node: "n".into(),
            routes: vec![lab::ExpectedRoute {
                to: to.into(),
                via: Vec::new(),
            }],
        };
        passes(table("10.1.0.0/16"));
        let text = fails(table("10.0.0.0/24"));
        assert!(text.contains("attached"), "{text}");
        passes(Test::Address {
            node: "n".into(),
            interface: "eth0".into(),
            address: "10.0.0.1/24".into(),
        });
        passes(Test::Sysctl {
            node: "n".into(),
            key: "net.ipv4.ip_forward".into(),
            value: "0".into(),
        });
    });
}

/// A DNS server that has one answer to everything; over UDP it says that the answer is cut.
fn name_server(answer: &'static [u8]) {
    let udp = UdpSocket::bind("127.0.0.53:53").unwrap();
    let tcp = TcpListener::bind("127.0.0.53:53").unwrap();
    let reply = move |question: &[u8], cut: bool| -> Vec<u8> {
        let mut bytes = question.to_vec();
        // an answer of its own zone
        bytes[2] |= 0x84 | if cut { 2 } else { 0 };
        if !cut {
            bytes[7] = 1;
            bytes.extend(answer);
        }
        bytes
    };
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = udp.recv_from(&mut bytes) {
            let _ = udp.send_to(&reply(&bytes[..length], true), from);
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming().flatten() {
            let mut stream = stream;
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let answer = reply(&question, false);
            let length = (answer.len() as u16).to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).unwrap();
        }
    });
}

fn dns(answer: &str, server: &str) -> Test {
    Test::Dns {
        node: "n".into(),
        name: "www.example".into(),
        record: Some(Record::A),
        server: server.parse().ok(),
        answer: Some(answer.into()),
        only: Vec::new(),
        authoritative: true,
    }
}

#[test]
fn answers_of_a_name_server_over_udp_and_tcp() {
    testkit::isolated!({
        lo(&[]);
        // a pointer to the question's name, an A record of class IN, and its address
        name_server(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07");
        passes(dns("10.0.0.7", "127.0.0.53"));
        let text = fails(dns("10.0.0.8", "127.0.0.53"));
        assert_eq!(text, "127.0.0.53: 10.0.0.7");
        let text = fails(dns("10.0.0.7", "127.0.0.54"));
        assert_eq!(text, "127.0.0.54 refuses the connection");
    });
}

/// A web server on port 80 that answers by path.
fn web_server() {
    let listener = TcpListener::bind("127.0.0.1:80").unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::from("x");
            while !line.trim().is_empty() {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            let answer: &[u8] = match first.trim() {
                "GET /chunks HTTP/1.1" => {
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nIt \r\n5\r\nworks\r\n0\r\n\r\n"
                }
                "POST /form HTTP/1.1" => b"HTTP/1.1 405 No\r\nContent-Length: 2\r\n\r\nno",
                "GET /moved HTTP/1.1" => {
                    b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/chunks\r\n\r\n"
                }
                _ => b"nonsense\r\n\r\n",
            };
            stream.write_all(answer).unwrap();
        }
    });
}

fn page(path: &str, method: Option<&str>, status: u16, contains: Option<&str>) -> Test {
    Test::Http {
        node: "n".into(),
        url: format!("http://127.0.0.1{path}"),
        method: method.map(Into::into),
        status: Some(status),
        body: None,
        contains: contains.map(Into::into),
    }
}

#[test]
fn pages_of_a_web_server() {
    testkit::isolated!({
        lo(&[]);
        let text = fails(page("/chunks", None, 200, None));
        assert_eq!(text, "127.0.0.1 port 80 refuses the connection");
        web_server();
        passes(page("/chunks", None, 200, Some("It works")));
        passes(page("/form", Some("POST"), 405, Some("no")));
        passes(page("/moved", None, 301, None));
        let text = fails(page("/other", None, 200, None));
        assert_eq!(text, "127.0.0.1: what answers there does not speak HTTP/1");
    });
}

#[test]
fn what_comes_late_is_waited_for() {
    testkit::isolated!({
        lo(&[]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen");
        let test = Test::Command {
            node: "n".into(),
            // the third look finds what the first two made
            run: format!(
                "f={}; [ -e $f.2 ] && exit; [ -e $f.1 ] && touch $f.2; touch $f.1; exit 1",
                file.display()
            ),
            matches: None,
            output: None,
            status: None,
        };
        let report = see([test], 20.0);
        assert!(report.passed(), "{report:#?}");
        assert_eq!(report.outcomes[0].attempts, 3);
    });
}

#[test]
fn processes_of_the_node() {
    let mut child = Command::new("sleep").arg("600").spawn().unwrap();
    let daemon = |name: &str, absent| Test::Daemon {
        node: "n".into(),
        name: name.into(),
        pattern: false,
        absent,
    };
    let report = see(
        [daemon("sleep", false), daemon("no-such-daemon", true)],
        20.0,
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(report.passed(), "{report:#?}");
}
