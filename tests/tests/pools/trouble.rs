//! Redis in trouble while twenty tasks run on their second.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    App,
    app::Running,
    clock,
    config::Config,
    plan::execution::ExecutionRow,
    redis::AsyncCommands as _,
    run::job_runtime,
    store::{ExecutionFilter, NewTask},
};
use tempfile::TempDir;
use tests::{poll, servers::Redis};
use tokio::runtime::Runtime;

use crate::{PATIENCE, no_redis, quick, with_redis};

/// A scheduler with twenty tasks of every second, and one of every second that needs Redis.
struct Trial {
    runtime: Runtime,
    running: Running,
    _folder: TempDir,
}

impl Trial {
    fn begin(redis_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::sqlite(folder.path().join("scheduler.db"));
        config.common.sync_interval = Duration::from_secs(3600);
        config.redis.insert("default".to_owned(), quick(redis_url));
        let runtime = job_runtime(2).unwrap();
        let running = runtime.block_on(async {
            let prepared = App::new().prepare(&config).unwrap();
            let store = prepared.open().await.unwrap();
            for number in 1..=20 {
                let row = NewTask::new(&format!("tick {number}"), "tick", "interval", "1");
                store.add(&row).await.unwrap();
            }
            store.add(&NewTask::new("visits", "visits", "interval", "1")).await.unwrap();
            store.close().await;
            App::new().start(&config).await.unwrap()
        });
        Self { runtime, running, _folder: folder }
    }

    /// Waits until a visit of an instant after now ended with `status`, while `disturb` is done again and again.
    #[track_caller]
    fn await_a_visit(&self, status: &str, mut disturb: impl FnMut()) -> ExecutionRow {
        let from = clock::wall();
        let found = poll::until(PATIENCE, || {
            disturb();
            let is_it = |row: &ExecutionRow| row.status == status && row.scheduled_at > Some(from);
            self.executions(21, 10).into_iter().find(is_it)
        });
        found.unwrap_or_else(|| panic!("no visit ends with {status}: {:?}", self.executions(21, 3)))
    }

    /// Newest first.
    fn executions(&self, task: i64, limit: u32) -> Vec<ExecutionRow> {
        let filter = ExecutionFilter { task_id: Some(task), ..ExecutionFilter::newest(limit) };
        self.runtime.block_on(self.running.store().executions(filter)).unwrap()
    }

    /// Every second of every task has its run, which succeeded and began in time.
    #[track_caller]
    fn assert_nothing_was_late(&self) {
        for task in 1..=20 {
            let rows: BTreeMap<DateTime<Utc>, ExecutionRow> = self
                .executions(task, 1_000)
                .into_iter()
                .map(|row| (row.scheduled_at.unwrap(), row))
                .filter(|(_, row)| row.status != "todo")
                .collect();
            let instants: Vec<_> = rows.keys().collect();
            assert!(instants.len() > 10, "{instants:?}");
            let gaps =
                instants.windows(2).filter(|pair| *pair[1] - *pair[0] != TimeDelta::seconds(1));
            assert_eq!(gaps.count(), 0, "{instants:?}");
            for (instant, row) in rows {
                assert_eq!(row.status, "success", "{row:?}");
                let late = row.started_at.unwrap() - instant;
                assert!(late < TimeDelta::milliseconds(900), "{late} late: {row:?}");
            }
        }
    }
}

#[test]
fn redis_down_flushed_frozen_full_or_flooding_delays_no_fire() {
    let full = ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"];
    let Some(server) = Redis::start_with(&full).unwrap() else { return no_redis() };
    server.kill().unwrap();
    let trial = Trial::begin(&server.url());
    let said = |row: ExecutionRow| row.extra;
    let refused = said(trial.await_a_visit("fail", || {}));
    assert!(refused.contains("redis.toml [default]: no connection"), "{refused}");
    server.start_again().unwrap();
    trial.await_a_visit("success", || {});
    // Emptied all the time.
    trial.await_a_visit("success", || drop(server.client(&["flushall"]).unwrap()));
    // Of another type than the job thinks.
    let spoil = || {
        drop(
            server
                .client(&[
                    "eval",
                    "redis.call('del', 'visits') redis.call('lpush', 'visits', 1)",
                    "0",
                ])
                .unwrap(),
        )
    };
    let wrong = said(trial.await_a_visit("fail", spoil));
    assert!(wrong.contains("WRONGTYPE"), "{wrong}");
    // Full.
    let fill = "for n = 1, 100 do redis.call('set', 'fill' .. n, string.rep('x', 100000)) end";
    let fill = || drop(server.client(&["eval", fill, "0"]));
    server.client(&["del", "visits"]).unwrap();
    let full = said(trial.await_a_visit("fail", fill));
    assert!(full.contains("OOM") || full.contains("maxmemory"), "{full}");
    server.client(&["flushall"]).unwrap();
    trial.await_a_visit("success", || {});
    server.freeze().unwrap();
    let frozen = said(trial.await_a_visit("fail", || {}));
    assert!(frozen.contains("no answer") || frozen.contains("timed out"), "{frozen}");
    server.thaw().unwrap();
    trial.await_a_visit("success", || {});
    // Somebody shouts.
    let adopted = trial.runtime.block_on(trial.running.store().adopted_at()).unwrap();
    let channel = format!("scheduler:edited:{}", adopted.timestamp_millis());
    let shout = format!("for n = 1, 5000 do redis.call('publish', '{channel}', 'x') end");
    trial.await_a_visit("success", || drop(server.client(&["eval", &shout, "0"]).unwrap()));
    // Clients are refused.
    server.client(&["config", "set", "requirepass", "changed"]).unwrap();
    let _ = server.client(&["-a", "changed", "client", "kill", "type", "normal"]);
    let closed = said(trial.await_a_visit("fail", || {}));
    assert!(closed.contains("NOAUTH") || closed.contains("uthenticat"), "{closed}");
    trial.assert_nothing_was_late();
    let began = clock::mono();
    trial.runtime.block_on(trial.running.stop()).unwrap();
    assert!(clock::mono() - began < Duration::from_secs(3));
}

#[test]
fn a_stop_does_not_wait_for_a_frozen_redis() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    let trial = Trial::begin(&server.url());
    trial.await_a_visit("success", || {});
    server.freeze().unwrap();
    trial.await_a_visit("fail", || {});
    let began = clock::mono();
    trial.runtime.block_on(trial.running.stop()).unwrap();
    let took = clock::mono() - began;
    // A visit that is under way ends at its deadlines.
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn an_edit_that_a_program_makes_is_heard_on_the_channel_of_its_database() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    let trial = Trial::begin(&server.url());
    let heard = || {
        let channels = server.client(&["pubsub", "channels", "*"]).unwrap();
        channels.starts_with("scheduler:edited:").then_some(channels)
    };
    let channel = poll::until(PATIENCE, heard).expect("it listens");
    let store = trial.running.store();
    let adopted = trial.runtime.block_on(store.adopted_at()).unwrap();
    assert_eq!(channel.trim(), format!("scheduler:edited:{}", adopted.timestamp_millis()));
    let row = NewTask::new("late comer", "tick", "interval", "1");
    let id = trial.runtime.block_on(store.add(&row)).unwrap();
    trial.runtime.block_on(async {
        let context = with_redis(quick(&server.url()));
        let mut connection = context.redis("a").await.unwrap();
        let heard = connection.publish(channel.trim(), "").await;
        assert_eq!(heard, Ok(1));
    });
    let ran = || trial.executions(id, 1).pop();
    assert!(poll::until(PATIENCE, ran).is_some(), "sync_interval is an hour");
}
