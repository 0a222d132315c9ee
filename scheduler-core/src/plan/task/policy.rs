//! How late, overlapping, long and failing runs of a task are treated.

use std::{fmt, time::Duration};

use crate::plan::duration;

/// How late, overlapping, long and failing runs are treated: the configuration's defaults, which the job's own
/// [`JobOptions`] override, and which a row overrides in turn in `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A fire found later than this is recorded `missed`. 1 s or more.
    pub misfire_grace_time: Duration,
    /// Of several overdue fires only the newest runs.
    pub coalesce: bool,
    /// How many runs of the task may be open at once, 1 or more.
    pub max_instances: u32,
    /// What happens to a fire beyond `max_instances`.
    pub overlap: Overlap,
    /// A run is ended and recorded `timeout` after this; `None`: it may run for ever.
    pub timeout: Option<Duration>,
    /// How often a run that failed or timed out is tried again; `None`: never.
    pub retries: Option<u32>,
    /// How long a retry waits.
    pub backoff: Backoff,
    /// What becomes of a run whose node died.
    pub on_lost: OnLost,
    /// A fire that nobody has accounted for so long after its instant is an alarm.
    pub delay: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            misfire_grace_time: Duration::from_secs(60),
            coalesce: true,
            max_instances: 1,
            overlap: Overlap::Skip,
            timeout: None,
            retries: None,
            backoff: Backoff::DEFAULT,
            on_lost: OnLost::Leave,
            delay: Duration::from_secs(3_600),
        }
    }
}

impl Policy {
    /// This policy where the job says nothing, the job's where it does.
    #[must_use]
    pub fn with(self, options: &JobOptions) -> Self {
        Self {
            misfire_grace_time: options.misfire_grace_time.unwrap_or(self.misfire_grace_time),
            coalesce: self.coalesce,
            max_instances: options.max_instances.unwrap_or(self.max_instances),
            overlap: options.overlap.unwrap_or(self.overlap),
            timeout: options.timeout.or(self.timeout),
            retries: options.retries.or(self.retries),
            backoff: options.backoff.unwrap_or(self.backoff),
            on_lost: options.on_lost.unwrap_or(self.on_lost),
            delay: self.delay,
        }
    }

    /// How many runs of the task may be open at once; `None`: any number.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        (self.overlap != Overlap::Allow).then_some(self.max_instances)
    }
}

/// What `#[job("name", …)]` says of every task of its job; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    /// As [`Policy::misfire_grace_time`].
    pub misfire_grace_time: Option<Duration>,
    /// As [`Policy::max_instances`].
    pub max_instances: Option<u32>,
    /// As [`Policy::overlap`].
    pub overlap: Option<Overlap>,
    /// As [`Policy::timeout`].
    pub timeout: Option<Duration>,
    /// As [`Policy::retries`].
    pub retries: Option<u32>,
    /// As [`Policy::backoff`].
    pub backoff: Option<Backoff>,
    /// As [`Policy::on_lost`].
    pub on_lost: Option<OnLost>,
}

impl JobOptions {
    /// A job that says nothing.
    pub const NONE: Self = Self {
        misfire_grace_time: None,
        max_instances: None,
        overlap: None,
        timeout: None,
        retries: None,
        backoff: None,
        on_lost: None,
    };
}

/// How long a retry waits: `from` after the first attempt, doubled with each further one, at most `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait. 1 ms to 366 days.
    pub from: Duration,
    /// The longest, `from` or more. 1 ms to 366 days.
    pub to: Duration,
}

impl Backoff {
    /// 10 s, 20 s, 40 s, … up to 10 min.
    pub const DEFAULT: Self = Self { from: Duration::from_secs(10), to: Duration::from_secs(600) };

    /// Reads `10s..10m`, or `30s` for one wait that stays; `None` when it is neither, or out of range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let span = |text| {
            let span = duration::parse(text)?;
            (Duration::from_millis(1)..=LONGEST).contains(&span).then_some(span)
        };
        let backoff = Self { from: span(from)?, to: span(to)? };
        (backoff.from <= backoff.to).then_some(backoff)
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", duration::show(self.from), duration::show(self.to))
    }
}

/// `on_lost`: what becomes of a run whose node died or was stopped before the run had ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLost {
    /// It stays `lost` or `cancelled`: at most once.
    #[default]
    Leave,
    /// It is tried again: at least once.
    Retry,
}

/// `extra.overlap`: what happens to a fire whose task is still running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Recorded `skipped`.
    #[default]
    Skip,
    /// Waits until the task is free, however long; of several waiting only the newest runs.
    Queue,
    /// Runs at once; `max_instances` does not apply.
    Allow,
}

/// The longest span that a key takes: a year and a day.
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 86_400);
