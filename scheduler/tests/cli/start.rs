//! Before any work: arguments, configuration, database, stdout.

use std::{fs, net::TcpListener, process::Stdio};

use serde_json::json;

use crate::support::Home;

const MISSING: &str = "error: sqlite:data/scheduler.db does not exist yet: \
                       run `scheduler` or `scheduler migrate` first";

#[test]
fn verbs_other_than_run_and_migrate_do_not_create_a_database() {
    let home = Home::new("");
    for args in [
        &["check"][..],
        &["task", "list"],
        &["task", "show", "1"],
        &["task", "enable", "1"],
        &[
            "task",
            "add",
            "--key",
            "a",
            "--func",
            "test_cron",
            "--trigger",
            "interval",
            "--spec",
            "5",
        ],
        &["executions", "list"],
        &["executions", "show", "1"],
    ] {
        home.fails(args, 69, MISSING);
    }
    assert!(!home.path().join("data").exists());
}

#[test]
fn migrate_creates_the_tables_and_is_harmless_when_they_are_there() {
    let home = Home::new("demo_rows = true");
    for _ in 0..2 {
        assert_eq!(home.ok(&["migrate"]), "sqlite:data/scheduler.db: done\n");
    }
    assert_eq!(
        home.json(&["migrate"]),
        json!({"database": "sqlite:data/scheduler.db", "done": true})
    );
    assert_eq!(home.json(&["task", "list"]), json!([]), "only `run` loads the demo rows");
}

#[test]
fn a_file_without_our_tables_is_a_matter_of_configuration() {
    let home = Home::new("");
    fs::create_dir(home.path().join("data")).unwrap();
    fs::write(home.path().join("data/scheduler.db"), "").unwrap();
    let text = "error: the tables in sqlite:data/scheduler.db are at version 0, expected 13: run `scheduler migrate`";
    home.fails(&["task", "list"], 78, text);
    let report = home.json(&["check"]);
    assert_eq!(
        report,
        json!({"ok": true, "database": "sqlite:data/scheduler.db", "is_migrated": false, "tasks": []})
    );
    home.fails(&["task", "list"], 78, text);
    fs::write(home.path().join("data/scheduler.db"), "this is no database, ".repeat(100)).unwrap();
    let ran = home.run(&["check"]);
    assert_eq!(ran.code, 69, "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: cannot connect to sqlite:data/scheduler.db: "),
        "{ran:?}"
    );
}

#[test]
fn all_mistakes_of_the_configuration_are_told_at_once() {
    let home = Home::new("timezon = \"UTC\"\nlease = 0");
    let text = "conf/local/common.toml:2: unknown key \"timezon\", did you mean \"timezone\"?\n\
                conf/local/common.toml:3: lease is 0, expected 1s to 1h, \
                as whole seconds or as text such as \"10s\" or \"1h30m\"";
    for verb in ["check", "run", "migrate"] {
        home.fails(&[verb], 78, text);
    }
    assert!(!home.path().join("data").exists(), "nothing is touched before");
    let ran = home.command().args(["check"]).env("APP_ENV", "online").output().unwrap();
    assert_eq!(ran.status.code(), Some(78));
    let ran = home.run(&["--conf", "elsewhere", "check"]);
    assert_eq!(ran.code, 78);
    assert!(ran.stderr.starts_with("elsewhere/local: no such folder"), "{ran:?}");
}

#[test]
fn a_database_that_does_not_answer_is_69() {
    let home = Home::new("");
    // A port that nobody listens on: it was ours a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.write("common", "store = \"mysql\"");
    home.write(
        "mysql",
        &format!("[default]\nhost = \"127.0.0.1\"\nport = {port}\ndb = \"d\"\nuser = \"u\"\npassword = \"hidden\""),
    );
    for verb in ["check", "run", "migrate"] {
        let ran = home.run(&[verb]);
        assert_eq!((ran.code, ran.stdout.as_str()), (69, ""), "{ran:?}");
        let error = ran.stderr.lines().last().unwrap();
        assert!(
            error.starts_with(&format!("error: cannot connect to mysql://u@127.0.0.1:{port}/d: ")),
            "{error}"
        );
        assert!(!ran.stderr.contains("hidden"), "{ran:?}");
    }
}

#[test]
fn usage_mistakes_are_2_and_help_is_0() {
    let home = Home::new("");
    for args in [
        &["frobnicate"][..],
        &["task"],
        &["task", "show"],
        &["task", "show", "one"],
        &["task", "enable"],
        &["executions", "list", "--limit", "0"],
        &["executions", "list", "--limit", "1001"],
        &["executions", "list", "--status", "done"],
        &["next", "cron"],
        &["next", "cron", "@daily", "-n", "0"],
        &["next", "cron", "@daily", "-n", "1001"],
        &["--conf"],
    ] {
        let ran = home.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
    for args in [&["--help"][..], &["--version"], &["task", "--help"], &["next", "--help"]] {
        assert!(!home.ok(args).is_empty());
    }
}

#[test]
fn a_closed_stdout_ends_quietly() {
    let home = Home::new("");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = home
        .command()
        .args(["next", "interval", "1", "-n", "1000"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((ran.status.code(), ran.stderr.as_slice()), (Some(0), &b""[..]));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = home.command().arg("jobs").stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "a full disk is a failure");
}

#[test]
fn jobs_lists_what_is_linked_with_its_place() {
    let home = Home::new("");
    let jobs = home.json(&["jobs"]);
    let names: Vec<&str> =
        jobs.as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["post_notice", "test_cron", "test_date", "test_interval"]);
    assert_eq!(jobs[1]["function"], "jobs::cron::test_cron::test_cron");
    assert_eq!(jobs[1]["args"], "Args");
    assert_eq!(
        jobs[0]["options"],
        serde_json::json!({ "timeout": "1m", "retries": 3, "backoff": "5s..5m" })
    );
    assert_eq!(jobs[1]["file"], "jobs/src/cron/test_cron.rs");
    assert!(jobs[1]["line"].is_u64());
    assert!(home.ok(&["jobs"]).starts_with("name "));
}

#[test]
fn a_machine_without_certificates_is_no_reason_not_to_start() {
    let home = Home::new("");
    let mut command = home.command();
    command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
    let output = command.arg("jobs").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
