//! Log files: several programs write one, and a full disk costs lines and nothing else.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, eventually},
};

/// What `chatty` logs in one run.
const LINES_A_RUN: usize = 2_000;

/// The lines of all files in `folder`; each is one JSON object.
fn lines(folder: &Path) -> Vec<Value> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|path| fs::read_to_string(path).unwrap());
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("torn: {line}"));
    texts.flat_map(|text| text.lines().map(parse).collect::<Vec<_>>()).collect()
}

/// The trace ids of the runs that succeeded.
fn succeeded(home: &Home, task: i64) -> Vec<String> {
    let rows = home.executions(task).into_iter().filter(|row| row["status"] == "success");
    rows.map(|row| row["trace_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_programs_write_one_file_that_rolls_over_and_no_line_is_lost_or_torn() {
    let (one, other) = (Home::migrated(QUICK), Home::migrated(QUICK));
    let folder = one.path().join("logs");
    let logger = format!(
        "[root]\nfilename = \"{}/all.log\"\nmaxBytes = 100000\nbackupCount = 1000\n",
        folder.display()
    );
    let started = [&one, &other].map(|home| {
        home.write("logger", &logger);
        let task = home.insert("chatty", "chatty", "interval", "1");
        (home, task, Running::spawn(&mut program::command(home, &["run"])))
    });
    for (home, task, _) in &started {
        eventually("three runs", || (succeeded(home, *task).len() >= 3).then_some(()));
    }
    let runs = started.map(|(home, task, mut scheduler)| {
        scheduler.signal("TERM");
        assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
        assert_eq!(scheduler.count(&["levelname"]), 0, "nothing on stderr");
        succeeded(home, task)
    });
    let mut of_run: HashMap<String, usize> = HashMap::new();
    for line in lines(&folder).iter().filter(|line| line["line"].is_u64()) {
        *of_run.entry(line["trace_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for run in runs.concat() {
        assert_eq!(of_run.get(&run), Some(&LINES_A_RUN), "{run}");
    }
    let sizes =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    let sizes: Vec<u64> = sizes.collect();
    assert!(sizes.len() > 10, "{sizes:?}");
}

#[test]
fn a_full_disk_costs_lines_and_nothing_else_and_is_said_until_there_is_room() {
    // In a space of its own, so that nobody needs to be root.
    let mut mount = Command::new("unshare");
    mount.args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null());
    if !mount.status().is_ok_and(|status| status.success()) {
        return eprintln!("not tried: nothing can be mounted here");
    }
    let home = Home::migrated(QUICK);
    home.write(
        "logger",
        "[root]\nfilename = \"logs/all.log\"\nmaxBytes = 16000\nbackupCount = 100\n",
    );
    fs::create_dir(home.path().join("logs")).unwrap();
    let task = home.insert("chatty", "chatty", "interval", "1");
    let inner = program::command(&home, &["run"]);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", "mount -t tmpfs -o size=128k none logs && exec \"$@\"", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(home.path());
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap());
    }
    let mut scheduler = Running::spawn(&mut command);
    scheduler.says(&["the log file cannot be written", "logs/all.log", "os error 28"]);
    let before = succeeded(&home, task).len();
    eventually("two more runs", || (succeeded(&home, task).len() >= before + 2).then_some(()));
    assert_eq!(scheduler.count(&["cannot be written"]), 1, "said once");
    // As it sees its disk.
    let logs = format!("/proc/{}/root{}/logs", scheduler.id(), home.path().display());
    let logs = Path::new(&logs);
    let wanted = |name: &Path| name.extension().is_some_and(|end| end != "log");
    let full = fs::read_dir(logs).unwrap().map(|entry| entry.unwrap().path());
    let full: Vec<_> = full.filter(|path| wanted(path)).collect();
    assert!(full.len() > 3, "{full:?}");
    lines(logs);
    full.iter().for_each(|path| fs::remove_file(path).unwrap());
    scheduler.says(&["the log file is written again", "\"lost\""]);
    let is_said = |line: &Value| line["msg"] == "lines of this log file were lost";
    eventually("a word in the file", || lines(logs).iter().any(is_said).then_some(()));
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
}
