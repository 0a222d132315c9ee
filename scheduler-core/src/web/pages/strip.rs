//! The last runs of a task as bars.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    admin::{HourView, OutcomesView},
    store::RecentRow,
    web::frame::{Frame, in_query, local, millis},
};

/// How many a strip has.
pub(super) const RUNS: u32 = 60;

/// Pixels from bar to bar, and from top to bottom.
const STEP: i64 = 3;
const HEIGHT: i64 = 22;

/// The last runs of a task, as the paths of an image of 180 by 22 pixels.
#[derive(Debug, Default)]
pub(super) struct Strip {
    /// By kind, those with bars: kind and path.
    pub(super) paths: Vec<(&'static str, String)>,
    /// In words.
    pub(super) words: String,
    /// The last of them: its id, its status and its instant.
    pub(super) last: Option<(i64, String, Option<DateTime<Utc>>)>,
}

/// Kind and height of bars.
const KINDS: [(&str, i64); 8] = [
    ("success", 13),
    ("fail", 21),
    ("missed", 8),
    ("skipped", 4),
    ("running", 17),
    ("timeout", 21),
    ("lost", 21),
    ("cancelled", 4),
];

/// Of which kind a status is, as a place in [`KINDS`].
fn kind(status: &str) -> usize {
    match status {
        "success" => 0,
        "fail" => 1,
        "missed" => 2,
        "skipped" => 3,
        "timeout" => 5,
        "lost" => 6,
        "cancelled" => 7,
        _ => 4,
    }
}

impl Strip {
    /// Of one task, the earliest run first.
    pub(super) fn of(frame: &Frame, runs: &[RecentRow]) -> Self {
        let newest = &runs[runs.len().saturating_sub(RUNS as usize)..];
        let mut paths = KINDS.map(|(kind, _)| (kind, String::new()));
        let mut counts = KINDS.map(|_| 0);
        let first = i64::from(RUNS) - i64::try_from(newest.len()).unwrap_or_default();
        for (place, run) in (first..).zip(newest) {
            let kind = kind(&run.status);
            counts[kind] += 1;
            let (x, top) = (place * STEP + 1, HEIGHT - KINDS[kind].1);
            let _ = write!(paths[kind].1, "M{x} {top}V{HEIGHT}");
        }
        let counted = KINDS.iter().zip(counts).filter(|(_, count)| *count > 0);
        let words = counted.map(|((kind, _), count)| {
            let status = if *kind == "running" { "todo" } else { kind };
            format!("{count} {}", frame.words.status(status))
        });
        Self {
            words: words.collect::<Vec<_>>().join(", "),
            paths: paths.into_iter().filter(|(_, path)| !path.is_empty()).collect(),
            last: newest.last().map(|run| (run.id, run.status.clone(), run.scheduled_at)),
        }
    }
}

/// How long the last runs of a task took, as bars of a chart of 720 by 140.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    /// What the top and the middle of the scale stand for.
    pub(super) top: String,
    pub(super) middle: String,
}

/// One run.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) height: i64,
    /// Whether it took longer than the chart is high.
    pub(super) is_cut: bool,
}

impl Chart {
    /// Of one task, the earliest run first; `None`: none of them ended.
    pub(super) fn of(frame: &Frame, runs: &[RecentRow]) -> Option<Self> {
        const TALL: i64 = 140;
        let newest = &runs[runs.len().saturating_sub(RUNS as usize)..];
        let took = |run: &RecentRow| {
            run.finished_at.zip(run.started_at).map(|(end, start)| (end - start).num_milliseconds())
        };
        let (longest, is_cut) = scale(newest.iter().filter_map(took).collect())?;
        let bar = |(x, run): (i64, &RecentRow)| {
            let kind = KINDS[kind(&run.status)].0;
            let took = took(run);
            let height = took.map_or(4, |took| (took * TALL / longest).clamp(4, TALL));
            let is_cut = took.is_some_and(|took| took > longest);
            let instant = run.scheduled_at.map(|at| local(&frame.zone, at)).unwrap_or_default();
            let took = took.map(|took| format!(", {}", millis(took))).unwrap_or_default();
            let title = format!("{instant}, {}{took}", frame.words.status(&run.status));
            Bar { id: run.id, title, kind, x: x * 12, y: TALL - height, height, is_cut }
        };
        let bars = (0..).zip(newest).map(bar).collect();
        let top = if is_cut { format!("≥ {}", millis(longest)) } else { millis(longest) };
        Some(Self { bars, top, middle: millis(longest / 2) })
    }
}

