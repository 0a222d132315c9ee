//! Log files: several programs write one, and a full disk costs lines and nothing else. And what a run logs, beside its
//! execution.

use std::{
    collections::HashMap,
    fs, io,
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
    let texts = || -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|entry| fs::read_to_string(entry?.path())).collect()
    };
    // A file that was listed is renamed, or gone, while the program rolls over.
    let texts = eventually("files that stay where they are", || texts().ok());
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("torn: {line}"));
    texts.iter().flat_map(|text| text.lines().map(parse).collect::<Vec<_>>()).collect()
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
    let is_said = |line: &Value| {
        line["msg"] == "the log file is written again" && line["lost"].as_u64() > Some(0)
    };
    eventually("a word in the file", || lines(logs).iter().any(is_said).then_some(()));
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
}

#[test]
fn what_a_run_logs_is_shown_while_it_runs_and_followed_to_its_end() {
    let home = Home::migrated(QUICK);
    home.insert("patient", "patient", "date", "now");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    scheduler.says(&["patient began"]);
    let mut following =
        Running::spawn_reading_stdout(home.command().args(["executions", "log", "1", "--follow"]));
    following.says(&["INFO", "run::program: patient began"]);
    assert_eq!(home.json(&["executions", "show", "1"])["status"], "todo");
    let lines = home.json(&["executions", "log", "1"]);
    assert_eq!(
        (&lines[0]["msg"], &lines[0]["levelname"]),
        (&"patient began".into(), &"INFO".into())
    );
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    assert_eq!(following.ends_within(Duration::from_secs(10)), 0);
    assert_eq!(following.count(&["patient began"]), 1);
    assert_eq!(home.executions(1)[0]["status"], "success");
    home.fails(&["executions", "log", "7"], 1, "error: execution 7 does not exist");
}

#[test]
fn of_a_run_that_logs_much_the_first_and_the_last_lines_are_kept() {
    let home = Home::migrated(QUICK);
    let task = home.insert("chatty", "chatty", "date", "now");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    eventually("a success", || (!succeeded(&home, task).is_empty()).then_some(()));
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    let lines = home.json(&["executions", "log", "1"]);
    let lines = lines.as_array().unwrap();
    let number = |line: &Value| line["line"].as_u64();
    assert_eq!(number(&lines[0]), Some(0));
    assert_eq!(number(&lines[lines.len() - 1]), Some(LINES_A_RUN as u64 - 1));
    let gap = lines.iter().position(|line| line["dropped"].is_u64()).unwrap();
    let first = number(&lines[gap - 1]).unwrap();
    let last = number(&lines[gap + 1]).unwrap();
    assert_eq!(lines[gap]["dropped"], last - first - 1);
    assert_eq!(lines.len() as u64, LINES_A_RUN as u64 - (last - first - 1) + 1);
    let bytes: usize = lines.iter().map(|line| line.to_string().len()).sum();
    assert!((200 * 1024..=260 * 1024).contains(&bytes), "{bytes} bytes");
    assert!(home.ok(&["executions", "log", "1"]).contains("lines were dropped"));
}
