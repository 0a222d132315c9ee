//! The steps that three nodes and a person take in turn, drawn from a seed.

use std::collections::BTreeSet;

use crate::plan::execution::Status;

/// A step, and which of the three nodes takes it.
#[derive(Clone, Debug)]
pub struct Turn {
    pub(super) node: usize,
    pub(super) step: Step,
}

/// A step; tasks and requests by their number in the sequence.
#[derive(Clone, Debug)]
pub enum Step {
    Add {
        key: usize,
    },
    SetEnabled(usize, bool),
    SetSpec(usize, &'static str),
    Delete(usize),
    SetStatusByHand(usize, &'static str),
    RequestRun(usize, i64),
    Claim(Vec<Planned>),
    /// Of the claim with this number: status, whether the trace is somebody else's, whether it is tried again.
    Record(Vec<(usize, Status, bool, bool)>),
    /// Of the claim with this number: what its job notes, and whether the trace is somebody else's.
    Note(usize, bool),
    SettleLast,
    Renew,
    Leave,
    PassADay,
    /// With these tasks as suspects.
    Reap(Vec<usize>),
    Read,
}

/// A claim in a [`Step`].
#[derive(Clone, Debug)]
pub struct Planned {
    pub(super) task: usize,
    pub(super) spec: &'static str,
    pub(super) limit: Option<u32>,
    pub(super) request: Option<usize>,
    pub(super) retry: Option<usize>,
    /// Instants in seconds and statuses, oldest first.
    pub(super) entries: Vec<(i64, Status)>,
    pub(super) trace: usize,
}

/// A sequence of at most 60 turns from `seed`.
#[must_use]
pub fn turns(seed: u64) -> Vec<Turn> {
    let mut draw = Draw(seed);
    let mut traces = 0;
    let mut requests = 0;
    let mut turns: Vec<Turn> =
        (0..3).map(|node| Turn { node, step: Step::Add { key: node } }).collect();
    let count = 20 + draw.below(38);
    for now in 0..count {
        let task = draw.below(5);
        let step = match draw.below(26) {
            0 => Step::Add { key: draw.below(5) },
            1 => Step::SetEnabled(task, draw.below(3) > 0),
            2 => Step::SetSpec(task, ["10", "7"][draw.below(2)]),
            3 if draw.below(3) == 0 => Step::Delete(task),
            4 => Step::SetStatusByHand(task, ["doing", "ready"][draw.below(2)]),
            5 | 6 => {
                requests += 1;
                Step::RequestRun(task, i64::try_from(draw.below(4)).unwrap() * 500)
            }
            7..=13 => {
                Step::Claim(claims(&mut draw, i64::try_from(now).unwrap(), requests, &mut traces))
            }
            14..=18 if traces > 0 => {
                let status = |draw: &mut Draw| [Status::Success, Status::Fail][draw.below(2)];
                let outcomes = (0..=draw.below(3))
                    .map(|_| {
                        let is_retried = draw.below(2) == 0;
                        (draw.recent(traces), status(&mut draw), draw.below(8) == 0, is_retried)
                    })
                    .collect();
                Step::Record(outcomes)
            }
            19 => Step::SettleLast,
            20 => Step::Renew,
            21 => [Step::Leave, Step::PassADay][draw.below(2)].clone(),
            22 => Step::Reap(vec![draw.below(5), draw.below(5)]),
            23 | 24 if traces > 0 => Step::Note(draw.recent(traces), draw.below(4) == 0),
            _ => Step::Read,
        };
        turns.push(Turn { node: draw.below(3), step });
    }
    turns
}

fn claims(draw: &mut Draw, now: i64, requests: usize, traces: &mut usize) -> Vec<Planned> {
    let mut tasks = BTreeSet::new();
    let mut planned = Vec::new();
    for _ in 0..=draw.below(4) {
        let task = draw.below(5);
        if !tasks.insert(task) {
            continue;
        }
        // Instants move on with the sequence, but a claim may come late or twice. Some lie before every edit.
        let newest = if draw.below(10) == 0 {
            now - 1_000_000_000
        } else {
            now * 10 - 10 * small(draw.below(3))
        };
        let request = (requests > 0 && draw.below(4) == 0).then(|| draw.recent(requests));
        let retry = (request.is_none() && draw.below(4) == 0).then(|| draw.below(6));
        let is_asked_for = request.is_some() || retry.is_some();
        let entries = match draw.below(6) {
            0 => vec![(newest, Status::Missed)],
            1 => vec![(newest, Status::Skipped)],
            2 if !is_asked_for => vec![(newest - 5, Status::Missed), (newest, Status::Todo)],
            3 if is_asked_for => vec![(newest, Status::Cancelled)],
            _ => vec![(newest, Status::Todo)],
        };
        let spec = if draw.below(6) == 0 { "7" } else { "10" };
        planned.push(Planned {
            task,
            spec,
            limit: [None, Some(1), Some(1), Some(2)][draw.below(4)],
            request,
            retry,
            entries,
            trace: *traces,
        });
        *traces += 1;
    }
    planned
}

fn small(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

/// SplitMix64: the numbers of a sequence from its seed.
#[derive(Debug)]
pub(super) struct Draw(pub(super) u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, 1 or more.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// One of the last numbers below `count`.
    fn recent(&mut self, count: usize) -> usize {
        count - 1 - self.below(count.min(6))
    }
}
