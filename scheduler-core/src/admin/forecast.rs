//! How many tasks fire in each minute of the time to come, by their triggers alone: nobody knows yet what will be switched
//! off, late or tried again.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::board::{Board, BoardRow};
use crate::plan::{
    task::TaskId,
    trigger::{CronTrigger, Trigger},
    words::instant,
};

/// How many minutes lie ahead.
pub const MINUTES: usize = 24 * 60;

/// Tasks that are named of a minute, at most.
const NAMED: usize = 5;

/// So many instants are looked for at most: one takes some microseconds.
const MOST: usize = 500_000;

/// How many tasks fire in each minute of the next 24 hours.
#[derive(Debug, Default)]
pub struct Forecast {
    /// When the first minute began.
    pub from: DateTime<Utc>,
    /// Each minute.
    pub minutes: Vec<Minute>,
    /// Whether all tasks were looked at.
    pub is_whole: bool,
}

/// A minute to come.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Minute {
    /// How many fires.
    pub fires: u64,
    /// Of how many tasks.
    pub tasks: u32,
    /// The first of these.
    pub named: Vec<TaskId>,
}

/// A minute to come in which something fires.
#[derive(Debug, Serialize, ToSchema)]
pub struct MinuteView {
    /// When it begins.
    pub at: String,
    /// How many fires.
    pub fires: u64,
    /// Of how many tasks.
    pub tasks: u32,
    /// `id` of the first five of these.
    pub task_ids: Vec<TaskId>,
}

/// What fires in the next 24 hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForecastView {
    /// When the first minute began.
    pub from: String,
    /// Whether all tasks were looked at: of very many some are not.
    pub is_whole: bool,
    /// The minutes in which something fires, the soonest first.
    pub minutes: Vec<MinuteView>,
}

/// Minute and fires.
type Fires = Arc<[(usize, u64)]>;

impl Forecast {
    /// Of the tasks of `board` that `is_seen`, from the minute of `now` on.
    pub fn of(board: &Board, now: DateTime<Utc>, is_seen: impl Fn(&BoardRow) -> bool) -> Self {
        let from = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        let mut forecast = Self { from, minutes: vec![Minute::default(); MINUTES], is_whole: true };
        let mut known: HashMap<*const CronTrigger, Fires> = HashMap::new();
        let mut looked = 0;
        for (row, trigger) in board.triggers().filter(|(row, _)| is_seen(row)) {
            if looked > MOST {
                forecast.is_whole = false;
                break;
            }
            let fires = match trigger {
                Trigger::Cron(cron) => {
                    let fires = known.entry(Arc::as_ptr(cron)).or_insert_with(|| {
                        let fires = fires_of(trigger, from);
                        looked += fires.len() + 1;
                        fires
                    });
                    Arc::clone(fires)
                }
                Trigger::Date(_) | Trigger::Interval(_) => {
                    let fires = fires_of(trigger, from);
                    looked += fires.len() / 16 + 1;
                    fires
                }
            };
            for (minute, fires) in fires.iter() {
                forecast.minutes[*minute].add(row.id, *fires);
            }
        }
        forecast
    }

    /// The minutes in which something fires.
    pub fn busy(&self) -> impl Iterator<Item = (DateTime<Utc>, &Minute)> {
        let begins = (0..).map(|minute| self.from + TimeDelta::minutes(minute));
        begins.zip(&self.minutes).filter(|(_, minute)| minute.fires > 0)
    }

    /// As programs see it.
    #[must_use]
    pub fn view(&self) -> ForecastView {
        let view = |(at, minute): (DateTime<Utc>, &Minute)| MinuteView {
            at: instant(at),
            fires: minute.fires,
            tasks: minute.tasks,
            task_ids: minute.named.clone(),
        };
        let minutes = self.busy().map(view).collect();
        ForecastView { from: instant(self.from), is_whole: self.is_whole, minutes }
    }
}

impl Minute {
    fn add(&mut self, task: TaskId, fires: u64) {
        self.fires += fires;
        self.tasks += 1;
        if self.named.len() < NAMED {
            self.named.push(task);
        }
    }
}

/// In which minutes after `from` the trigger fires, and how often.
fn fires_of(trigger: &Trigger, from: DateTime<Utc>) -> Fires {
    let (millisecond, minute) = (TimeDelta::milliseconds(1), TimeDelta::minutes(1));
    let mut fires = Vec::new();
    let mut next = trigger.next_after(from - millisecond);
    while let Some(at) = next {
        let place = (at - from).num_minutes();
        let Some(place) = usize::try_from(place).ok().filter(|place| *place < MINUTES) else {
            break;
        };
        let begin = at.duration_trunc(minute).unwrap_or(at);
        let end = begin + minute - millisecond;
        fires.push((place, trigger.count(begin - millisecond, end)));
        next = trigger.next_after(end);
    }
    fires.into()
}
