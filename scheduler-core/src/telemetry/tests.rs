//! Lines as they are written, in both shapes.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::*;
use crate::config::LoggerTable;

/// What was written, byte by byte.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logger(levels: &[(&str, Level)]) -> Logger {
    let table = |(name, level): &(&str, Level)| {
        ((*name).to_owned(), LoggerTable { level: *level, file: None, stderr: true })
    };
    Logger { loggers: levels.iter().map(table).collect() }
}

type NoFile = (&'static Path, fn() -> Captured);
const NO_FILES: Vec<NoFile> = Vec::new();

/// Gives every thread of this process somebody who listens. Without, a place in the code that one thread passes first, to
/// whom nobody listens, is taken for one that never interests anybody, also where another thread's test listens later.
pub(crate) fn listen_on_every_thread() {
    let _ = tracing::subscriber::set_global_default(Registry::default());
}

fn with(subscriber: impl Subscriber + Send + Sync, act: impl FnOnce()) {
    listen_on_every_thread();
    tracing::subscriber::with_default(subscriber, act);
}

/// The lines that `act` logs.
fn lines(levels: &[(&str, Level)], is_terminal: bool, act: impl FnOnce()) -> Vec<String> {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = subscriber(&logger(levels), move || writer.clone(), is_terminal, NO_FILES);
    with(subscriber, act);
    let bytes = captured.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// The same in JSON, parsed, after a look that no key stands twice in a line.
fn objects(levels: &[(&str, Level)], act: impl FnOnce()) -> Vec<Value> {
    let parse = |line: String| {
        let value: Value = serde_json::from_str(&line).unwrap();
        for key in value.as_object().unwrap().keys() {
            assert_eq!(line.matches(&format!("\"{key}\":")).count(), 1, "{line}");
        }
        value
    };
    lines(levels, false, act).into_iter().map(parse).collect()
}

fn span_of(trace_id: &str, task_key: &str, execution_id: i64) -> Span {
    run_span(trace_id, task_key, execution_id, &RunLog::new(Arc::default()))
}

const INFO: &[(&str, Level)] = &[("root", Level::Info)];
const WARN: &[(&str, Level)] = &[("root", Level::Warn)];

#[test]
fn a_line_of_a_run_names_the_run_even_if_only_warnings_are_written() {
    let act = || {
        let _run = span_of("trace-1", "daily", 7).entered();
        tracing::info!("hidden");
        tracing::warn!(duration_ms = 12, "slow");
    };
    let json = objects(WARN, act);
    assert_eq!(json.len(), 1);
    for (key, expected) in [
        ("trace_id", Value::from("trace-1")),
        ("task.key", "daily".into()),
        ("execution.id", 7.into()),
        ("levelname", "WARNING".into()),
        ("msg", "slow".into()),
        ("duration_ms", 12.into()),
        ("name", module_path!().into()),
    ] {
        assert_eq!(json[0][key], expected, "{key}");
    }
    let text = lines(WARN, true, act);
    assert_eq!(text.len(), 1);
    for part in ["WARN", "trace_id=\"trace-1\"", "execution.id=7", "slow", "duration_ms=12"] {
        assert!(text[0].contains(part), "{part}: {}", text[0]);
    }
}

#[test]
fn the_run_is_named_for_a_target_that_logs_errors_only_or_by_a_filter_of_nothing() {
    let levels = [("root", Level::Off), ("loud", Level::Error)];
    let json = objects(&levels, || {
        let _run = span_of("t", "k", 1).entered();
        tracing::error!(target: "loud", "failed");
        tracing::error!("hidden");
    });
    assert_eq!(json.len(), 1);
    assert_eq!(json[0]["trace_id"], "t");
}

#[test]
fn a_line_says_when_and_where_with_the_names_of_the_original() {
    let json = objects(INFO, || tracing::info!("now"));
    let line = json[0].as_object().unwrap();
    let names: std::collections::BTreeSet<&str> = line.keys().map(String::as_str).collect();
    let expected =
        ["host_ip", "host_name", "levelname", "msg", "name", "time_fmt", "timestamp"].into();
    assert_eq!(names, expected);
    // A float in JSON, as Python's is; compared as text, which is exact.
    let seconds = line["timestamp"].to_string();
    let local = line["time_fmt"].as_str().unwrap();
    let parsed = chrono::NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S,%3f").unwrap();
    let instant = parsed.and_local_timezone(chrono::Local).earliest().unwrap();
    let from_local = instant.timestamp_millis();
    let (whole, fraction) = seconds.split_once('.').unwrap();
    assert_eq!(format!("{whole}{fraction:0<3}"), from_local.to_string());
    assert!((utc_now() - instant.to_utc()).num_seconds().abs() < 60, "{seconds}");
    assert!(line["host_ip"].as_str().unwrap().parse::<std::net::IpAddr>().is_ok(), "{line:?}");
}

#[test]
fn each_level_has_the_name_that_python_gives_it() {
    let json = objects(&[("root", Level::Trace)], || {
        tracing::trace!("");
        tracing::debug!("");
        tracing::info!("");
        tracing::warn!("");
        tracing::error!("");
    });
    let names: Vec<_> = json.iter().map(|line| line["levelname"].as_str().unwrap()).collect();
    assert_eq!(names, ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"]);
}

#[test]
fn hostile_text_is_one_line_without_control_characters() {
    const HOSTILE: &str =
        "a\nb\r\n{\"level\":\"ERROR\"}\u{1b}[31m\u{0}\u{7f}\u{9b}\u{2028}\u{202e}\"\\";
    let act = || {
        let _run = span_of("t", HOSTILE, 1).entered();
        tracing::info!(shown = %HOSTILE, debug = ?HOSTILE, plain = HOSTILE, "said {HOSTILE}");
        tracing::info!(HOSTILE);
    };
    let is_bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
    let raw = lines(INFO, false, act);
    assert_eq!(raw.len(), 2);
    assert!(!raw.concat().chars().any(is_bad), "{raw:?}");
    let json = objects(INFO, act);
    assert_eq!(json[0]["msg"], format!("said {HOSTILE}"));
    assert_eq!(json[0]["plain"], HOSTILE);
    assert_eq!(json[0]["task.key"], HOSTILE);
    let text = lines(INFO, true, act);
    assert_eq!(text.len(), 2, "{text:?}");
    // Colours are the only control characters; the hostile one is not among them.
    assert!(!text.concat().contains("\u{1b}[31m"), "{text:?}");
    let uncoloured = text.concat().replace('\u{1b}', "");
    assert!(!uncoloured.chars().any(is_bad), "{text:?}");
}

#[test]
fn a_field_never_takes_a_name_twice() {
    let json = objects(INFO, || {
        let _run = span_of("t", "k", 1).entered();
        let _inner = tracing::info_span!("run", trace_id = "false", user = 1).entered();
        tracing::info!(
            levelname = "false",
            name = "false",
            timestamp = 0,
            user = 2,
            r#type = 3,
            "x"
        );
    });
    let line = &json[0];
    assert_eq!((&line["trace_id"], &line["levelname"]), (&"t".into(), &"INFO".into()));
    assert_eq!(
        (&line["field.trace_id"], &line["field.levelname"]),
        (&"false".into(), &"false".into())
    );
    assert_eq!((&line["user"], &line["type"]), (&2.into(), &3.into()));
}

#[test]
fn a_value_that_is_recorded_later_is_written() {
    let json = objects(INFO, || {
        let span = tracing::info_span!("step", rows = tracing::field::Empty).entered();
        tracing::info!("before");
        span.record("rows", 3);
        tracing::info!("after");
    });
    assert_eq!((&json[0]["rows"], &json[1]["rows"]), (&Value::Null, &3.into()));
}

/// The targets out of a few whose line of level `info` is written.
#[track_caller]
fn check_targets(levels: &[(&str, Level)], expected: &[&str]) {
    let json = objects(levels, || {
        tracing::info!(target: "scheduler_core::run", "");
        tracing::info!(target: "scheduler", "");
        tracing::info!(target: "jobs::daily", "");
        tracing::info!(target: "sqlx::query", "");
        tracing::info!(target: "hyper", "");
    });
    let written: Vec<_> = json.iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(written, expected, "{levels:?}");
}

#[test]
fn each_table_governs_its_targets() {
    use Level::{Debug, Info, Off, Warn};
    let all = ["scheduler_core::run", "scheduler", "jobs::daily", "sqlx::query", "hyper"];
    check_targets(&[], &all);
    check_targets(&[("root", Info)], &all);
    check_targets(&[("root", Warn)], &[]);
    check_targets(&[("root", Off)], &[]);
    check_targets(&[("root", Info), ("other", Warn)], &all[..3]);
    check_targets(&[("root", Warn), ("apscheduler", Info)], &all[..2]);
    check_targets(&[("root", Warn), ("jobs", Debug)], &all[2..3]);
    check_targets(&[("root", Info), ("other", Warn), ("sqlx::query", Info)], &all[..4]);
    check_targets(&[("apscheduler", Warn), ("scheduler", Info)], &all[1..]);
}

#[test]
fn what_the_driver_repeats_of_each_connection_is_left_out_unless_it_is_asked_for() {
    let lines = |levels: &[(&str, Level)]| {
        let lines = objects(levels, || {
            tracing::error!(target: "sqlx_core::pool::inner", "error returned from after_connect");
        });
        lines.len()
    };
    assert_eq!(lines(&[]), 0);
    assert_eq!(lines(&[("root", Level::Debug), ("other", Level::Info)]), 0);
    assert_eq!(lines(&[("sqlx_core::pool::inner", Level::Error)]), 1);
}

/// What goes to stderr, and into files of these names, of five lines.
fn routes(tables: &[(&str, Option<&str>, bool)]) -> Vec<Vec<String>> {
    let table = |(name, file, stderr): &(&str, Option<&str>, bool)| {
        let file = file.map(|path| LogFile { path: path.into(), max_bytes: 0, backups: 0 });
        ((*name).to_owned(), LoggerTable { level: Level::Info, file, stderr: *stderr })
    };
    let logger = Logger { loggers: tables.iter().map(table).collect() };
    let stderr = Captured::default();
    let files = ["a.log", "b.log"].map(|name| (Path::new(name), Captured::default()));
    let writers = files.clone().map(|(path, file)| (path, move || file.clone()));
    let writer = stderr.clone();
    let subscriber = subscriber(&logger, move || writer.clone(), false, writers.into());
    with(subscriber, || {
        let _run = span_of("trace-1", "daily", 7).entered();
        tracing::info!(target: "scheduler_core::run", "");
        tracing::info!(target: "jobs::daily", "");
        tracing::info!(target: "jobs::mail::smtp", "");
        tracing::info!(target: "hyper", "");
        tracing::info!(target: COMPLAINTS, "");
    });
    let written = [stderr].into_iter().chain(files.map(|(_, file)| file));
    written
        .map(|captured| {
            let bytes = captured.0.lock().unwrap().clone();
            let text = String::from_utf8(bytes).unwrap();
            let lines = text.lines().map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!(
                    (&line["trace_id"], &line["task.key"]),
                    (&"trace-1".into(), &"daily".into())
                );
                line["name"].as_str().unwrap().to_owned()
            });
            lines.collect()
        })
        .collect()
}

#[test]
fn each_line_goes_where_the_table_of_its_longest_name_says_and_nowhere_else() {
    let (core, daily, smtp, library) =
        ("scheduler_core::run", "jobs::daily", "jobs::mail::smtp", "hyper");
    let (a, b) = (Some("a.log"), Some("b.log"));
    let none: [&str; 0] = [];
    let all = [core, daily, smtp, library];
    assert_eq!(routes(&[("root", None, true)])[0], [&all[..], &[COMPLAINTS]].concat());
    // What the log says of its own files goes to stderr alone.
    let only_files = routes(&[("root", a, false)]);
    assert_eq!(only_files, [vec![COMPLAINTS], all.to_vec(), none.to_vec()]);
    let both = routes(&[("root", a, true), ("jobs", b, false)]);
    assert_eq!(both, [vec![core, library, COMPLAINTS], vec![core, library], vec![daily, smtp]]);
    let tables = [
        ("root", None, true),
        ("other", a, false),
        ("apscheduler", b, false),
        ("jobs", a, false),
        ("jobs::mail", b, true),
    ];
    let many = routes(&tables);
    assert_eq!(many, [vec![smtp, COMPLAINTS], vec![daily, library], vec![core, smtp]]);
}

/// A pipe that nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_stderr_is_counted_and_ends_nothing() {
    for is_terminal in [true, false] {
        let before = lost_lines();
        let subscriber = subscriber(&logger(INFO), || Closed, is_terminal, NO_FILES);
        with(subscriber, || {
            tracing::info!("one");
            tracing::info!("two");
        });
        assert_eq!(lost_lines() - before, 2);
    }
}

