//! Word of an edit: by the command line to real programs, which would look by themselves after an hour only.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use scheduler_core::{App, clock};
use tempfile::TempDir;
use tests::{poll, program::Program, servers::Redis, torment::witness};

use crate::{PATIENCE, no_redis};

/// Much less than the hour, and more than a busy machine needs.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A database, and the Redis that carries word of its edits.
struct System {
    folder: TempDir,
}

/// The keys of `redis.toml` that lead to `redis`.
fn place(redis: &Redis) -> String {
    format!("host = \"127.0.0.1\"\nport = {}", redis.port())
}

impl System {
    fn new(redis: &Redis) -> Self {
        Self::on(&place(redis))
    }

    /// With a Redis at `place`.
    fn on(place: &str) -> Self {
        let system = Self { folder: tempfile::tempdir().unwrap() };
        system.configure(system.folder.path(), place);
        assert_eq!(system.run(&["migrate"]), 0);
        system
    }

    fn configure(&self, folder: &Path, place: &str) {
        let conf = folder.join("conf/local");
        fs::create_dir_all(&conf).unwrap();
        let store = self.folder.path().join("scheduler.db");
        let common = format!("store = \"sqlite:{}\"\nsync_interval = \"1h\"\n", store.display());
        fs::write(conf.join("common.toml"), common).unwrap();
        let redis = format!("[default]\n{place}\nresponse_timeout = \"1s\"\n");
        fs::write(conf.join("redis.toml"), redis).unwrap();
        fs::write(conf.join("mysql.toml"), "").unwrap();
        fs::write(conf.join("logger.toml"), "").unwrap();
    }

    /// Starts a scheduler and waits until it has read the tables.
    fn start(&self, redis: &Redis) -> Program {
        self.start_on(&place(redis))
    }

    fn start_on(&self, place: &str) -> Program {
        let folder = tempfile::tempdir().unwrap();
        self.configure(folder.path(), place);
        let program =
            Program::start_in(Path::new(env!("CARGO_BIN_EXE_torment")), folder, []).unwrap();
        program.says("the table is read");
        program
    }

    /// The command line: its exit code.
    fn run(&self, verb: &[&str]) -> u8 {
        let conf = self.folder.path().join("conf").display().to_string();
        let args = ["scheduler", "--conf", &conf].into_iter().chain(verb.iter().copied());
        scheduler::main(args.map(Into::into), App::new())
    }

    /// Adds a row that fires every second.
    fn add(&self, key: &str) {
        let what = ["--func", "witness", "--trigger", "interval", "--spec", "1", "--args", "1"];
        let verb = ["task", "add", "--key", key];
        assert_eq!(self.run(&[&verb[..], &what].concat()), 0);
    }
}

/// The lines of the log with all these texts.
fn count(program: &Program, texts: &[&str]) -> usize {
    let log = program.log();
    log.lines().filter(|line| texts.iter().all(|text| line.contains(text))).count()
}

/// Waits until `program` has logged a line with all these texts so many times.
#[track_caller]
fn await_lines(program: &Program, texts: &[&str], times: usize) {
    let found = poll::until(PATIENCE, || (count(program, texts) >= times).then_some(()));
    assert!(found.is_some(), "{texts:?} is not {times} times in {}", program.log());
}

/// Does `edit`, and waits until each of `programs` says all these texts once more.
#[track_caller]
fn seen_at_once(programs: &[&Program], texts: &[&str], edit: impl FnOnce()) {
    let before: Vec<usize> = programs.iter().map(|program| count(program, texts)).collect();
    edit();
    let edited = clock::mono();
    for (program, before) in programs.iter().zip(before) {
        await_lines(program, texts, before + 1);
    }
    let took = clock::mono() - edited;
    assert!(took < AT_ONCE, "{texts:?} after {took:?}");
}

