//! The rules of a node, told by stepping one through time on the store in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    plan::{
        Now,
        claim::{Claim, Entry, Verdict},
        execution::{ExecutionId, Outcome, Recorded, Source, Status},
        node::{Action, Call, Ended, Event, Failure, Node, Notice, Run, Settings},
        task::{Catalog, JobRefusal, Policy, Reader, TaskId},
        trigger::{CronDialect, Zone},
    },
    store::{
        Desk as _, ExecutionFilter, ExecutionRow, NewTask, Store as _, StoreError,
        memory::MemoryStore,
    },
};

struct AnyJob;

impl Catalog for AnyJob {
    fn accepts(&self, job: &str, _args: &str) -> Result<(), JobRefusal> {
        if job == "job" { Ok(()) } else { Err(JobRefusal::Unknown(vec!["job".to_owned()])) }
    }
}

/// How the database behaves.
#[derive(Clone, Copy, PartialEq)]
enum Database {
    Answers,
    /// Nothing arrives.
    Unreachable,
    /// Everything arrives, no answer comes back.
    LosesAnswers,
}

/// One node, its tables and its clock.
struct World {
    node: Node,
    node_id: &'static str,
    store: MemoryStore,
    now: Now,
    database: Database,
    /// How long a job takes; `None`: until the test ends it.
    takes: Option<TimeDelta>,
    running: BTreeMap<ExecutionId, (DateTime<Utc>, Run)>,
    notices: Vec<Notice>,
    has_left: bool,
    /// Jobs hold their threads: they cannot be ended from outside.
    jobs_block: bool,
    /// Only the heartbeat fails.
    refuses_renewals: bool,
    /// A task of which every transaction fails.
    poison: Option<TaskId>,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A row of the job `job`.
fn row(key: &str, trigger: &str, spec: &str) -> NewTask {
    NewTask {
        id: None,
        task_key: key.to_owned(),
        description: String::new(),
        execute_func: "job".to_owned(),
        trigger: trigger.to_owned(),
        spec: spec.to_owned(),
        args: String::new(),
        is_enabled: true,
        extra: "{}".to_owned(),
    }
}

fn with_extra(row: NewTask, extra: &str) -> NewTask {
    NewTask { extra: extra.to_owned(), ..row }
}

impl World {
    /// A world that begins at `start`, in which jobs end at once.
    fn new(start: &str) -> Self {
        let store = MemoryStore::new(at(start));
        wait(store.migrate()).unwrap();
        Self {
            node: node("a"),
            node_id: "a",
            store,
            now: Now { wall: at(start), mono: Duration::from_secs(1_000) },
            database: Database::Answers,
            takes: Some(TimeDelta::zero()),
            running: BTreeMap::new(),
            notices: Vec::new(),
            has_left: false,
            jobs_block: false,
            refuses_renewals: false,
            poison: None,
        }
    }

    fn add(&mut self, row: &NewTask) -> TaskId {
        wait(self.store.add(row)).unwrap()
    }

    /// The process is gone without a word; a new one starts.
    fn crash_and_restart(&mut self) {
        self.node_id = "b";
        self.node = node("b");
        self.running.clear();
    }

    fn send(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.node.handle(event, self.now) {
                events.extend(self.perform(action));
            }
        }
    }

