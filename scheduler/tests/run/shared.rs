//! What the program shares with its jobs, and what it refuses to share.

use std::time::Duration;

use scheduler_core::store::NewTask;

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, eventually, row},
};

#[test]
fn a_job_gets_state_settings_and_its_deadline_and_what_it_spawns_outlives_it_under_its_trace_id() {
    let home = Home::migrated(QUICK);
    let task = NewTask {
        extra: "{\"timeout\": 3600}".to_owned(),
        ..row("shares", "shares", "date", "now")
    };
    let task = home.insert_row(&task);
    let store = "store = \"sqlite:data/scheduler.db\"";
    let limits = "[app.limits]\nper_hour = 7\nname = \"file\"";
    home.write("common", &format!("{store}\n{QUICK}\n{limits}\n"));
    let mut command = program::command(&home, &["run"]);
    command.env("SCHEDULER__COMMON__APP__LIMITS__PER_HOUR", "25");
    let mut scheduler = Running::spawn(&mut command);
    scheduler.says(&[
        "\"hello\"",
        "\"limits.per_hour\":25",
        "\"limits.name\":\"file\"",
        "\"has_an_hour\":true",
    ]);
    scheduler.says(&["left behind"]);
    // The program as shipped, which tells of the executions, knows no such section.
    home.write("common", store);
    let row = eventually("a success on record", || {
        home.executions(task).into_iter().find(|row| row["status"] == "success")
    });
    assert_eq!(scheduler.count(&["left behind", row["trace_id"].as_str().unwrap()]), 1);
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(2)), 0);
}

/// All verbs that run jobs or judge rows say the same, before they touch anything.
#[track_caller]
fn refused(home: &Home, env: &[(&str, &str)], said: &[&str]) {
    for verb in ["check", "run", "migrate"] {
        let mut command = program::command(home, &[verb]);
        let output = command.envs(env.iter().copied()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{verb}: {stderr}");
        for part in said {
            assert!(stderr.contains(part), "{verb} does not say {part:?}: {stderr}");
        }
    }
    assert!(!home.path().join("data").exists());
}

#[test]
fn a_wrong_section_is_refused_with_all_other_mistakes() {
    let home = Home::new("lease = 0\n[app.limits]\nper_hour = \"hunter2\"\n[app.limit]");
    refused(
        &home,
        &[],
        &[
            "conf/local/common.toml:2: lease is 0, expected 1s to 1h",
            "conf/local/common.toml:4: [app.limits] per_hour is text, expected u32\n",
            "conf/local/common.toml:5: [app] unknown table \"limit\", did you mean \"limits\"?\n",
        ],
    );
    let name = "SCHEDULER__COMMON__APP__LIMITS__PER_HOUR";
    let said = format!("environment {name}: the value (not shown) is refused, expected u32\n");
    refused(&Home::new(""), &[(name, "many")], &[&said]);
}

#[test]
fn what_is_registered_twice_is_refused_with_both_places() {
    let said =
        ["error: state of type run::program::Greeting: registered at ", "program.rs:", " and "];
    refused(&Home::new(""), &[(program::TWICE, "")], &said);
}

#[test]
fn a_section_that_no_job_declares_is_refused_and_the_known_ones_are_named() {
    let home = Home::new("[app.mail]\nhost = \"h\"");
    home.fails(
        &["check"],
        78,
        "conf/local/common.toml:2: [app] unknown table \"mail\", expected one of webhooks",
    );
}