#[test]
fn a_second_start_is_an_error() {
    listen_on_every_thread();
    let error = init(&Logger::default()).unwrap_err();
    assert_eq!(error.to_string(), "logging is already set up in this process");
}

/// What a run kept: its parts, each of them taken as if it was written, and whether the last one was the end.
fn kept(log: &RunLog) -> (Vec<Value>, bool) {
    let mut lines = Vec::new();
    let mut is_over = false;
    while let Some((_, content)) = log.part() {
        lines.extend(content.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        is_over = log.written();
    }
    (lines, is_over)
}

fn with_log(act: impl FnOnce(&RunLog)) {
    let subscriber = subscriber(&logger(INFO), Captured::default, false, NO_FILES);
    with(subscriber, || {
        let log = RunLog::new(Arc::default());
        let _run = run_span("t", "k", 1, &log).entered();
        act(&log);
    });
}

#[test]
fn what_is_logged_in_a_run_is_kept_with_its_own_fields_and_in_parts() {
    with_log(|log| {
        tracing::info!(rows = 3, name = "x", "one");
        tracing::debug!("hidden");
        let first = log.part().unwrap();
        assert_eq!(first.0, 1);
        tracing::warn!("two");
        assert_eq!(log.part().as_ref(), Some(&first), "until it was written");
        assert!(!log.written());
        let line: Value = serde_json::from_str(&first.1).unwrap();
        let expected = [("msg", "one"), ("levelname", "INFO"), ("field.name", "x")];
        expected.iter().for_each(|(name, value)| assert_eq!(line[name], *value, "{name}"));
        assert_eq!((&line["rows"], &line["trace_id"]), (&3.into(), &Value::Null));
        assert!(log.end());
        let second = log.part().unwrap();
        assert!(second.0 == 2 && second.1.contains("two"), "{second:?}");
        assert!(log.written(), "that was the last");
        tracing::info!("by a task that outlives the run");
        assert_eq!(log.part(), None);
    });
    with_log(|log| assert!(!log.end(), "nothing to write"));
}

#[test]
fn of_two_runs_within_each_other_and_of_none_each_line_has_its_place() {
    with_log(|log| {
        let other = RunLog::new(Arc::default());
        span_of("u", "l", 2).in_scope(|| tracing::info!("the outer run's"));
        let span = run_span("v", "m", 3, &other);
        tracing::Span::none().in_scope(|| tracing::info!("still the outer run's"));
        std::thread::scope(|scope| {
            // On another thread nothing is entered.
            scope.spawn(|| tracing::info!("nobody's"));
        });
        drop(span);
        assert_eq!(kept(log).0.len(), 2);
        assert_eq!(kept(&other).0.len(), 0);
    });
}

#[test]
fn a_run_that_logs_without_end_keeps_its_first_and_last_lines_and_says_how_many_are_missing() {
    with_log(|log| {
        let text = "x".repeat(1_000);
        (0..1_000).for_each(|number| tracing::info!(number, "{text}"));
        let (first, is_over) = kept(log);
        assert!(!is_over && (150..=192).contains(&first.len()), "{}", first.len());
        assert!(log.end());
        let (last, is_over) = kept(log);
        assert!(is_over);
        let dropped = usize::try_from(last[0]["dropped"].as_u64().unwrap()).unwrap();
        assert_eq!(first.len() + dropped + last.len() - 1, 1_000);
        assert_eq!(last.last().unwrap()["number"], 999);
        assert!((50..=64).contains(&(last.len() - 1)), "{}", last.len());
    });
}

#[test]
fn one_line_of_a_megabyte_is_cut() {
    with_log(|log| {
        tracing::info!(field = "ä".repeat(500_000), "{}", "长".repeat(500_000));
        let (lines, _) = kept(log);
        let bytes = |name: &str| lines[0][name].as_str().unwrap().len();
        assert!(bytes("msg") <= 8 * 1024 + 3 && bytes("field") <= 8 * 1024 + 3, "{}", bytes("msg"));
        assert!(lines[0]["msg"].as_str().unwrap().ends_with('…'));
        let long = "x".repeat(8_000);
        tracing::info!(a = long, b = long, c = long, d = long, e = long, "many");
        let (lines, _) = kept(log);
        assert_eq!((&lines[0]["msg"], &lines[0]["fields_cut"]), (&"many".into(), &5.into()));
        assert_eq!(lines[0]["a"], Value::Null);
    });
}
