//! What systemd is told by a scheduler that runs as its service.

use std::{os::unix::net::UnixDatagram, time::Duration};

use scheduler_core::clock;

use crate::{
    process::{QUICK, Running},
    support::{Home, eventually},
};

/// The socket that systemd would hold, and a command that finds it.
fn socket(home: &Home) -> (UnixDatagram, String) {
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (socket, path.display().to_string())
}

fn word(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// The next word with `part` in it.
fn word_with(socket: &UnixDatagram, part: &str) -> String {
    eventually(part, || Some(word(socket)).filter(|word| word.contains(part)))
}

#[test]
fn a_service_says_that_it_is_ready_how_it_fares_and_that_it_stops() {
    let home = Home::migrated(QUICK);
    home.insert("quick", "test_interval", "interval", "1");
    let (socket, path) = socket(&home);
    let mut command = home.command();
    command.arg("run").env("NOTIFY_SOCKET", path);
    let mut scheduler = Running::spawn(&mut command);
    let first = word(&socket);
    assert!(first.starts_with("READY=1\nSTATUS="), "{first}");
    assert!(!first.contains("WATCHDOG"), "nobody asks for it: {first}");
    word_with(&socket, "STATUS=tasks: 1 scheduled, 0 rejected; ");
    scheduler.signal("TERM");
    word_with(&socket, "STOPPING=1\n");
    assert_eq!(scheduler.ends_within(Duration::from_secs(5)), 0);
}

#[test]
fn the_watchdog_of_a_service_is_fed_in_half_its_time_while_the_loop_turns() {
    let home = Home::migrated(QUICK);
    let (socket, path) = socket(&home);
    let mut command = home.command();
    command.arg("run").env("NOTIFY_SOCKET", path).env("WATCHDOG_USEC", "4000000");
    let _scheduler = Running::spawn(&mut command);
    word_with(&socket, "WATCHDOG=1");
    // Some words come because something happened, one at least because its time had come.
    let began = clock::mono();
    for _ in 0..3 {
        let fed = word(&socket);
        assert!(fed.contains("WATCHDOG=1"), "{fed}");
    }
    let took = clock::mono() - began;
    assert!(took < Duration::from_secs(8), "three words within {took:?}, expected each within 2 s");
}