    fn call<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
        match self.database {
            Database::Answers => Ok(wait(call).unwrap()),
            Database::Unreachable => Err(Failure::NotApplied("unreachable".to_owned())),
            Database::LosesAnswers => {
                let _ = wait(call);
                Err(Failure::Unknown("the answer was lost".to_owned()))
            }
        }
    }

    fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Call(Call::Read) => Some(Event::Read(self.call(self.store.read()))),
            Action::Call(Call::ReadCursors(tasks)) => {
                let result = self.call(self.store.cursors(&tasks));
                Some(Event::Cursors(tasks, result))
            }
            Action::Call(Call::Claim(claims))
                if claims.iter().any(|claim| Some(claim.task_id) == self.poison) =>
            {
                Some(Event::Claimed(claims, Err(Failure::NotApplied("poison".to_owned()))))
            }
            Action::Call(Call::Record(outcomes))
                if outcomes.iter().any(|outcome| !outcome.extra.is_ascii()) =>
            {
                Some(Event::Recorded(outcomes, Err(Failure::NotApplied("latin1".to_owned()))))
            }
            Action::Call(Call::Claim(claims)) => {
                let result = self.call(self.store.claim(self.node_id, &claims));
                Some(Event::Claimed(claims, result))
            }
            Action::Call(Call::Settle(claims)) => {
                let result = self.call(self.store.settle(&claims));
                Some(Event::Settled(claims, result))
            }
            Action::Call(Call::Record(outcomes)) => {
                let result = self.call(self.store.record(&outcomes));
                Some(Event::Recorded(outcomes, result))
            }
            Action::Call(Call::Renew) if self.refuses_renewals => Some(Event::Renewed {
                started: self.now.mono,
                result: Err(Failure::NotApplied("refused".to_owned())),
            }),
            Action::Call(Call::Renew) => {
                let result = self.call(self.store.renew(self.node_id));
                Some(Event::Renewed { started: self.now.mono, result })
            }
            Action::Call(Call::Reap { suspects }) => Some(Event::Reaped(
                self.call(self.store.reap(self.node_id, Duration::from_secs(30), &suspects)),
            )),
            Action::Start(runs) => {
                for run in runs {
                    self.running.insert(run.execution_id, (self.now.wall, run));
                }
                self.end_what_is_over()
            }
            Action::CancelJobs => None,
            Action::Abort(executions) => {
                let now = self.now.wall;
                let result = || Err("ended by the scheduler".to_owned());
                let ended = executions.iter().filter(|_| !self.jobs_block).filter_map(|id| {
                    let (started, _) = self.running.remove(id)?;
                    Some(ended(*id, started, now, result()))
                });
                Some(Event::Ended(ended.collect()))
            }
            Action::Report(notice) => {
                self.notices.push(notice);
                None
            }
            Action::Exit => {
                self.has_left = true;
                None
            }
        }
    }

    fn end_what_is_over(&mut self) -> Option<Event> {
        let takes = self.takes?;
        let now = self.now.wall;
        let over = self.running.extract_if(.., |_, (started, _)| *started + takes <= now);
        let ended: Vec<Ended> =
            over.map(|(id, (started, _))| ended(id, started, now, Ok(()))).collect();
        (!ended.is_empty()).then_some(Event::Ended(ended))
    }

    /// Another node claims a fire of `task`.
    fn run_elsewhere(&mut self, task: TaskId, instant: &str) {
        let spec = wait(self.store.read()).unwrap().rows[0].spec.clone().unwrap();
        let entry = Entry {
            scheduled_at: at(instant),
            trace_id: "elsewhere".into(),
            status: Status::Todo,
            source: Source::Manual,
            extra: "{}".to_owned(),
        };
        let request = wait(self.store.request_run(task, at(instant))).unwrap();
        let claim = Claim {
            task_id: task,
            spec: spec.into(),
            first: at(instant),
            limit: Some(1),
            request: Some(request),
            entries: vec![entry],
        };
        wait(self.store.renew("elsewhere")).unwrap();
        let won = wait(self.store.claim("elsewhere", &[claim])).unwrap();
        assert!(matches!(won[0], Verdict::Won(Some(_))), "{won:?}");
    }

    /// The other node records a success.
    fn end_elsewhere(&mut self) {
        let row = self.rows().into_iter().find(|row| row.trace_id == "elsewhere").unwrap();
        let outcome = Outcome {
            execution_id: row.id,
            task_id: row.task_id,
            trace_id: "elsewhere".into(),
            status: Status::Success,
            extra: "{}".to_owned(),
            started_at: None,
            finished_at: self.now.wall,
        };
        assert_eq!(wait(self.store.record(&[outcome])).unwrap(), [Recorded::Stands]);
    }

    /// Ends the run of an execution.
    fn end(&mut self, execution: ExecutionId, result: Result<(), String>) {
        let (started, _) = self.running.remove(&execution).expect("it runs");
        self.send(Event::Ended(vec![ended(execution, started, self.now.wall, result)]));
    }

    fn set_clock(&mut self, wall: DateTime<Utc>) {
        self.now.wall = wall;
        self.store.set_now(wall);
    }

    /// Steps from wake-up to wake-up until `until`.
    fn advance_to(&mut self, until: &str) {
        let until = at(until);
        self.send(Event::Tick);
        while self.now.wall < until {
            let wake = self
                .node
                .wake_in(self.now)
                .map_or(TimeDelta::MAX, |wait| TimeDelta::from_std(wait).unwrap());
            let next_end = self.takes.and_then(|takes| {
                self.running.values().map(|(started, _)| *started + takes - self.now.wall).min()
            });
            let step = wake.min(next_end.unwrap_or(TimeDelta::MAX)).max(TimeDelta::milliseconds(1));
            let step = step.min(until - self.now.wall);
            self.now.mono += step.to_std().unwrap();
            self.set_clock(self.now.wall + step);
            if let Some(event) = self.end_what_is_over() {
                self.send(event);
            }
            self.send(Event::Tick);
        }
    }

    /// `HH:MM:SS status` of every execution, oldest first.
    fn history(&self) -> Vec<String> {
        self.rows()
            .iter()
            .map(|row| format!("{} {}", row.scheduled_at.unwrap().format("%T"), row.status))
            .collect()
    }

    fn rows(&self) -> Vec<ExecutionRow> {
        let filter = ExecutionFilter { task_id: None, status: None, before: None, limit: 10_000 };
        let mut rows = wait(self.store.executions(filter)).unwrap();
        rows.reverse();
        rows
    }

    fn extra(&self, status: Status) -> serde_json::Value {
        let row = self
            .rows()
            .into_iter()
            .find(|row| row.status == status.as_str())
            .expect("a row in this status");
        serde_json::from_str(&row.extra).unwrap()
    }

    fn rejections(&self) -> Vec<String> {
        let rejected = self.notices.iter().filter_map(|notice| match notice {
            Notice::Rejected(error) => Some(error.to_string()),
            _ => None,
        });
        rejected.collect()
    }

    #[track_caller]
    fn check_history(&self, expected: &[&str]) {
        assert_eq!(self.history(), expected, "notices: {:#?}", self.notices);
    }
}

