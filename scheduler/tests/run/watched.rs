//! Health and figures, asked by HTTP while the scheduler runs.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, LISTEN, eventually},
};

/// A scheduler that listens somewhere, and where.
fn start(home: &Home) -> (Running, String) {
    let mut command = program::command(home, &["run"]);
    let mut scheduler = Running::spawn(command.env(LISTEN, "127.0.0.1:0"));
    scheduler.says(&["listening"]);
    let line = scheduler.seen.iter().find(|line| line.contains("listening")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    (scheduler, line["address"].as_str().unwrap().to_owned())
}

/// Status and body; 0 if nobody answers.
fn get(address: &str, path: &str) -> (u16, String) {
    let ask = || {
        let mut connection = TcpStream::connect(address)?;
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        io::read_to_string(connection)
    };
    let answer = ask().unwrap_or_default();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.unwrap_or_default(), body.unwrap_or_default())
}

/// The figure of a series, by its whole name.
fn figure(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in {metrics}")).parse().unwrap()
}

#[test]
fn its_figures_are_those_of_the_rows() {
    let home = Home::migrated(QUICK);
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let failing = home.insert("failing", "clumsy", "interval", "1");
    let skipped = home.insert("skipped", "patient", "interval", "1");
    home.insert("rejected", "nobody", "interval", "1");
    let (scheduler, address) = start(&home);
    let count = |task| home.executions(task).len();
    eventually("three of each", || {
        [quick, failing, skipped].iter().all(|task| count(*task) >= 4).then_some(())
    });
    // From now on nothing is claimed, and all that runs is recorded.
    for task in [quick, failing, skipped] {
        home.ok(&["task", "disable", &task.to_string()]);
    }
    let metrics = eventually("nothing but the patient one runs", || {
        let metrics = get(&address, "/metrics").1;
        let is_quiet = figure(&metrics, "scheduler_waiting{for=\"running\"}") == 1.0
            && figure(&metrics, "scheduler_waiting{for=\"recording\"}") == 0.0
            && figure(&metrics, "scheduler_tasks{state=\"disabled\"}") == 3.0;
        is_quiet.then_some(metrics)
    });
    let mut rows: BTreeMap<String, f64> = BTreeMap::new();
    for row in [quick, failing, skipped].iter().flat_map(|task| home.executions(*task)) {
        *rows.entry(row["status"].as_str().unwrap().to_owned()).or_default() += 1.0;
    }
    assert_eq!(rows.remove("todo"), Some(1.0), "the patient one");
    assert!(rows.contains_key("skipped") && rows.contains_key("fail"), "{rows:?}");
    for status in ["success", "fail", "timeout", "lost", "cancelled", "missed", "skipped"] {
        let counted =
            figure(&metrics, &format!("scheduler_executions_total{{status=\"{status}\"}}"));
        assert_eq!(counted, rows.get(status).copied().unwrap_or_default(), "{status}: {rows:?}");
    }
    let ran = rows["success"] + rows["fail"];
    assert_eq!(figure(&metrics, "scheduler_run_seconds_count"), ran);
    assert_eq!(figure(&metrics, "scheduler_start_delay_seconds_count"), ran);
    let closed: f64 = rows.values().sum();
    assert_eq!(figure(&metrics, "scheduler_claims_total{answer=\"won\"}"), closed + 1.0);
    assert_eq!(figure(&metrics, "scheduler_tasks{state=\"rejected\"}"), 1.0);
    assert_eq!(figure(&metrics, "scheduler_ready"), 1.0);
    scheduler.signal("KILL");
}

#[test]
fn it_is_alive_and_ready_until_it_stops_and_the_command_line_can_ask() {
    let home = Home::migrated("shutdown_timeout = \"20s\"\nsync_interval = \"100ms\"");
    let task = home.insert("stubborn", "stubborn", "interval", "1");
    let (mut scheduler, address) = start(&home);
    eventually("it is ready", || (get(&address, "/readyz").0 == 200).then_some(()));
    assert_eq!(get(&address, "/healthz"), (200, "alive\n".to_owned()));
    let check = |args: &[&str]| {
        let mut command = home.command();
        let output = command.env(LISTEN, &address).arg("healthcheck").args(args).output().unwrap();
        crate::support::Ran::of(output)
    };
    assert_eq!((check(&[]).code, check(&[]).stdout), (0, "alive\n".to_owned()));
    assert_eq!((check(&["--ready"]).code, check(&["--ready"]).stdout), (0, "ready\n".to_owned()));
    // It waits for this one for 20 s.
    eventually("it runs", || {
        home.executions(task).iter().find(|row| row["status"] == "todo").cloned()
    });
    scheduler.signal("TERM");
    let stopping = eventually("it says so", || {
        let answer = get(&address, "/readyz");
        (answer.0 != 200).then_some(answer)
    });
    assert_eq!(stopping, (503, "it is stopping\n".to_owned()));
    let ran = check(&["--ready"]);
    assert_eq!(
        (ran.code, ran.stdout, ran.stderr),
        (1, String::new(), "it is stopping\n".to_owned())
    );
    let ran = check(&["--ready", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected = serde_json::json!({ "is_well": false, "answer": "it is stopping" });
    assert_eq!((ran.code, said, ran.stderr), (1, expected, String::new()));
    assert_eq!(check(&[]).code, 0, "who stops in order is alive");
    scheduler.signal("TERM");
    scheduler.ends_within(Duration::from_secs(5));
    let ran = check(&[]);
    assert_eq!(ran.code, 1);
    let refused =
        format!("error: no scheduler answers at {address}: Connection refused (os error 111)\n");
    assert_eq!(ran.stderr, refused);
    let off = home.run(&["healthcheck"]);
    let nobody = "[http] listen is \"off\", expected an address: nobody can be asked\n";
    assert_eq!((off.code, &*off.stderr), (1, nobody));
}
