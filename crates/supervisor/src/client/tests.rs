use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::Duration;

use check::NodeAccess;

use super::*;

/// A lab that answers one connection.
fn lab_that(
    answer: impl FnOnce(Request, UnixStream, Vec<OwnedFd>) + Send + 'static,
) -> (tempfile::TempDir, Client, JoinHandle<()>) {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("control");
    let listener = UnixListener::bind(&control).unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let (n, fds) = sys::fdpass::receive(&stream, &mut buffer).unwrap();
        let length = u32::from_le_bytes(buffer[..4].try_into().unwrap()) as usize;
        assert_eq!(n, length + 4);
        let request = serde_json::from_slice(&buffer[4..n]).unwrap();
        answer(request, stream, fds);
    });
    (folder, Client::at("test", &control), thread)
}

fn say(mut stream: &UnixStream, reply: &Reply) {
    let body = serde_json::to_vec(reply).unwrap();
    stream
        .write_all(&(body.len() as u32).to_le_bytes())
        .unwrap();
    stream.write_all(&body).unwrap();
}

#[test]
fn a_status_comes_in_pieces() {
    let (_folder, client, lab) = lab_that(|request, mut stream, _| {
        assert!(matches!(request, Request::Status));
        let status = Status {
            name: "test".into(),
            ready: true,
            ..Status::default()
        };
        let body = serde_json::to_vec(&Reply::Status(Box::new(status))).unwrap();
        stream
            .write_all(&(body.len() as u32).to_le_bytes()[..2])
            .unwrap();
        stream
            .write_all(&(body.len() as u32).to_le_bytes()[2..])
            .unwrap();
        for piece in body.chunks(7) {
            stream.write_all(piece).unwrap();
        }
    });
    assert!(client.status().unwrap().ready);
    lab.join().unwrap();
}

#[test]
fn a_refusal_keeps_its_mend() {
    let (_folder, client, lab) = lab_that(|_, stream, _| {
        say(
            &stream,
            &Reply::Error {
                message: "no".into(),
                help: Some("so".into()),
            },
        );
    });
    let error = client.restart("r1").unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.help().as_deref()),
        ("no", Some("so"))
    );
    lab.join().unwrap();
}

#[test]
fn a_giant_or_senseless_reply_is_an_error() {
    let (_folder, client, lab) = lab_that(|_, mut stream, _| {
        stream.write_all(&u32::MAX.to_le_bytes()).unwrap();
    });
    assert!(matches!(client.status(), Err(Error::Nonsense { .. })));
    lab.join().unwrap();
    let (_folder, client, lab) = lab_that(|_, stream, _| say(&stream, &Reply::Done));
    assert!(matches!(client.status(), Err(Error::Nonsense { .. })));
    lab.join().unwrap();
}

#[test]
fn a_lab_that_is_gone_is_said_to_be() {
    let (folder, client, lab) = lab_that(|_, stream, _| drop(stream));
    assert!(matches!(client.status(), Err(Error::Gone(_))));
    lab.join().unwrap();
    std::fs::remove_file(folder.path().join("control")).unwrap();
    assert!(matches!(client.status(), Err(Error::Gone(_))));
}

#[test]
fn other_versions_are_told_apart() {
    let mut client = Client::at("old", Path::new("/nonexistent"));
    (client.protocol, client.version) = (proto::VERSION + 1, "9.9".into());
    let error = client.status().unwrap_err();
    assert!(error.to_string().contains("9.9"), "{error}");
    assert!(error.help().unwrap().contains("telaio down -l old"));
}

#[test]
fn ending_ends_when_the_connection_does() {
    let (_folder, client, lab) = lab_that(|request, stream, _| {
        assert!(matches!(request, Request::Down { grace } if grace == 0.0));
        say(&stream, &Reply::Done);
    });
    client.down(0.0).unwrap();
    lab.join().unwrap();
}

#[test]
fn events_are_iterated_and_polled() {
    let event = |at| {
        Reply::Event(Event {
            at,
            node: None,
            what: proto::What::Built,
        })
    };
    let (_folder, client, lab) = lab_that(move |_, stream, _| {
        say(&stream, &event(1.0));
        say(&stream, &event(2.0));
    });
    let times: Vec<f64> = client
        .events(false)
        .unwrap()
        .map(|e| e.unwrap().at)
        .collect();
    assert_eq!(times, [1.0, 2.0]);
    lab.join().unwrap();
}

#[test]
fn a_check_gets_status_and_both_outputs() {
    let (_folder, client, lab) = lab_that(|_, stream, fds| {
        let [mut input, out, err] = <[OwnedFd; 3]>::try_from(fds)
            .unwrap()
            .map(std::fs::File::from);
        let mut text = String::new();
        input.read_to_string(&mut text).unwrap();
        assert_eq!(text, "", "standard input is at its end");
        say(&stream, &Reply::Started { pid: 7 });
        (&out).write_all(&[b'x'; 200_000]).unwrap();
        (&err).write_all(b"oops").unwrap();
        say(&stream, &Reply::Exited { status: 3 });
        // something in the background keeps the pipes open
        let mut rest = Vec::new();
        (&stream).read_to_end(&mut rest).unwrap();
        drop((out, err));
    });
    let output = NodeAccess::exec(&client, "r1", &["x"], Duration::from_secs(20)).unwrap();
    assert_eq!((output.status, output.stdout.len()), (3, 200_000));
    assert_eq!(output.stderr, b"oops");
    lab.join().unwrap();
}

#[test]
fn a_check_does_not_wait_for_ever() {
    let (_folder, client, lab) = lab_that(|_, stream, _fds| {
        say(&stream, &Reply::Started { pid: 7 });
        let mut rest = Vec::new();
        (&stream).read_to_end(&mut rest).unwrap();
    });
    let got = NodeAccess::exec(&client, "r1", &["x"], Duration::from_millis(20));
    assert!(matches!(got, Err(check::AccessError::Timeout(_))));
    lab.join().unwrap();
}