fn node(name: &str) -> Node {
    let reader =
        Reader::new(CronDialect::Standard, Zone::utc(), Policy::default(), Box::new(AnyJob));
    let (name, mut count) = (name.to_owned(), 0);
    Node::new(Settings::default(), reader, move || {
        count += 1;
        format!("{name}{count}").into()
    })
}

fn ended(
    id: ExecutionId,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
    result: Result<(), String>,
) -> Ended {
    Ended { execution_id: id, started_at: Some(started), finished_at: now, result }
}

#[test]
fn an_interval_fires_on_the_grid_of_its_creation() {
    let mut world = World::new("2026-01-01T12:00:03Z");
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:14Z");
    world.check_history(&["12:00:08 success", "12:00:13 success"]);
}

#[test]
fn a_restart_keeps_the_grid_and_repeats_nothing() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:00:11Z");
    world.check_history(&["12:00:05 success", "12:00:10 success"]);
}

#[test]
fn an_enabled_cron_row_runs_at_the_next_full_minute() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&NewTask { is_enabled: false, ..row("minute", "cron", "* * * * *") });
    world.advance_to("2026-01-01T12:02:20Z");
    world.check_history(&[]);
    wait(world.store.set_enabled(id, true)).unwrap();
    world.advance_to("2026-01-01T12:03:00Z");
    world.check_history(&["12:03:00 success"]);
}

#[test]
fn a_new_spec_takes_over_within_ten_seconds_and_the_old_grid_ends_with_the_edit() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.set_spec(id, "2")).unwrap();
    world.advance_to("2026-01-01T12:00:24Z");
    // 12:00:15 is the old grid's: its claim finds the new spec and asks for a reading at once.
    world.check_history(&[
        "12:00:05 success",
        "12:00:10 success",
        "12:00:14 success",
        "12:00:16 success",
        "12:00:18 success",
        "12:00:20 success",
        "12:00:22 success",
        "12:00:24 success",
    ]);
}