/// For how long the top of a chart stands, in milliseconds, and whether the longest of these are cut there: a few that took
/// many times as long as the others would leave nothing to see of them.
fn scale(mut took: Vec<i64>) -> Option<(i64, bool)> {
    took.sort_unstable();
    let longest = (*took.last()?).max(2);
    let most = (took[(took.len() - 1) * 9 / 10] * 2).max(2);
    let are_many = took.len() >= 10;
    Some(if are_many && longest > most * 2 { (most, true) } else { (longest, false) })
}

/// What became of the executions of a day, as bars of a chart of 720 by 140, one an hour.
#[derive(Debug, Default)]
pub(super) struct Day {
    pub(super) hours: Vec<DayHour>,
    /// What the top and the middle of the scale stand for.
    pub(super) top: u64,
    pub(super) middle: u64,
    /// Kind, status, name and count of all hours together, those that there are.
    pub(super) totals: Vec<(&'static str, &'static str, &'static str, u64)>,
    /// From when on all are counted, if it is less than a day.
    pub(super) since: Option<String>,
}

/// One hour.
#[derive(Debug)]
pub(super) struct DayHour {
    /// When it began, `14:00`.
    time: String,
    pub(super) title: String,
    /// When it began, as the list of executions takes it.
    pub(super) since: String,
    /// When it was over.
    pub(super) until: String,
    pub(super) x: u64,
    /// Kind, top and height, from below.
    pub(super) parts: Vec<(&'static str, u64, u64)>,
}

/// Pixels from hour to hour.
const HOUR: u64 = 28;

impl Day {
    /// Beginning, middle and end.
    pub(super) fn axis(&self) -> Vec<&str> {
        let hours = &self.hours;
        let places = [0, hours.len() / 2, hours.len().saturating_sub(1)];
        places.into_iter().filter_map(|place| Some(&*hours.get(place)?.time)).collect()
    }

    /// Pixels of all hours.
    pub(super) fn width(&self) -> usize {
        usize::try_from(HOUR).unwrap_or_default() * self.hours.len()
    }

    pub(super) fn of(frame: &Frame, outcomes: &OutcomesView) -> Self {
        const TALL: u64 = 140;
        let sum = |hour: &HourView| hour.counts().iter().map(|(_, count)| count).sum::<u64>();
        let most = outcomes.hours.iter().map(sum).max().unwrap_or(0).max(2);
        let hour = |(place, hour): (u64, &HourView)| {
            let (mut parts, mut said) = (Vec::new(), Vec::new());
            let mut below = 0;
            for (status, count) in hour.counts().into_iter().filter(|(_, count)| *count > 0) {
                // What happened at all is seen.
                let height = (count * TALL / most).max(2);
                below += height;
                parts.push((KINDS[kind(status)].0, TALL.saturating_sub(below), height));
                said.push(format!("{count} {}", frame.words.status(status)));
            }
            let comma = if frame.words.lang == "en" { ", " } else { "，" };
            let began = local(&frame.zone, hour.began_at);
            let title = format!("{began}{}{}", frame.t().colon, said.join(comma));
            let time = local(&frame.zone, hour.began_at).get(11..16).unwrap_or_default().to_owned();
            let typed = |at| in_query(&local(&frame.zone, at).replace(' ', "T"));
            let (since, until) = (typed(hour.began_at), typed(hour.began_at + TimeDelta::hours(1)));
            DayHour { time, title, since, until, x: place * HOUR, parts }
        };
        let totals = outcomes.total().counts();
        let totals = totals.into_iter().filter(|(_, count)| *count > 0);
        Self {
            hours: (0..).zip(&outcomes.hours).map(hour).collect(),
            top: most,
            middle: most / 2,
            totals: totals
                .map(|(status, count)| {
                    (KINDS[kind(status)].0, status, frame.words.status(status), count)
                })
                .collect(),
            since: (frame.now - outcomes.since_at < TimeDelta::hours(23))
                .then(|| local(&frame.zone, outcomes.since_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_long_runs_leave_something_to_see_of_the_others() {
        assert_eq!(scale(vec![]), None);
        assert_eq!(scale(vec![0]), Some((2, false)));
        assert_eq!(scale(vec![60_000]), Some((60_000, false)));
        assert_eq!(scale(vec![100, 120, 390]), Some((390, false)));
        let mut took = vec![100; 19];
        took.push(401);
        assert_eq!(scale(took.clone()), Some((200, true)));
        took.push(400);
        took.retain(|took| *took != 401);
        assert_eq!(scale(took), Some((400, false)));
    }
}