fn listeners(server: &Redis) -> Vec<String> {
    let channels = server.client(&["pubsub", "channels", "scheduler:*"]).unwrap();
    let counts = channels.lines().map(|channel| server.client(&["pubsub", "numsub", channel]));
    counts.map(|count| count.unwrap().lines().nth(1).unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn await_listeners(server: &Redis, expected: &[&str]) {
    let are_there = || (listeners(server) == expected).then_some(());
    assert!(poll::until(PATIENCE, are_there).is_some(), "{:?}", listeners(server));
}

#[test]
fn an_edit_by_the_command_line_is_seen_by_all_nodes_at_once() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    let system = System::new(&server);
    let (one, two) = (system.start(&server), system.start(&server));
    await_listeners(&server, &["2"]);
    let both = [&one, &two];
    seen_at_once(&both, &["scheduled", "\"first\""], || system.add("first"));
    seen_at_once(&both, &["new spec", "\"2\""], || {
        assert_eq!(system.run(&["task", "spec", "1", "2"]), 0);
    });
    seen_at_once(&both, &["disabled"], || {
        assert_eq!(system.run(&["task", "disable", "1"]), 0);
    });
    seen_at_once(&both, &["scheduled", "\"first\""], || {
        assert_eq!(system.run(&["task", "enable", "1"]), 0);
    });
    seen_at_once(&both, &["deleted"], || {
        assert_eq!(system.run(&["task", "delete", "1"]), 0);
    });
    // A manual run is anybody's.
    let never = ["--func", "witness", "--trigger", "date", "--spec", "2999-01-01 00:00:00"];
    let verb = ["task", "add", "--key", "manual", "--args", "1"];
    seen_at_once(&both, &["scheduled", "\"manual\""], || {
        assert_eq!(system.run(&[&verb[..], &never].concat()), 0);
    });
    assert_eq!(system.run(&["task", "trigger", "2"]), 0);
    let asked = clock::mono();
    let ran = || {
        let of = |program: &Program| witness::read(&program.path("testimony")).unwrap_or_default();
        let mut lines = both.iter().flat_map(|program| of(program));
        lines.find(|line| line.task_key == "manual")
    };
    assert!(poll::until(PATIENCE, ran).is_some(), "the manual run");
    assert!(clock::mono() - asked < AT_ONCE);
    // Another system on the same Redis is not woken.
    let other = System::new(&server);
    let _third = other.start(&server);
    let both_systems = || {
        let mut counts = listeners(&server);
        counts.sort();
        (counts == ["1", "2"]).then_some(())
    };
    assert!(poll::until(PATIENCE, both_systems).is_some(), "{:?}", listeners(&server));
}

#[test]
fn what_is_edited_while_redis_is_away_is_seen_when_it_comes_back_and_fires_go_on() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    let system = System::new(&server);
    system.add("second");
    let mut program = system.start(&server);
    await_listeners(&server, &["1"]);
    // Who begins to listen reads once.
    let two = || (count_fires(&program, "second") >= 2).then_some(());
    assert!(poll::until(PATIENCE, two).is_some());
    for round in 1..=2 {
        if round == 1 {
            server.kill().unwrap();
        } else {
            server.freeze().unwrap();
        }
        await_lines(&program, &["no word of edits from Redis"], round);
        let key = format!("round {round}");
        let began = clock::mono();
        system.add(&key);
        let took = clock::mono() - began;
        assert!(took < Duration::from_secs(2), "the command line waits for Redis: {took:?}");
        let fires = |program: &Program| count_fires(program, "second");
        let before = fires(&program);
        let more = || (fires(&program) >= before + 3).then_some(());
        assert!(poll::until(PATIENCE, more).is_some(), "the task of every second runs on");
        assert_eq!(count(&program, &["scheduled", &key]), 0, "nobody told: {}", program.log());
        if round == 1 {
            server.start_again().unwrap();
        } else {
            server.thaw().unwrap();
        }
        await_lines(&program, &["word of edits comes from Redis again"], round);
        await_lines(&program, &["scheduled", &key], 1);
        assert_eq!(count(&program, &["no word of edits from Redis"]), round, "said once");
    }
    let lines = witness::read(&program.path("testimony")).unwrap();
    let late = lines.iter().filter(|line| !line.is_end && line.task_key == "second");
    let late = late.map(|line| line.at_ms - line.scheduled_ms).max().unwrap();
    assert!(late < 900, "{late} ms late");
    server.freeze().unwrap();
    let (took, code) = program.ends_after("TERM");
    assert!(took < Duration::from_secs(2) && code == Some(0), "{took:?} {code:?}");
}

fn count_fires(program: &Program, key: &str) -> usize {
    let lines = witness::read(&program.path("testimony")).unwrap_or_default();
    lines.iter().filter(|line| !line.is_end && line.task_key == key).count()
}

#[test]
fn a_silent_node_of_a_cluster_keeps_no_word_from_those_who_listen_to_another() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    // It takes connections, and answers nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let nodes = format!("{},127.0.0.1:{}", silent.local_addr().unwrap(), server.port());
    let place = format!("url = \"redis+cluster://{nodes}\"\nconnect_timeout = \"500ms\"");
    let system = System::on(&place);
    let program = system.start_on(&place);
    await_listeners(&server, &["1"]);
    seen_at_once(&[&program], &["scheduled", "\"first\""], || system.add("first"));
}
