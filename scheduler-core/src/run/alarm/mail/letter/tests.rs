use std::collections::BTreeMap;

use super::*;
use crate::config::Mailbox as Box;

fn mail(from: &str, to: &[&str]) -> config::Mail {
    let mailbox = |text: &str| Box::parse(text).unwrap();
    config::Mail {
        from: mailbox(from),
        to: to.iter().map(|to| mailbox(to)).collect(),
        ssl_ca: None,
    }
}

fn letter_of(mail: &config::Mail, alarms: u64, text: &str) -> Letter {
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let message = Message { alarms, text: text.to_owned() };
    let speaker = Speaker { environment: "online".into(), node: "web-1:42:8c1f6a90".into() };
    letter(mail, &speaker, &message, now, Uuid::from_u128(7)).unwrap()
}

/// The headers, unfolded, and the body, as they are sent.
fn parts(letter: &Letter) -> (BTreeMap<String, String>, String) {
    let text = std::str::from_utf8(&letter.bytes).unwrap();
    assert!(text.is_ascii(), "{text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(
        !text.replace("\r\n", "").contains(['\r', '\n']),
        "each line ends as SMTP wants: {text:?}"
    );
    assert!(text.lines().all(|line| line.len() <= 998), "{text}");
    let head = head.replace("\r\n ", " ");
    let headers: Vec<_> = head.lines().map(|line| line.split_once(": ").unwrap()).collect();
    let count = headers.len();
    let headers: BTreeMap<_, _> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(headers.len(), count, "{head}");
    (headers, body.to_owned())
}

/// What a reader of mail makes of a header.
fn decoded(header: &str) -> String {
    let mut decoded = String::new();
    for word in header.replace("?= =?", "?==?").split_inclusive("?=") {
        match word.split_once("=?utf-8?b?") {
            Some((before, word)) => {
                let bytes = BASE64.decode(word.trim_end_matches("?=")).unwrap();
                decoded += before;
                decoded += &String::from_utf8(bytes).unwrap();
            }
            None => decoded += word,
        }
    }
    decoded
}

