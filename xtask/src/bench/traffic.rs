//! Senders and receivers of the wire benchmark: plain sockets, run inside its namespaces.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Payload of a 64-byte frame (60 without its check sequence): 18 bytes of UDP.
const SMALL: usize = 18;
const PORT: u16 = 5201;

/// `send-udp ADDRESS SECONDS`, `receive-udp SECONDS`, `send-tcp ADDRESS SECONDS`, `receive-tcp`:
/// receivers print packets or bytes per second.
pub(super) fn run(name: &str, args: &[String]) -> Result<()> {
    let text = |i: usize| {
        args.get(i)
            .map(String::as_str)
            .context("an argument is missing")
    };
    match name {
        "send-udp" => send_udp(text(0)?, text(1)?.parse()?),
        "receive-udp" => receive_udp(text(0)?.parse()?),
        "send-tcp" => send_tcp(text(0)?, text(1)?.parse()?),
        "receive-tcp" => receive_tcp(),
        _ => bail!("no such end: {name}"),
    }
}

fn send_udp(address: &str, seconds: f64) -> Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect((address, PORT))?;
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < until {
        for _ in 0..256 {
            // refused or full: what counts is what arrives
            let _ = socket.send(&[0x55; SMALL]);
        }
    }
    Ok(())
}

fn receive_udp(seconds: f64) -> Result<()> {
    let socket = UdpSocket::bind(("0.0.0.0", PORT))?;
    println!("ready");
    let mut buffer = [0; 64];
    socket.recv(&mut buffer)?;
    let began = Instant::now();
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut packets = 0_u64;
    while began.elapsed().as_secs_f64() < seconds * 0.8 {
        match socket.recv(&mut buffer) {
            Ok(_) => packets += 1,
            Err(_) => break,
        }
    }
    println!("{:.0}", packets as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

fn send_tcp(address: &str, seconds: f64) -> Result<()> {
    let mut stream = TcpStream::connect((address, PORT))?;
    let block = vec![0x55; 128 << 10];
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < until {
        stream.write_all(&block)?;
    }
    Ok(())
}

fn receive_tcp() -> Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT))?;
    println!("ready");
    let (mut stream, _) = listener.accept()?;
    let began = Instant::now();
    let mut block = vec![0; 256 << 10];
    let mut bytes = 0_u64;
    loop {
        match stream.read(&mut block)? {
            0 => break,
            n => bytes += n as u64,
        }
    }
    println!("{:.0}", bytes as f64 / began.elapsed().as_secs_f64());
    Ok(())
}
