//! How fast small frames can be captured: one node sends as fast as it can, everything it sends
//! is captured to `/dev/null`. Prints frames a second (the sender
//! is the limit as long as none is lost) and the capture process's time for each.

#![expect(clippy::print_stderr, reason = "the result is for people")]

#[path = "../tests/capture/support.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Instant;

use panel::capture::{Direction, Event};
use support::{Board, Captures, request};

const FRAMES: u64 = 2_000_000;
/// Makes frames of 64 bytes.
const PAYLOAD: [u8; 22] = [0; 22];

fn main() {
    if let Err(why) = support::enter() {
        return eprintln!("skipped: {why}");
    }
    let mut board = Board::new();
    let a = board.node("a", "10.0.0.1/24", || {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.connect("10.0.0.2:9").unwrap();
        for _ in 0..FRAMES {
            while socket.send(&PAYLOAD).is_err() {}
        }
    });
    board.neighbour(a, "10.0.0.2");
    let null = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/null")
        .unwrap();
    let mut captures = Captures::new();
    captures.start(
        1,
        request(&board.ends(&[a], Direction::Ingress), false),
        null.as_fd(),
    );
    captures.hear();
    let start = Instant::now();
    board.play();
    let seconds = start.elapsed().as_secs_f64();
    let spent = spent(captures.capturer.pid());
    captures.stop(1);
    let Event::Ended { frames, drops, .. } = captures.hear() else {
        return eprintln!("the capture failed");
    };
    let rate = FRAMES as f64 / seconds;
    let each = spent / frames;
    eprintln!("{rate:.0} frames a second; {frames} captured at {each} ns, {drops} lost");
}

/// Nanoseconds that a process has run so far.
fn spent(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
