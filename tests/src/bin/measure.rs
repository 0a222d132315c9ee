//! Plain figures of the whole path, production code from the row to the recorded outcome, with jobs that do
//! nothing. One JSON line per measurement.
//!
//! ```text
//! cargo run --release -p tests --bin measure -- throughput --store sqlite
//! cargo run --release -p tests --bin measure -- lateness --tasks 10000 --store mysql://root@127.0.0.1:3306/measure
//! cargo run --release -p tests --bin measure -- memory --tasks 100000
//! ```
//!
//! A database that is named is emptied first.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::{Args as ClapArgs, Parser, Subcommand};
use scheduler_core::{
    Args, Context, clock,
    config::Config,
    job,
    plan::execution::Status,
    registry::Registry,
    run::{Scheduler, Signals, job_runtime, open_store},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

static LATENESS_MS: Mutex<Vec<i64>> = Mutex::new(Vec::new());
static RUNS: AtomicU64 = AtomicU64::new(0);

#[job("noop")]
async fn noop(_task_key: &str, _args: Args, context: Context) {
    let late = (clock::wall() - context.scheduled_at()).num_milliseconds();
    RUNS.fetch_add(1, Ordering::Relaxed);
    if let Ok(mut lateness) = LATENESS_MS.lock() {
        lateness.push(late);
    }
}

#[derive(Parser)]
#[command(about = "Measures the whole path with jobs that do nothing")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Fires claimed and recorded per second: more tasks are due every second than can be served.
    Throughput(Setting),
    /// How late a job starts when all tasks are due in the same instant, every 10 s.
    Lateness(Setting),
    /// Resident memory with the tasks loaded and none due.
    Memory(Setting),
}

#[derive(ClapArgs, Clone)]
struct Setting {
    /// `sqlite` (a fresh file) or a `mysql://` url, whose database is emptied.
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// How many tasks.
    #[arg(long, default_value_t = 20_000)]
    tasks: u32,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let control =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    control.block_on(measure(cli.what))
}

