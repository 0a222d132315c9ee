//! The rows of a simulation and the people who edit them; what each row meant, and when.

use fastrand::Rng;
use jiff::tz::TimeZone;
use scheduler_core::{
    plan::task::TaskId,
    store::{Desk as _, NewTask, memory::at_once},
};

use super::{
    database::Database,
    grid::Grid,
    time::{Ms, utc},
};

/// What a row means from one edit to the next.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// When it was written, in true time.
    pub(super) from: Ms,
    /// When it was overwritten; `Ms::MAX`: not yet.
    pub(super) until: Ms,
    /// Its instants; `None`: disabled, rejected or deleted.
    pub(super) grid: Option<Grid>,
    /// Whether something may be claimed: it is there and enabled.
    pub(super) is_on: bool,
}

/// How a row's late and overlapping fires are treated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Most runs at once; `None`: any number.
    pub(super) limit: Option<u32>,
    /// Whether a fire waits for the run before it.
    pub(super) is_queue: bool,
    /// `misfire_grace_time`.
    pub(super) grace: Ms,
}

/// A row of `task`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// `id`.
    pub(super) id: TaskId,
    /// `create_at`, whole seconds.
    pub(super) created: Ms,
    /// The zone of its patterns.
    pub(super) zone: TimeZone,
    /// How it is treated.
    pub(super) rules: Rules,
    /// What it meant, oldest first.
    pub(super) versions: Vec<Version>,
    grid: Grid,
    is_enabled: bool,
    is_deleted: bool,
}

/// What a job does, in its row's `args`.
pub(super) const JOBS: [&str; 7] = ["quick", "quick", "quick", "seconds", "long", "fails", "never"];

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Pacific/Chatham",
];

/// Who edits the rows.
#[derive(Debug)]
pub(super) struct People {
    /// All rows that ever were.
    pub(super) rows: Vec<Row>,
    /// How many edits were made.
    pub(super) edits: u64,
    /// How many rows were deleted while something of them ran.
    pub(super) deleted_in_mid_run: u64,
    until: Ms,
}

impl People {
    /// People who plan for the time until `until`.
    pub(super) fn new(until: Ms) -> Self {
        Self { rows: Vec::new(), edits: 0, deleted_in_mid_run: 0, until }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, database: &mut Database, rng: &mut Rng, now: Ms) {
        let grid = Grid::draw(rng, now, self.until);
        let job = *rng.choice(&JOBS).unwrap_or(&"quick");
        let zone = *rng.choice(&ZONES).unwrap_or(&"UTC");
        let overlap = *rng.choice(&["skip", "skip", "queue", "allow"]).unwrap_or(&"skip");
        let grace_secs = *rng.choice(&[1, 10, 60, 60, 300]).unwrap_or(&60);
        let limit = if rng.u8(0..5) == 0 { 2 } else { 1 };
        let mut extra = serde_json::json!({
            "timezone": zone, "overlap": overlap, "misfire_grace_time": grace_secs, "max_instances": limit,
        });
        if job == "never" || rng.u8(0..5) == 0 {
            extra["timeout"] = rng.i64(20..90).into();
        }
        if rng.bool() {
            extra["retries"] = rng.u8(1..4).into();
            extra["backoff"] = "2s..20s".into();
        }
        if rng.u8(0..3) == 0 {
            extra["on_lost"] = "retry".into();
        }
        if job == "quick" && rng.u8(0..4) == 0 {
            extra["coalesce"] = false.into();
        }
        let key = format!("task {}", self.rows.len() + 1);
        let row = NewTask {
            args: job.to_owned(),
            extra: extra.to_string(),
            ..NewTask::new(&key, "job", grid.trigger(), &grid.spec())
        };
        database.store.set_now(utc(now));
        let Ok(id) = at_once(database.store.add(&row)) else { return };
        let rules = Rules {
            limit: (overlap != "allow").then_some(limit),
            is_queue: overlap == "queue",
            grace: grace_secs * 1_000,
        };
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let created = now.div_euclid(1_000) * 1_000;
        let versions = Vec::new();
        let mut row =
            Row { id, created, zone, rules, versions, grid, is_enabled: true, is_deleted: false };
        row.means(now, Some(row.grid.clone()));
        self.rows.push(row);
    }

    /// Edits a row, or adds one, as somebody might by SQL.
    pub(super) fn edit(&mut self, database: &mut Database, rng: &mut Rng, now: Ms) {
        self.edits += 1;
        let until = self.until;
        let living = self.rows.iter_mut().filter(|row| !row.is_deleted);
        let free: Vec<_> = living.filter(|row| !database.is_held(row.id)).collect();
        let Some(row) = rng.choice(free) else { return self.add(database, rng, now) };
        database.store.set_now(utc(now));
        let store = &database.store;
        match rng.u8(0..12) {
            0..3 => {
                row.is_enabled = !row.is_enabled;
                let _ = at_once(store.set_enabled(row.id, row.is_enabled));
                row.means(now, row.is_enabled.then(|| row.grid.clone()));
            }
            3..6 => {
                let grid = Grid::draw(rng, now, until);
                if grid.trigger() == row.grid.trigger() && grid != row.grid {
                    let _ = at_once(store.set_spec(row.id, &grid.spec()));
                    row.grid = grid;
                    row.means(now, row.is_enabled.then(|| row.grid.clone()));
                }
            }
            6 => {
                let _ = at_once(store.request_run(row.id, utc(now)));
                // Asking for a run is no edit.
            }
            7 if rng.bool() => store.edit(row.id, |row| row.status = Ok("doing".to_owned())),
            7 => {
                let _ = at_once(store.set_spec(row.id, "poison"));
                row.grid = Grid::Broken(row.grid.trigger());
                row.means(now, None);
            }
            8 | 9 => {
                let is_open = database.open().iter().any(|open| open.task_id == row.id);
                self.deleted_in_mid_run += u64::from(is_open);
                let _ = at_once(store.delete(row.id));
                row.is_deleted = true;
                row.means(now, None);
            }
            _ => self.add(database, rng, now),
        }
    }
}

impl Row {
    /// Whether `at` is so near an edit that a node may not have read it yet.
    pub(super) fn is_fresh(&self, at: Ms) -> bool {
        self.versions
            .iter()
            .any(|version| (version.from - 2_000..version.from + 15_000).contains(&at))
    }

    fn means(&mut self, now: Ms, grid: Option<Grid>) {
        if let Some(before) = self.versions.last_mut() {
            before.until = now;
        }
        let is_on = self.is_enabled && !self.is_deleted;
        self.versions.push(Version { from: now, until: Ms::MAX, grid, is_on });
    }
}