#[test]
fn a_disabled_task_claims_nothing_after_the_edit() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.set_enabled(id, false)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["12:00:05 success", "12:00:10 success"]);
    wait(world.store.set_enabled(id, true)).unwrap();
    world.advance_to("2026-01-01T12:01:11Z");
    world.check_history(&[
        "12:00:05 success",
        "12:00:10 success",
        "12:01:05 missed",
        "12:01:10 success",
    ]);
}

#[test]
fn other_columns_of_a_live_task_are_said_once_and_wait_for_disable_and_enable() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let id = world.add(&with_extra(row("five", "interval", "5"), r#"{"overlap": "allow"}"#));
    world.advance_to("2026-01-01T12:00:06Z");
    world.store.edit(id, |row| row.args = Ok("new".to_owned()));
    world.advance_to("2026-01-01T12:00:46Z");
    let said = world.notices.iter().filter(
        |notice| matches!(notice, Notice::EditIgnored { columns, .. } if columns == &["args"]),
    );
    assert_eq!(said.count(), 1);
    assert!(world.running.values().all(|(_, run)| run.args.is_empty()));
    wait(world.store.set_enabled(id, false)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    wait(world.store.set_enabled(id, true)).unwrap();
    world.advance_to("2026-01-01T12:01:16Z");
    assert_eq!(world.running.values().filter(|(_, run)| &*run.args == "new").count(), 2);
}

#[test]
fn a_bad_row_is_said_once_and_harms_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("bad cron", "cron", "61 * * * *"));
    world.add(&NewTask { execute_func: "jab".to_owned(), ..row("bad job", "interval", "5") });
    world.add(&row("good", "interval", "5"));
    world.add(&with_extra(row("bad extra", "interval", "5"), "not json"));
    let id = world.add(&row("bad interval", "interval", "0"));
    world.advance_to("2026-01-01T12:00:31Z");
    assert_eq!(world.history().len(), 6);
    let rejections = world.rejections();
    assert_eq!(rejections.len(), 4, "{rejections:#?}");
    for (rejection, part) in
        rejections.iter().zip(["minute", "such as \"job\"", "extra \"not json\"", "spec \"0\""])
    {
        assert!(rejection.contains(part), "{rejection} names {part}");
    }
    wait(world.store.set_spec(id, "10")).unwrap();
    world.advance_to("2026-01-01T12:00:41Z");
    assert_eq!(world.history().len(), 6 + 2 + 1, "the mended row runs");
}

#[test]
fn a_live_row_whose_spec_breaks_stops_and_is_rejected() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:06Z");
    wait(world.store.set_spec(id, "nonsense")).unwrap();
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:05 success"]);
    assert_eq!(world.rejections().len(), 1);
}

#[test]
fn a_deleted_row_is_forgotten() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:06Z");
    wait(world.store.delete(id)).unwrap();
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:05 success"]);
    assert!(world.notices.iter().any(|notice| matches!(notice, Notice::Deleted(..))));
}

#[test]
fn a_second_row_of_one_key_is_rejected() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let first = world.add(&row("one", "interval", "5"));
    let second = world.add(&row("two", "interval", "5"));
    world.store.edit(second, |row| {
        row.task_key = Ok("one".to_owned());
        row.status = Ok("doing".to_owned());
    });
    world.advance_to("2026-01-01T12:00:06Z");
    world.check_history(&["12:00:05 success"]);
    assert!(
        world.rejections()[0].contains(&format!("belongs to task {first}")),
        "{:?}",
        world.rejections()
    );
}

#[test]
fn of_several_overdue_fires_the_newest_runs_and_the_others_cost_one_row() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:11Z");
    world.crash_and_restart();
    world.now.mono += Duration::from_secs(49);
    world.set_clock(at("2026-01-01T12:01:00.500Z"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.check_history(&["12:00:10 success", "12:00:50 missed", "12:01:00 success"]);
    let extra = world.extra(Status::Missed);
    assert_eq!((&extra["count"], &extra["first"]), (&4.into(), &"2026-01-01T12:00:20Z".into()));
}

#[test]
fn a_gap_of_a_year_costs_one_row_with_the_exact_count() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("second", "cron", "* * * * * *"));
    world.advance_to("2026-01-01T12:00:01Z");
    world.crash_and_restart();
    world.set_clock(at("2027-01-01T12:00:01.100Z"));
    world.advance_to("2027-01-01T12:00:01.200Z");
    world.check_history(&["12:00:01 success", "12:00:00 missed", "12:00:01 success"]);
    assert_eq!(world.extra(Status::Missed)["count"], 365 * 86_400 - 1);
}