#[test]
fn a_mail_says_whose_alarms_it_tells_of_and_that_no_person_wrote_it() {
    let mail =
        mail("Scheduler <sched@example.org>", &["ops@example.org", "\"Doe, Jane\" <jane@b.org>"]);
    let letter = letter_of(&mail, 2, "[failed] a: x (...)");
    let (headers, body) = parts(&letter);
    let expected = [
        ("Auto-Submitted", "auto-generated"),
        ("Content-Transfer-Encoding", "7bit"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Date", "Tue, 14 Nov 2023 22:13:20 +0000"),
        ("From", "Scheduler <sched@example.org>"),
        ("Message-ID", "<00000000000000000000000000000007@example.org>"),
        ("Subject", "scheduler online web-1: 2 alarms, [failed] a: x (...)"),
        ("To", "ops@example.org, =?utf-8?b?RG9lLCBKYW5l?= <jane@b.org>"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, BTreeMap::from(expected));
    assert_eq!(body, "scheduler online web-1:42:8c1f6a90\r\n\r\n[failed] a: x (...)\r\n");
    assert_eq!(letter.hello.to_string(), "web-1");
    assert_eq!(letter.from.to_string(), "sched@example.org");
    let to: Vec<_> = letter.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["ops@example.org", "jane@b.org"]);
}

#[test]
fn one_alarm_is_not_counted() {
    let (headers, _) = parts(&letter_of(&mail("a@b.org", &["c@d.org"]), 1, "[clock] off"));
    assert_eq!(headers["Subject"], "scheduler online web-1: [clock] off");
}

#[test]
fn letters_beyond_ascii_arrive_as_they_were_written() {
    let mail = mail("值班 <sched@example.org>", &["运维 <ops@example.org>"]);
    let text = "[failed] 夜间报表: 失败了\n[over] 夜间报表: 又好了";
    let (headers, body) = parts(&letter_of(&mail, 2, text));
    assert_eq!(
        decoded(&headers["Subject"]),
        "scheduler online web-1: 2 alarms, [failed] 夜间报表: 失败了"
    );
    assert_eq!(decoded(&headers["From"]), "值班 <sched@example.org>");
    assert_eq!(decoded(&headers["To"]), "运维 <ops@example.org>");
    assert_eq!(headers["Content-Transfer-Encoding"], "base64");
    let body = BASE64.decode(body.replace("\r\n", "")).unwrap();
    let expected = format!("scheduler online web-1:42:8c1f6a90\n\n{text}\n").replace('\n', "\r\n");
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

#[test]
fn no_text_of_a_row_makes_a_header_or_ends_the_mail() {
    let mail = mail("a@b.org", &["c@d.org"]);
    for key in [
        "a\r\nBcc: x@y.org",
        "a\rBcc: x@y.org",
        "a\u{2028}Bcc: x@y.org\u{85}",
        "a\r\n\r\n<html>",
        "夜\r\nBcc: x@y.org",
        "=?utf-8?q?=0D=0ABcc:_x@y.org?=",
        "\u{1b}[2J\0",
    ] {
        let (headers, _) = parts(&letter_of(&mail, 1, &format!("[failed] {key}: x")));
        assert_eq!(headers.len(), 8, "{headers:?}");
        let subject = decoded(&headers["Subject"]);
        assert!(subject.starts_with("scheduler online web-1: [failed] "), "{subject}");
        assert!(
            !subject.contains(|c: char| c.is_control()) && !subject.contains("=?"),
            "{subject}"
        );
    }
    let (_, body) = parts(&letter_of(&mail, 1, "[failed] a: x\n.\nMAIL FROM:<x@y.org>"));
    assert_eq!(
        body,
        "scheduler online web-1:42:8c1f6a90\r\n\r\n[failed] a: x\r\n.\r\nMAIL FROM:<x@y.org>\r\n"
    );
}

#[test]
fn a_subject_is_cut_and_a_long_line_is_not() {
    let mail = mail("a@b.org", &["c@d.org"]);
    let text = format!("[failed] {}", "k".repeat(2_000));
    let (headers, body) = parts(&letter_of(&mail, 1, &text));
    let subject = decoded(&headers["Subject"]);
    assert_eq!(subject.chars().count(), LONGEST + 1);
    assert!(subject.ends_with("kkk…"), "{subject}");
    assert_eq!(headers["Content-Transfer-Encoding"], "quoted-printable");
    assert!(body.replace("=\r\n", "").contains(&text), "{body}");
}

#[test]
fn a_host_whose_name_is_none_in_the_net_greets_by_an_address() {
    let mail = mail("a@b.org", &["c@d.org"]);
    let now = DateTime::from_timestamp(0, 0).unwrap();
    let message = Message { alarms: 1, text: String::new() };
    for node in ["my host:1:x", "", ":1", "a\r\nRSET", "bücher:1:x"] {
        let speaker = Speaker { environment: "".into(), node: node.into() };
        let letter = letter(&mail, &speaker, &message, now, Uuid::nil()).unwrap();
        assert_eq!(letter.hello.to_string(), "[127.0.0.1]", "{node}");
    }
}

#[test]
fn a_secret_that_a_server_repeats_is_not_repeated() {
    let credentials = Some(("me".to_owned(), "hunter2".into()));
    let protection = config::Protection::Tls;
    let server = MailServer { host: "h".to_owned(), port: 1, protection, credentials };
    let plain = BASE64.encode("\0me\0hunter2");
    let login = BASE64.encode("hunter2");
    let text = format!("no AUTH PLAIN {plain}, no {login}, no hunter2");
    let expected = "no AUTH PLAIN (secret), no (secret), no (secret)";
    assert_eq!(without_secrets(&text, &server), expected);
    let nobody = MailServer { credentials: None, ..server };
    assert_eq!(without_secrets(&text, &nobody), text);
}
