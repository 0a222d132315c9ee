//! `common.toml`: which store, which zone, and the clockwork's numbers.

use std::{path::PathBuf, time::Duration};

use super::{nearest::nearest, reader::Reader};
use crate::plan::trigger::{CronDialect, Zone};

/// What `common.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Where the tables are. Required.
    pub store: StoreChoice,
    /// Zone of cron and date tasks that name none, an IANA name. Default `UTC`.
    pub timezone: String,
    /// How cron reads weekdays. Default `standard`.
    pub cron_dialect: CronDialect,
    /// Whether the first start on an empty SQLite database adds the three demo rows. Default false.
    pub demo_rows: bool,
    /// Pause between two readings of the table `task`. Default 10 s, 100 ms to 1 h.
    pub sync_interval: Duration,
    /// A fire found later than this is recorded as missed. Default 60 s, 1 s to 366 days.
    pub misfire_grace_time: Duration,
    /// Whether of several overdue fires of a task only the newest runs. Default true.
    pub coalesce: bool,
    /// Executions of one task at the same time. Default 1, 1 to 10 000.
    pub max_instances: u32,
    /// A node that is silent for longer has lost its executions. Default 30 s, 1 s to 1 h.
    pub lease: Duration,
    /// How far the machine's clock may be off the database's; beyond that nothing is claimed. Default 2 s, 100 ms to 1 h.
    pub clock_tolerance: Duration,
    /// How long running jobs may take to end when the program stops. Default 10 s, 0 to 1 h.
    pub shutdown_timeout: Duration,
    /// Deadline of one database call. Default 5 s, 100 ms to 5 min.
    pub database_timeout: Duration,
    /// The table `[jobs]`.
    pub jobs: JobsTable,
    /// The table `[retention]`.
    pub retention: Retention,
}

/// What `[jobs]` in `common.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsTable {
    /// Threads that run jobs. Default 0, which means one per core; up to 1024.
    pub threads: usize,
    /// Runs at once on this node; what is due beyond waits. Default 10 000, 1 to 100 000.
    pub max_running: usize,
}

/// What `[retention]` in `common.toml` says: which executions are removed, and their logs with them. The newest of each
/// task stays, and what is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// How long after their end. Default [`MaxAge::ByOrigin`].
    pub max_age: MaxAge,
    /// How many of one task stay. Default 0, which means all; up to 1,000,000.
    pub max_per_task: u32,
    /// How long after the end of a run what it logged stays, if its execution does. Default 30 days; 1 h to 3660 days;
    /// `None`: as long.
    pub max_log_age: Option<Duration>,
    /// How long edits of rows stay in their history; the newest of each row stays. Default 365 days; 1 h to 3660 days;
    /// `None`: for ever.
    pub max_edit_age: Option<Duration>,
}

/// How long executions stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxAge {
    /// 90 days in a database that was empty when it was first migrated, for ever in one that was adopted.
    ByOrigin,
    /// For ever.
    Never,
    /// For so long: 1 h to 3660 days.
    After(Duration),
}

/// `None`: for ever.
impl From<Option<Duration>> for MaxAge {
    fn from(age: Option<Duration>) -> Self {
        age.map_or(MaxAge::Never, MaxAge::After)
    }
}

/// Where the tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// An SQLite file, relative to the working directory.
    Sqlite(PathBuf),
    /// The pool `[default]` of `mysql.toml`.
    Mysql,
}

/// What each number may be, in a file and in a program.
pub(super) mod range {
    use std::{ops::RangeInclusive, time::Duration};

    const MS_100: Duration = Duration::from_millis(100);
    const SECOND: Duration = Duration::from_secs(1);
    const MINUTES_5: Duration = Duration::from_secs(300);
    const HOUR: Duration = Duration::from_secs(3600);
    const DAYS_366: Duration = Duration::from_secs(366 * 86_400);
    const DAYS_3660: Duration = Duration::from_secs(3_660 * 86_400);