#[test]
fn a_fire_found_within_the_grace_runs_and_one_found_later_is_missed() {
    for (found, status) in [("12:11:00", "success"), ("12:11:00.001", "missed")] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        world.add(&row("ten minutes", "interval", "600"));
        world.set_clock(at(&format!("2026-01-01T{found}Z")));
        world.send(Event::Tick);
        world.check_history(&[&format!("12:10:00 {status}")]);
    }
}

#[test]
fn without_coalescing_each_fire_within_the_grace_runs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&with_extra(
        row("ten", "interval", "10"),
        r#"{"coalesce": false, "misfire_grace_time": 25, "overlap": "queue"}"#,
    ));
    world.set_clock(at("2026-01-01T12:01:00Z"));
    world.send(Event::Tick);
    world.check_history(&[
        "12:00:30 missed",
        "12:00:40 success",
        "12:00:50 success",
        "12:01:00 success",
    ]);
}

#[test]
fn a_fire_whose_task_still_runs_is_skipped() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:11Z");
    world.check_history(&["12:00:05 todo", "12:00:10 skipped"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:00:15Z");
    world.check_history(&["12:00:05 success", "12:00:10 skipped", "12:00:15 todo"]);
}

#[test]
fn a_queued_fire_waits_for_the_run_and_is_not_late() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"overlap": "queue"}"#));
    world.advance_to("2026-01-01T12:05:30Z");
    world.check_history(&["12:01:00 todo"]);
    world.end(1, Ok(()));
    world.check_history(&["12:01:00 success", "12:04:00 missed", "12:05:00 todo"]);
}

#[test]
fn an_allowed_overlap_runs_side_by_side_and_the_task_is_ready_after_the_last() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("five", "interval", "5"), r#"{"max_instances": 2}"#));
    world.advance_to("2026-01-01T12:00:16Z");
    world.check_history(&["12:00:05 todo", "12:00:10 todo", "12:00:15 skipped"]);
    let status = |world: &World| wait(world.store.read()).unwrap().rows[0].status.clone().unwrap();
    world.end(1, Ok(()));
    assert_eq!(status(&world), "doing");
    world.end(2, Ok(()));
    assert_eq!(status(&world), "ready");
}

#[test]
fn an_error_stands_under_err_and_a_time_out_ends_the_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"timeout": "20s"}"#));
    world.advance_to("2026-01-01T12:01:01Z");
    world.end(1, Err("outer: cause".to_owned()));
    world.advance_to("2026-01-01T12:02:19Z");
    world.check_history(&["12:01:00 fail", "12:02:00 todo"]);
    world.advance_to("2026-01-01T12:02:20Z");
    world.check_history(&["12:01:00 fail", "12:02:00 timeout"]);
    assert_eq!(world.extra(Status::Fail)["err"], "outer: cause");
    assert!(world.running.is_empty(), "the job was ended");
}

#[test]
fn a_date_fires_once_ever() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("date", "date", "2026-01-01 12:00:30"));
    world.advance_to("2026-01-01T12:03:00Z");
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:04:00Z");
    world.check_history(&["12:00:30 success"]);
}

#[test]
fn a_date_that_passed_within_the_grace_before_its_edit_runs_and_an_older_one_does_not() {
    for (spec, expected) in [("11:59:00", &["11:59:00 success"][..]), ("11:58:59", &[])] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        world.add(&row("date", "date", &format!("2026-01-01 {spec}")));
        world.advance_to("2026-01-01T12:03:00Z");
        world.check_history(expected);
    }
}

#[test]
fn now_fires_once_and_no_later_edit_repeats_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("now", "date", "now"));
    world.advance_to("2026-01-01T12:00:30Z");
    world.check_history(&["12:00:00 success"]);
    world.store.edit(id, |row| row.description = Ok("a typo mended".to_owned()));
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:02:00Z");
    world.check_history(&["12:00:00 success"]);
}