async fn measure(what: What) -> anyhow::Result<()> {
    let (setting, name, spec) = match &what {
        What::Throughput(setting) => (setting, "throughput", "1s"),
        What::Lateness(setting) => (setting, "lateness", "10s"),
        What::Memory(setting) => (setting, "memory", "87600h"),
    };
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path(), setting)?;
    empty(setting).await?;
    let store = open_store(&config).await?;
    store.migrate().await?;
    fill(&config, setting, spec).await?;
    let before = resident_mib();
    let registry = Arc::new(Registry::linked()?);
    let scheduler = Scheduler::new(Arc::clone(&store), registry, &config);
    let jobs = job_runtime(0)?;
    let handle = jobs.handle().clone();
    let mut signals = Signals::listen()?;
    let loop_of_scheduler = tokio::spawn(async move { scheduler.run(&mut signals, handle).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (began, runs_before) = (clock::mono(), RUNS.load(Ordering::Relaxed));
    if let Ok(mut lateness) = LATENESS_MS.lock() {
        lateness.clear();
    }
    let recorded_before = successes(&config, setting).await?;
    tokio::time::sleep(Duration::from_secs(setting.seconds)).await;
    let runs = RUNS.load(Ordering::Relaxed) - runs_before;
    let recorded = successes(&config, setting).await? - recorded_before;
    let seconds = (clock::mono() - began).as_secs_f64();
    let resident = resident_mib();
    loop_of_scheduler.abort();
    let lateness = LATENESS_MS.lock().map(|values| values.clone()).unwrap_or_default();
    print(&serde_json::json!({
        "measurement": name,
        "store": if setting.store == "sqlite" { "sqlite" } else { "mysql" },
        "tasks": setting.tasks,
        "seconds": seconds,
        "runs": runs,
        "recorded": recorded,
        "recorded_per_s": f64::from(u32::try_from(recorded)?) / seconds,
        "late_ms": percentiles(lateness),
        "resident_mib": resident,
        "resident_mib_before_start": before,
    }));
    jobs.shutdown_background();
    drop(store);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are the output")]
fn print(figures: &serde_json::Value) {
    println!("{figures}");
}

fn percentiles(mut values: Vec<i64>) -> serde_json::Value {
    values.sort_unstable();
    let at = |per_cent: usize| {
        values.get((values.len() * per_cent / 100).min(values.len().saturating_sub(1)))
    };
    serde_json::json!({ "p50": at(50), "p99": at(99), "max": values.last(), "min": values.first() })
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

fn configuration(folder: &Path, setting: &Setting) -> anyhow::Result<Config> {
    let conf = folder.join("conf/measure");
    std::fs::create_dir_all(&conf)?;
    let store = match setting.store.as_str() {
        "sqlite" => format!("store = \"sqlite:{}/measure.db\"\n", folder.display()),
        url if url.starts_with("mysql://") => "store = \"mysql\"\n".to_owned(),
        other => bail!("--store {other:?} is not known, expected sqlite or a mysql:// url"),
    };
    std::fs::write(conf.join("common.toml"), store)?;
    let mysql = match setting.store.as_str() {
        "sqlite" => String::new(),
        url => format!("[default]\nurl = \"{url}\"\n"),
    };
    std::fs::write(conf.join("mysql.toml"), mysql)?;
    std::fs::write(conf.join("redis.toml"), "")?;
    std::fs::write(conf.join("logger.toml"), "")?;
    Ok(Config::load(&folder.join("conf"), "measure", [])?)
}

async fn empty(setting: &Setting) -> anyhow::Result<()> {
    if setting.store == "sqlite" {
        return Ok(());
    }
    let (server, database) = setting.store.rsplit_once('/').context("the url names no database")?;
    let mut connection = sqlx::MySqlConnection::connect(&format!("{server}/mysql")).await?;
    let sql = format!("DROP DATABASE IF EXISTS `{database}`; CREATE DATABASE `{database}`");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

/// Rows that were created at a whole 10 s, so that all are due in the same instant.
async fn fill(config: &Config, setting: &Setting, spec: &str) -> anyhow::Result<()> {
    let grid = clock::wall().timestamp() / 10 * 10 - 10;
    let columns = "task_key, execute_func, args, is_valid, status, extra, spec";
    let values = format!("'noop', '', 1, 'ready', '{{\"misfire_grace_time\": 3600}}', '{spec}'");
    match &config.common.store {
        scheduler_core::config::StoreChoice::Sqlite(path) => {
            let sql = format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
                 INSERT INTO task ({columns}, \"desc\", \"trigger\", create_at) \
                 SELECT 'task ' || i, {values}, '', 'interval', datetime({grid}, 'unixepoch') FROM n",
                setting.tasks
            );
            let url = format!("sqlite:{}", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        }
        scheduler_core::config::StoreChoice::Mysql => {
            let sql = format!(
                "SET SESSION time_zone = '+00:00'; SET SESSION max_recursive_iterations = 10000000; \
                 INSERT INTO task ({columns}, `desc`, `trigger`, create_at) \
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
                 SELECT CONCAT('task ', i), {values}, '', 'interval', FROM_UNIXTIME({grid}) FROM n",
                setting.tasks
            );
            let mut connection = sqlx::MySqlConnection::connect(&setting.store).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        }
    }
    Ok(())
}

/// How many executions stand as `success`.
async fn successes(config: &Config, setting: &Setting) -> anyhow::Result<u64> {
    let sql = format!("SELECT COUNT(*) FROM execute_task WHERE status = '{}'", Status::Success);
    let count: i64 = match &config.common.store {
        scheduler_core::config::StoreChoice::Sqlite(path) => {
            let url = format!("sqlite:{}", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await?;
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await?
        }
        scheduler_core::config::StoreChoice::Mysql => {
            let mut connection = sqlx::MySqlConnection::connect(&setting.store).await?;
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await?
        }
    };
    Ok(u64::try_from(count)?)
}