    pub(in crate::config) const SYNC_INTERVAL: RangeInclusive<Duration> = MS_100..=HOUR;
    pub(in crate::config) const MISFIRE_GRACE_TIME: RangeInclusive<Duration> = SECOND..=DAYS_366;
    pub(in crate::config) const MAX_INSTANCES: RangeInclusive<u32> = 1..=10_000;
    pub(in crate::config) const LEASE: RangeInclusive<Duration> = SECOND..=HOUR;
    pub(in crate::config) const CLOCK_TOLERANCE: RangeInclusive<Duration> = MS_100..=HOUR;
    pub(in crate::config) const SHUTDOWN_TIMEOUT: RangeInclusive<Duration> = Duration::ZERO..=HOUR;
    pub(in crate::config) const DATABASE_TIMEOUT: RangeInclusive<Duration> = MS_100..=MINUTES_5;
    pub(in crate::config) const THREADS: RangeInclusive<usize> = 0..=1024;
    pub(in crate::config) const MAX_RUNNING: RangeInclusive<usize> = 1..=100_000;
    pub(in crate::config) const MAX_AGE: RangeInclusive<Duration> = HOUR..=DAYS_3660;
    pub(in crate::config) const OTLP_INTERVAL: RangeInclusive<Duration> = SECOND..=HOUR;
    pub(in crate::config) const MAX_PER_TASK: RangeInclusive<u32> = 0..=1_000_000;
}

/// The keys of `common.toml`, each with its default and range; meanings stand at [`Common`].
pub(super) fn read(t: &mut Reader<'_>) -> Common {
    let secs = Duration::from_secs;
    let days = |days: u64| secs(days * 86_400);
    let dialects = [("standard", CronDialect::Standard), ("apscheduler", CronDialect::Apscheduler)];
    t.require(&["store"]);
    // Understood by the program alone, see `app`.
    t.leave("app");
    Common {
        // After a mistake nothing is returned; a placeholder of this kind asks for no pool.
        store: t.text("store", STORE, store).unwrap_or(StoreChoice::Sqlite(PathBuf::new())),
        timezone: timezone(t),
        cron_dialect: t.choice("cron_dialect", CronDialect::Standard, &dialects),
        demo_rows: t.bool("demo_rows", false),
        sync_interval: t.duration("sync_interval", secs(10), range::SYNC_INTERVAL),
        misfire_grace_time: t.duration("misfire_grace_time", secs(60), range::MISFIRE_GRACE_TIME),
        coalesce: t.bool("coalesce", true),
        max_instances: t.integer("max_instances", 1, range::MAX_INSTANCES),
        lease: t.duration("lease", secs(30), range::LEASE),
        clock_tolerance: t.duration("clock_tolerance", secs(2), range::CLOCK_TOLERANCE),
        shutdown_timeout: t.duration("shutdown_timeout", secs(10), range::SHUTDOWN_TIMEOUT),
        database_timeout: t.duration("database_timeout", secs(5), range::DATABASE_TIMEOUT),
        jobs: t.table("jobs", "[jobs] ", |t| JobsTable {
            threads: t.integer("threads", 0, range::THREADS),
            max_running: t.integer("max_running", 10_000, range::MAX_RUNNING),
        }),
        retention: t.table("retention", "[retention] ", |t| Retention {
            max_age: t.duration_or_never("max_age", MaxAge::ByOrigin, range::MAX_AGE),
            max_per_task: t.integer("max_per_task", 0, range::MAX_PER_TASK),
            max_log_age: t.duration_or_never("max_log_age", Some(days(30)), range::MAX_AGE),
            max_edit_age: t.duration_or_never("max_edit_age", Some(days(365)), range::MAX_AGE),
        }),
    }
}

const STORE: &str = "\"mysql\" or an SQLite file such as \"sqlite:data/scheduler.db\"";

fn store(text: &str) -> Option<StoreChoice> {
    if text == "mysql" {
        return Some(StoreChoice::Mysql);
    }
    let path = text.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    // A database in memory would be a different one on each connection; options are not ours to set.
    let is_file = !path.is_empty() && !path.contains([':', '?']) && !path.ends_with('/');
    is_file.then(|| StoreChoice::Sqlite(PathBuf::from(path)))
}

fn timezone(t: &mut Reader<'_>) -> String {
    let utc = Some("UTC".to_owned());
    t.text_or_else("timezone", utc, TIMEZONE, zone_name).unwrap_or_default()
}

const TIMEZONE: &str = "the IANA name of a zone such as \"Europe/Berlin\"";

/// The zone's own spelling, so that `europe/berlin` is shown as `Europe/Berlin`; else what was expected.
///
/// Looked up where the plan does, which takes the name for granted.
pub(super) fn zone_name(name: &str) -> Result<String, String> {
    if let Ok(zone) = Zone::named(name) {
        return Ok(zone.name().to_owned());
    }
    let known = jiff::tz::TimeZoneDatabase::bundled();
    let names: Vec<String> = known.available().map(|name| name.to_string()).collect();
    let near = nearest(name, names.iter().map(String::as_str));
    Err(near.map_or_else(|| TIMEZONE.to_owned(), |near| format!("a known zone: {near:?}?")))
}