#[test]
fn a_manual_run_happens_once_and_waits_while_the_task_runs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let id = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:11 todo"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["12:00:11 success", "12:00:12 todo"]);
    assert_eq!(world.rows()[0].source, "manual");
}

#[test]
fn a_manual_run_does_not_hide_a_fire_that_was_due_before_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("minute", "interval", "60"));
    world.set_clock(at("2026-01-01T12:01:10Z"));
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.send(Event::Tick);
    assert_eq!(world.history().len(), 2, "{:?}", world.history());
}

#[test]
fn a_manual_run_of_a_task_that_was_disabled_meanwhile_is_cancelled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    wait(world.store.set_enabled(id, false)).unwrap();
    world.advance_to("2026-01-01T12:00:30Z");
    world.check_history(&["12:00:11 cancelled"]);
    assert_eq!(world.extra(Status::Cancelled)["reason"], "the task is disabled");
}

#[test]
fn a_claim_whose_answer_was_lost_is_settled_and_runs_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:09Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T12:00:12Z");
    assert!(world.running.is_empty());
    world.check_history(&["12:00:10 todo"]);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:00:20Z");
    world.check_history(&["12:00:10 success", "12:00:20 success"]);
}

#[test]
fn a_claim_that_settles_later_than_the_grace_is_missed_not_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:59:59Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T13:02:00Z");
    world.database = Database::Answers;
    world.advance_to("2026-01-01T13:03:00Z");
    world.check_history(&["13:00:00 missed"]);
}

#[test]
fn results_of_jobs_that_ended_in_an_outage_are_written_afterwards() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.database = Database::Unreachable;
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:04:30Z");
    world.check_history(&["12:01:00 todo"]);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:05:00Z");
    world.check_history(&[
        "12:01:00 success",
        "12:03:00 missed",
        "12:04:00 todo",
        "12:05:00 skipped",
    ]);
    let trouble =
        world.notices.iter().filter(|notice| matches!(notice, Notice::DatabaseTrouble(_))).count();
    assert_eq!(trouble, 1, "said once");
}

#[test]
fn a_node_that_cannot_renew_claims_nothing_until_it_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("second", "interval", "1"));
    world.advance_to("2026-01-01T12:00:02Z");
    world.refuses_renewals = true;
    // The lease of 30 s less its margin of 5 s, from the last renewal at 12:00:00.
    world.advance_to("2026-01-01T12:00:40Z");
    assert_eq!(world.history().last().map(String::as_str), Some("12:00:24 success"));
    assert!(world.notices.contains(&Notice::LeaseLost));
    world.refuses_renewals = false;
    world.advance_to("2026-01-01T12:00:43Z");
    assert_eq!(world.history().last().map(String::as_str), Some("12:00:43 success"));
}

#[test]
fn what_a_crash_left_open_is_lost_and_its_task_runs_again() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.crash_and_restart();
    world.takes = Some(TimeDelta::zero());
    world.advance_to("2026-01-01T12:02:30Z");
    // 45 s after the crash the execution is closed, so the next minute runs.
    world.check_history(&["12:01:00 lost", "12:02:00 success"]);
}

#[test]
fn a_doing_that_somebody_wrote_by_hand_heals() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("minute", "interval", "60"));
    world.store.edit(id, |row| row.status = Ok("doing".to_owned()));
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(world.history().last().unwrap(), "12:02:00 success");
    assert!(world.notices.contains(&Notice::Healed(id)));
}

#[test]
fn a_stop_waits_for_what_runs_and_claims_nothing_more() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("second", "interval", "1"), r#"{"overlap": "allow"}"#));
    world.advance_to("2026-01-01T12:00:02Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:00:05Z");
    assert!(!world.has_left);
    world.end(1, Ok(()));
    world.end(2, Ok(()));
    assert!(world.has_left);
    world.check_history(&["12:00:01 success", "12:00:02 success"]);
}

#[test]
fn what_still_runs_at_the_end_of_the_shutdown_time_is_cancelled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:09.999Z");
    assert!(!world.has_left);
    world.advance_to("2026-01-01T12:01:10Z");
    assert!(world.has_left);
    world.check_history(&["12:01:00 cancelled"]);
    assert_eq!(wait(world.store.read()).unwrap().rows[0].status.as_deref(), Ok("ready"));
}

