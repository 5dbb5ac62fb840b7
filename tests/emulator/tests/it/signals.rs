//! How the program ends when it is asked to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::program::Program;

/// What the log says when requests are being waited for.
const ENDING: &str = "the emulator ends";

fn send(program: &Program, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&program.client.address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// Reads until the text has come.
fn read_to(stream: &mut TcpStream, text: &str) {
    let (mut all, mut byte) = (Vec::new(), [0]);
    while !all.ends_with(text.as_bytes()) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&all));
        all.extend(byte);
    }
}

#[test]
fn running_requests_are_finished_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("seed.toml"),
        "[bucket]\nacl = \"public-read-write\"\n",
    )
    .unwrap();
    let mut program = Program::start(&["--seed", folder.path().to_str().unwrap()]);
    let host = program.client.host.clone();
    // A connection without a request is not waited for.
    let mut idle = send(&program, &format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n"));
    read_to(&mut idle, "\r\n\r\nok\n");
    let start = |number: usize| {
        let head = format!(
            "PUT /bucket/{number} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n"
        );
        let mut stream = send(&program, &head);
        // The server asks for the body when it has begun with the request.
        read_to(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n");
        stream
    };
    let running: Vec<_> = (0..8).map(start).collect();
    program.signal("TERM");
    program.wait_for(ENDING);
    for mut stream in running {
        stream.write_all(b"whole").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
    let mut rest = Vec::new();
    assert_eq!(idle.read_to_end(&mut rest).unwrap_or_default(), 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (first, second, code) in [("TERM", "TERM", 143), ("TERM", "INT", 130), ("INT", "INT", 130)] {
        let mut program = Program::start(&["--fault", "action=stall"]);
        let host = program.client.host.clone();
        let stalled = send(&program, &format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        program.wait_for("a fault is injected");
        program.signal(first);
        program.wait_for(ENDING);
        program.signal(second);
        assert_eq!(program.child.wait().unwrap().code(), Some(code), "{first} {second}");
        drop(stalled);
    }
}
