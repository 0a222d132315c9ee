//! Alarms, told to a server of the test's own.

use std::time::Duration;

use serde_json::Value;

use crate::{
    process::{QUICK, Running},
    program,
    support::{
        Home, Ran, eventually,
        stub::{Manner, Request, Stub},
    },
};

const fn says(body: &'static str) -> Manner {
    Manner::Answers("200 OK", body)
}

const FINE: Manner = says(r#"{"errcode":0,"errmsg":"ok"}"#);
const TOO_OFTEN: Manner = says(r#"{"errcode":130101,"errmsg":"send too fast"}"#);

/// A robot of DingTalk.
struct Robot(Stub);

impl Robot {
    /// Treats the first requests so, and all others as the last of them.
    fn start(manners: &'static [Manner]) -> Self {
        Self(Stub::start(manners))
    }

    fn configuration(&self) -> String {
        format!(
            "{QUICK}\n[alarms.channels.ops]\nkind = \"dingtalk\"\nsecret = \"SECtest-secret-0001\"\n\
             url = \"http://{}/robot/send?access_token=T\"\n",
            self.0.address
        )
    }

    /// The next message: its lines.
    fn hears(&self) -> Vec<String> {
        let Request { head, body } =
            self.0.requests.recv_timeout(Duration::from_secs(20)).expect("a message");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(head.starts_with("POST /robot/send?access_token=T&timestamp="), "{head}");
        assert!(head.contains("&sign="), "{head}");
        let text = body["text"]["content"].as_str().unwrap_or_else(|| panic!("{body}"));
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_run_that_fails_is_told_once_with_its_trace_id_and_then_counted() {
    let robot = Robot::start(&[FINE]);
    let home = Home::migrated(&robot.configuration());
    let task = home.insert("clumsy", "clumsy", "interval", "1");
    home.insert("rejected", "nobody", "interval", "1");
    let mut command = program::command(&home, &["run"]);
    // Nobody is there, and it is not asked for what goes without TLS.
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
    let mut scheduler = Running::spawn(&mut command);
    let lines = robot.hears();
    assert!(
        lines[0].starts_with("scheduler local ") && lines[0].contains(&scheduler.id().to_string()),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("[failed] clumsy: execution "), "{lines:?}");
    let is_named = |row: &Value| lines[1].contains(row["trace_id"].as_str().unwrap());
    assert!(home.executions(task).iter().any(is_named), "{lines:?}");
    assert!(lines[2].starts_with("[rejected] task 2: "), "{lines:?}");
    eventually("five more", || (home.executions(task).len() > 6).then_some(()));
    // It ends with what it had not told yet.
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    let lines = robot.hears();
    assert!(
        lines[1].starts_with("[failed] clumsy: ") && lines[1].contains(" times from "),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
    assert!(robot.0.requests.try_recv().is_err(), "two messages in all");
}

#[test]
fn a_robot_that_hangs_or_throttles_delays_no_run_and_is_left_alone() {
    let robot = Robot::start(&[Manner::Hangs, TOO_OFTEN, FINE]);
    let home = Home::migrated(&robot.configuration());
    let clumsy = home.insert("clumsy", "clumsy", "interval", "1");
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    robot.hears();
    // Tried again after its 5 s.
    scheduler.says(&["alarms do not arrive", "ops"]);
    robot.hears();
    let started: Vec<i64> = home.executions(quick).iter().filter_map(late_ms).collect();
    assert!(started.len() >= 8 && started.iter().all(|late| *late < 900), "{started:?}");
    assert!(home.executions(clumsy).len() >= 8);
    let metrics_say = scheduler.count(&["alarms do not arrive"]);
    assert_eq!(metrics_say, 1, "it is said once");
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    // Also at the end: what it does not hear any more is said in the log.
    scheduler.says(&["channel\":\"ops\"", "alarms did not arrive before the stop, and are lost"]);
    assert!(robot.0.requests.try_recv().is_err());
}

pub(crate) fn late_ms(row: &Value) -> Option<i64> {
    let at = |column: &str| row[column].as_str()?.parse::<chrono::DateTime<chrono::Utc>>().ok();
    Some((at("started_at")? - at("scheduled_at")?).num_milliseconds())
}

#[test]
fn whether_alarms_arrive_can_be_tried() {
    const REFUSED: Manner = says(r#"{"errcode":310000,"errmsg":"sign not match"}"#);
    let robot = Robot::start(&[FINE, REFUSED]);
    let home = Home::new(&robot.configuration());
    assert_eq!(home.ok(&["alarm", "test"]), "channel  message  reason\nops      arrived\n");
    assert_eq!(robot.hears()[1], "[test] this is how an alarm arrives");
    let ran: Ran = home.run(&["alarm", "test", "ops"]);
    let refused =
        "channel  message  reason\nops      refused  it answers errcode 310000: sign not match\n";
    assert_eq!((ran.code, &*ran.stdout), (1, refused));
    home.fails(
        &["alarm", "test", "boss"],
        2,
        "error: channel \"boss\" is not known, expected one of: ops",
    );
    let nobody = Home::new("");
    let ran = nobody.run(&["alarm", "test"]);
    let none = "nobody is told: [alarms.channels] in common.toml names no channel\n";
    assert_eq!((ran.code, &*ran.stderr), (1, none), "a check before a release must not pass");
}