#[test]
fn a_stop_with_nothing_running_leaves_at_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:01Z");
    world.send(Event::Stop);
    assert!(world.has_left);
}

#[test]
fn a_clock_that_steps_back_repeats_nothing() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:31Z");
    world.set_clock(at("2026-01-01T12:00:05Z"));
    world.advance_to("2026-01-01T12:00:41Z");
    world.check_history(&[
        "12:00:10 success",
        "12:00:20 success",
        "12:00:30 success",
        "12:00:40 success",
    ]);
}

#[test]
fn a_day_of_five_minute_fires_is_simulated_quickly() {
    let mut world = World::new("2026-01-01T00:00:00Z");
    world.add(&row("five minutes", "cron", "*/5 * * * *"));
    world.advance_to("2026-01-02T00:00:00Z");
    assert_eq!(world.history().len(), 288);
}

#[test]
fn a_task_whose_claims_always_fail_harms_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.poison = Some(world.add(&row("poison", "interval", "10")));
    for index in 0..50 {
        world.add(&row(&format!("good {index}"), "interval", "20"));
    }
    world.advance_to("2026-01-01T12:00:59Z");
    assert_eq!(world.history().len(), 50 * 2);
    let worst =
        world.rows().iter().filter_map(|row| Some(row.started_at? - row.scheduled_at?)).max();
    assert!(worst < Some(TimeDelta::seconds(10)), "{worst:?}");
}

#[test]
fn an_error_that_the_table_cannot_hold_is_stored_in_ascii_and_delays_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("one", "interval", "60"));
    world.add(&row("other", "interval", "60"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.end(1, Err("数据 💥".to_owned()));
    world.end(2, Ok(()));
    world.advance_to("2026-01-01T12:01:10Z");
    world.check_history(&["12:01:00 fail", "12:01:00 success"]);
    assert_eq!(world.extra(Status::Fail)["err"], "数据 💥");
    assert!(world.rows().iter().all(|row| row.extra.is_ascii()));
}

#[test]
fn a_job_that_blocks_its_thread_keeps_its_place_after_its_time_out() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    (world.takes, world.jobs_block) = (None, true);
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"timeout": "20s"}"#));
    world.advance_to("2026-01-01T12:02:00Z");
    world.check_history(&["12:01:00 timeout", "12:02:00 skipped"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:03:00Z");
    world.check_history(&["12:01:00 timeout", "12:02:00 skipped", "12:03:00 todo"]);
}

#[test]
fn a_row_whose_key_becomes_free_is_scheduled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let first = world.add(&row("one", "interval", "5"));
    let second = world.add(&row("two", "interval", "5"));
    world.store.edit(second, |row| {
        row.task_key = Ok("one".to_owned());
        row.status = Ok("doing".to_owned());
    });
    world.advance_to("2026-01-01T12:00:21Z");
    wait(world.store.delete(first)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    assert_eq!(world.rows().last().unwrap().task_id, second);
    assert_eq!(world.rejections().len(), 1, "said once");
}

#[test]
fn a_live_date_that_becomes_now_runs_at_once_and_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("date", "date", "2026-01-01 12:00:05"));
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.set_spec(id, "now")).unwrap();
    world.advance_to("2026-01-01T12:05:00Z");
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:06:00Z");
    world.check_history(&["12:00:05 success", "12:00:12 success"]);
}

#[test]
fn a_manual_run_that_found_the_task_busy_does_not_skip_the_next_fire() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&with_extra(row("minute", "interval", "60"), "{}"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.run_elsewhere(id, "2026-01-01T11:00:00Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:31Z");
    world.end_elsewhere();
    world.advance_to("2026-01-01T12:01:00Z");
    assert_eq!(world.history().last().unwrap(), "12:01:00 success", "{:?}", world.history());
}

#[test]
fn a_claim_of_unknown_fate_is_cancelled_when_its_row_was_switched_off_meanwhile() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:09Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T12:00:10Z");
    wait(world.store.set_enabled(id, false)).unwrap();
    let reading = wait(world.store.read()).unwrap();
    world.send(Event::Read(Ok(reading)));
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:00:20Z");
    world.check_history(&["12:00:10 cancelled"]);
}
