//! Alarms by mail, taken by a server of the test's own.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    time::Duration,
};

use crate::{
    alarms::late_ms,
    process::{QUICK, Running},
    program,
    support::{Home, eventually},
};

/// What a server does with a connection.
#[derive(Clone, Copy)]
enum Manner {
    Takes,
    /// What begins so is answered so.
    Answers(&'static str, &'static str),
    /// Says nothing, and keeps the connection.
    Hangs,
}

/// A mail server: all that it is told, one connection a text.
struct Server {
    port: u16,
    /// Each connection, when it is there.
    connections: Receiver<()>,
    told: Receiver<String>,
}

impl Server {
    /// Treats the first connections so, and all others as the last of them.
    fn start(manners: &'static [Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ((came, connections), (sender, told)) = (mpsc::channel(), mpsc::channel());
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for (index, connection) in listener.incoming().map_while(Result::ok).enumerate() {
                let _ = came.send(());
                match manners[index.min(manners.len() - 1)] {
                    Manner::Hangs => kept.push(connection),
                    manner => drop(talk(&connection, manner, &sender)),
                }
            }
        });
        Self { port, connections, told }
    }

    fn configuration(&self) -> String {
        format!(
            "{QUICK}\n[alarms.channels.ops]\nkind = \"email\"\nurl = \"smtp://me:s%3Acret@127.0.0.1:{}\"\n\
             from = \"Scheduler <sched@example.org>\"\nto = [\"ops@example.org\", \"boss@example.org\"]\n",
            self.port
        )
    }

    /// The next mail: the commands before it, its head, and its body, unfolded, with what came after it.
    #[track_caller]
    fn hears(&self) -> [String; 3] {
        let told = self.told.recv_timeout(Duration::from_secs(40)).expect("a mail");
        let (commands, mail) = told.split_once("\nDATA\n").unwrap_or_else(|| panic!("{told}"));
        let (head, body) = mail.split_once("\n\n").unwrap();
        [commands.to_owned(), head.to_owned(), body.replace("=\n", "")]
    }
}

/// Speaks SMTP until the other end has enough.
fn talk(mut connection: &TcpStream, manner: Manner, sender: &Sender<String>) -> Option<()> {
    let mut lines = BufReader::new(connection).lines();
    let (mut told, mut is_data) = (String::new(), false);
    let mut say = |text: &str| write!(connection, "{text}\r\n").ok();
    say("220 stub")?;
    while let Some(Ok(line)) = lines.next() {
        told += &line;
        told += "\n";
        match manner {
            _ if is_data && line != "." => continue,
            Manner::Answers(to, answer) if line.starts_with(to) => say(answer)?,
            _ if line.starts_with("EHLO ") => say("250-stub\r\n250 AUTH PLAIN LOGIN")?,
            _ if line.starts_with("AUTH ") => say("235 welcome")?,
            _ if line == "DATA" => say("354 go on")?,
            _ if line == "QUIT" => {
                say("221 bye")?;
                break;
            }
            _ => say("250 fine")?,
        }
        is_data = line == "DATA";
    }
    sender.send(told).ok()
}

#[test]
fn a_run_that_fails_is_told_by_mail_and_what_repeats_at_the_end() {
    let server = Server::start(&[Manner::Takes]);
    let home = Home::migrated(&server.configuration());
    let task = home.insert("clumsy", "clumsy", "interval", "1");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    let [commands, head, body] = server.hears();
    let commands: Vec<&str> = commands.lines().collect();
    assert!(commands[0].starts_with("EHLO "), "{commands:?}");
    // `\0me\0s:cret`.
    let expected = [
        "AUTH PLAIN AG1lAHM6Y3JldA==",
        "MAIL FROM:<sched@example.org>",
        "RCPT TO:<ops@example.org>",
        "RCPT TO:<boss@example.org>",
    ];
    assert_eq!(commands[1..], expected);
    for line in [
        "From: Scheduler <sched@example.org>",
        "To: ops@example.org, boss@example.org",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(head.lines().any(|other| other == line), "{line}: {head}");
    }
    assert!(head.contains("\nSubject: scheduler ") && head.contains("[failed] clumsy: "), "{head}");
    assert!(head.contains("\nDate: ") && head.contains("\nMessage-ID: <"), "{head}");
    let lines: Vec<&str> = body.lines().collect();
    assert!(
        lines[0].starts_with("scheduler local ") && lines[0].contains(&scheduler.id().to_string())
    );
    assert!(lines[2].starts_with("[failed] clumsy: execution "), "{body}");
    assert_eq!(lines[lines.len() - 2..], [".", "QUIT"]);
    // It gathered for a while.
    let count = home.executions(task).len();
    assert!(count >= 8 && lines[2].contains(" times from "), "{body}");
    eventually("two more", || (home.executions(task).len() > count + 2).then_some(()));
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    let [.., body] = server.hears();
    assert!(body.contains("\n[failed] clumsy: ") && body.contains(" times from "), "{body}");
    assert!(server.told.try_recv().is_err(), "two mails in all");
}

#[test]
fn a_mail_server_that_hangs_delays_no_run_and_gets_all_later() {
    let server = Server::start(&[Manner::Hangs, Manner::Takes]);
    let home = Home::migrated(&server.configuration());
    home.insert("clumsy", "clumsy", "interval", "1");
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    server.connections.recv_timeout(Duration::from_secs(40)).unwrap();
    scheduler.says(&["alarms do not arrive", "ops", "no answer within 15 s"]);
    let [.., body] = server.hears();
    assert!(body.contains("\n[failed] clumsy: ") && body.contains(" times from "), "{body}");
    let started: Vec<i64> = home.executions(quick).iter().filter_map(late_ms).collect();
    assert!(started.len() >= 20 && started.iter().all(|late| *late < 900), "{started:?}");
    scheduler.says(&["alarms arrive again", "ops"]);
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
}

#[test]
fn whether_mail_arrives_can_be_tried() {
    let server = Server::start(&[
        Manner::Takes,
        Manner::Answers("AUTH ", "535 5.7.8 wrong password"),
        Manner::Answers("RCPT TO:<boss@", "550 5.1.1 no such user"),
        Manner::Answers("MAIL ", "451 4.7.1 later"),
    ]);
    let home = Home::new(&server.configuration());
    assert_eq!(home.ok(&["alarm", "test"]), "channel  message  reason\nops      arrived\n");
    let [_, head, _] = server.hears();
    assert!(head.contains("\nSubject: scheduler ") && head.contains(": [test] this is"), "{head}");
    for reason in [
        "it answers 535: 5.7.8 wrong password",
        "not at boss@example.org: it answers 550: 5.1.1 no such user",
        "it answers 451: 4.7.1 later",
    ] {
        let ran = home.run(&["alarm", "test", "ops"]);
        let refused = format!("channel  message  reason\nops      refused  {reason}\n");
        assert_eq!((ran.code, ran.stdout), (1, refused));
    }
}
