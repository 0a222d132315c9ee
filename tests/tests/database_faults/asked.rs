//! A flood of questions by HTTP, and what it leaves of the database to the scheduler.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tests::{
    poll,
    program::{LISTEN, Program},
    servers::mariadb,
};

/// The binary that is a program when it is told so.
const THIS: &str = env!("CARGO_BIN_EXE_torment");

const PATIENCE: Duration = Duration::from_secs(30);

const SETTINGS: &str = "database_timeout = \"5s\"\n\
    [http.tokens.reader]\ntoken = \"a-token-of-at-least-32-characters\"\nrole = \"viewer\"";

/// Where it listens.
fn address(program: &Program) -> String {
    program.says("listening");
    let log = program.log();
    let line = log.lines().find(|line| line.contains("listening")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["address"].as_str().unwrap().to_owned()
}

#[test]
fn questions_wait_for_three_connections_however_many_are_asked() {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    let url = server.url(&database);
    let listen = [(LISTEN, "127.0.0.1:0".to_owned())];
    let program = Program::start(THIS.as_ref(), &url, SETTINGS, listen).unwrap();
    program.says("the table is read");
    let address = address(&program);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Answers from the history wait for this, and a scheduler of whose rows none is edited does not.
    let mut owner = runtime.block_on(MySqlConnection::connect(&url)).unwrap();
    runtime.block_on(owner.execute("LOCK TABLES scheduler_edit WRITE")).unwrap();
    let mut asked: Vec<TcpStream> = Vec::new();
    for _ in 0..20 {
        let mut connection = TcpStream::connect(&address).unwrap();
        connection.set_nonblocking(true).unwrap();
        let head =
            format!("Host: {address}\r\nAuthorization: Bearer a-token-of-at-least-32-characters");
        write!(connection, "GET /api/v1/edits HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n")
            .unwrap();
        asked.push(connection);
    }
    let waiting = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{database}' AND state LIKE 'Waiting for table%'"
    );
    let mut most = 0;
    let answered = poll::until(PATIENCE, || {
        let is_answered = asked.iter().any(|connection| {
            !matches!(connection.peek(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
        });
        if !is_answered {
            let count = server.client(&database, &waiting).unwrap();
            most = most.max(count.trim().parse::<u32>().unwrap());
        }
        is_answered.then_some(())
    });
    assert_eq!((answered, most), (Some(()), 3));
    // Who waited too long is told so, and who comes when all is well is answered.
    let mut answer = String::new();
    asked[0].set_nonblocking(false).unwrap();
    asked[0].read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}
