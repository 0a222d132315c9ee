//! What waits outside of the schedule: manual runs and retries.
//!
//! A request waits in its table until a run is committed in the same transaction that takes it away, so it is
//! never lost and never runs twice. While the task is busy it waits; it is not subject to the grace. Readings bring
//! the requests of everybody; a retry of our own is known as soon as the outcome before it is recorded.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Node, Wanted, known::Known, lane::Standing};
use crate::plan::{
    Now,
    claim::{Claim, Entry, Origin, Request},
    execution::{Outcome, Status, args_of, extra_of_reason, extra_with_args},
    retry::Retry,
    task::{Policy, TaskId},
};

/// The requests a node knows of, the soonest first; one task's never share an instant and an attempt.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<Key, Request>,
    /// When each is due: it waits once, whatever brought it, and however often it was put off.
    due_at: HashMap<Identity, DateTime<Utc>>,
    /// Retries that began to wait while a reading was under way, which may have seen them or not.
    fresh: Vec<Request>,
}

/// How many manual runs a reading brings at most; the first of each task come before the second of any, so that those of one
/// task hide no others.
pub const MOST_MANUAL: usize = 1_000;

/// How many retries a reading brings at most; the later ones come when these are served.
pub const MOST_REQUESTS: usize = 10_000;

/// How many retries of one task it brings at most, so that those of a busy task hide no others.
pub const MOST_OF_ONE_TASK: usize = 100;

/// Whether `retries`, read within these limits, are all that wait.
#[must_use]
pub fn are_all(retries: &[Request]) -> bool {
    let mut of_task: HashMap<TaskId, usize> = HashMap::new();
    retries.iter().for_each(|retry| *of_task.entry(retry.task_id).or_default() += 1);
    retries.len() < MOST_REQUESTS && of_task.values().all(|count| *count < MOST_OF_ONE_TASK)
}

/// When it is due, then what it is.
type Key = (DateTime<Utc>, TaskId, DateTime<Utc>, u32);

fn key(request: &Request) -> Key {
    (request.due_at, request.task_id, request.scheduled_at, request.attempt)
}

/// Task, instant and attempt.
type Identity = (TaskId, DateTime<Utc>, u32);

fn identity(request: &Request) -> Identity {
    (request.task_id, request.scheduled_at, request.attempt)
}

/// Comes after all that are due at `now`.
fn end_of(now: Now) -> Key {
    (now.wall, TaskId::MAX, DateTime::<Utc>::MAX_UTC, u32::MAX)
}

impl Requests {
    /// What is recorded from now on, the reading that begins may not see.
    pub(super) fn reading_begins(&mut self) {
        self.fresh.clear();
    }

    /// What a reading found. Unless it `is_whole`, what was known before stays known.
    pub(super) fn read(&mut self, read: Vec<Request>, is_whole: bool) {
        if is_whole {
            self.waiting.clear();
            self.due_at.clear();
        }
        for request in read.into_iter().chain(std::mem::take(&mut self.fresh)) {
            self.wait(request);
        }
        // What is gone from the table leaves only when its turn comes: no more of it than of the living.
        while self.waiting.len() > 2 * MOST_REQUESTS {
            let Some((_, last)) = self.waiting.pop_last() else { break };
            self.due_at.remove(&identity(&last));
        }
    }

    pub(super) fn wait(&mut self, request: Request) {
        self.remove(&request);
        self.due_at.insert(identity(&request), request.due_at);
        self.waiting.insert(key(&request), request);
    }

    fn remove(&mut self, request: &Request) {
        if let Some(due_at) = self.due_at.remove(&identity(request)) {
            self.waiting.remove(&key(&Request { due_at, ..request.clone() }));
        }
    }

    pub(super) fn due_at(&self, request: &Request) -> Option<DateTime<Utc>> {
        self.due_at.get(&identity(request)).copied()
    }

    pub(super) fn tasks(&self) -> HashSet<TaskId> {
        self.waiting.values().map(|request| request.task_id).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The next that is not due yet.
    pub(super) fn next_due(&self, now: Now) -> Option<DateTime<Utc>> {
        let later = self.waiting.range((Bound::Excluded(end_of(now)), Bound::Unbounded));
        later.map(|((due_at, ..), _)| *due_at).next()
    }

    fn due(&self, now: Now) -> impl Iterator<Item = &Request> {
        self.waiting.range(..=end_of(now)).map(|(_, request)| request)
    }
}

impl Node {
    /// When what a reading brought is due here: a manual run is anybody's, a retry first that of the task's own node.
    pub(super) fn due_here(&self, request: &Request) -> DateTime<Utc> {
        match request.origin {
            Origin::Retry => self.share.due_here(request.task_id, request.due_at, Duration::MAX),
            Origin::Schedule | Origin::Request(_) => request.due_at,
        }
    }

    /// A retry of ours is recorded: from now on it waits.
    pub(super) fn wait_for_retry(&mut self, outcome: &Outcome, retry: Retry) {
        let Retry { scheduled_at, attempt, due_at } = retry;
        let (origin, task_id, args) = (Origin::Retry, outcome.task_id, args_of(&outcome.extra));
        let request = Request { origin, task_id, scheduled_at, attempt, due_at, args };
        if self.reading.in_flight {
            self.requests.fresh.push(request.clone());
        }
        self.requests.wait(request);
    }

    /// What was asked for and could not be claimed waits on in its table; here it is due again at `due_at`.
    pub(super) fn wait_again(&mut self, claim: &Claim, due_at: DateTime<Utc>) {
        if let Some(request) = asked_by(claim) {
            self.requests.wait(Request { due_at, ..request });
        }
    }

    /// Keeps a manual run whose millisecond a fire took, for the next one; if there is none, it waits in its table
    /// only.
    pub(super) fn move_on(&mut self, claim: &Claim) {
        let next = |request: Request| {
            let scheduled_at =
                request.scheduled_at.checked_add_signed(TimeDelta::milliseconds(1))?;
            Some(Request { scheduled_at, ..request })
        };
        if let Some(request) = asked_by(claim).and_then(next) {
            self.requests.wait(request);
        }
    }

    /// Claims of the requests that can run now, at most `room`, at most one per task, of tasks of one standing.
    pub(super) fn claim_requests(
        &mut self,
        room: usize,
        standing: Standing,
        now: Now,
    ) -> Vec<Claim> {
        let mut tasks = HashSet::new();
        let is_ready = |request: &&Request| {
            let wanted = Wanted::Asked(request.task_id);
            self.claims.standing(wanted) == standing
                && self.claims.put_off(wanted, now).is_none()
                && self.is_free(request)
                && tasks.insert(request.task_id)
        };
        let due = self.requests.due(now).filter(is_ready);
        let ready: Vec<Request> = if standing == Standing::Alone {
            // Who waits longest comes first, not what is oldest: what always fails is.
            let tried_again_at =
                |request: &&Request| self.claims.tried_again_at(Wanted::Asked(request.task_id));
            let first = due.min_by_key(tried_again_at);
            first.into_iter().cloned().collect()
        } else {
            due.take(room).cloned().collect()
        };
        let claim = |request: &Request| {
            self.requests.remove(request);
            self.mark_claiming(request.task_id);
            self.claim_request(request)
        };
        ready.iter().map(claim).collect()
    }

    /// Whether a request can be answered: by a run, or by its withdrawal. The retry of a row that is rejected here
    /// waits: another node may know the job, and the row may be mended.
    fn is_free(&self, request: &Request) -> bool {
        let live = match self.known.get(&request.task_id) {
            Some(Known::Live(live)) => live,
            Some(Known::Rejected(_)) => return request.origin != Origin::Retry,
            Some(Known::Disabled) | None => return true,
        };
        let load = self.load(request.task_id);
        let limit = live.task.policy.limit();
        let is_full = limit.is_some_and(|limit| load.running + load.unrecorded >= limit);
        let is_busy = is_full || load.is_behind();
        !live.is_claiming && !live.is_stale && live.accounted.is_some() && !is_busy
    }

    fn claim_request(&mut self, request: &Request) -> Claim {
        let reason = match self.known.get(&request.task_id) {
            Some(Known::Live(live)) => {
                let (spec, policy) = (Arc::clone(&live.task.spec), live.task.policy);
                let extra = policy.extra_at_claim();
                return self.asked_for(request, spec, &policy, Status::Todo, extra);
            }
            Some(Known::Disabled) => "the task is disabled",
            Some(Known::Rejected(_)) => "the row of the task is rejected, see `scheduler check`",
            None => "the row of the task is no more",
        };
        let extra = extra_of_reason(reason, None);
        self.asked_for(request, "".into(), &Policy::default(), Status::Cancelled, extra)
    }

    fn asked_for(
        &mut self,
        request: &Request,
        spec: Arc<str>,
        policy: &Policy,
        status: Status,
        extra: String,
    ) -> Claim {
        let trace_id = (self.make_trace_id)();
        let Request { origin, task_id, scheduled_at, attempt, .. } = *request;
        let extra = extra_with_args(&extra, request.args.as_deref());
        Claim {
            task_id,
            spec,
            first: scheduled_at,
            limit: policy.limit(),
            origin,
            entries: vec![Entry { scheduled_at, trace_id, status, attempt, extra }],
        }
    }
}

/// What `claim` was to serve, due at once; `None` for a fire of the schedule.
fn asked_by(claim: &Claim) -> Option<Request> {
    let entry = claim.entries.last().filter(|_| claim.origin != Origin::Schedule)?;
    Some(Request {
        origin: claim.origin,
        task_id: claim.task_id,
        scheduled_at: entry.scheduled_at,
        attempt: entry.attempt,
        due_at: DateTime::UNIX_EPOCH,
        args: args_of(&entry.extra),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn now(second: i64) -> Now {
        Now { wall: at(second), mono: std::time::Duration::ZERO }
    }

    fn retry(task_id: TaskId, due: i64) -> Request {
        let (scheduled_at, due_at) = (at(0), at(due));
        Request { origin: Origin::Retry, task_id, scheduled_at, attempt: 2, due_at, args: None }
    }

    fn waiting(requests: &Requests) -> Vec<TaskId> {
        requests.waiting.values().map(|request| request.task_id).collect()
    }

    #[test]
    fn what_is_due_ends_with_now_and_what_comes_next_begins_after_it() {
        let mut requests = Requests::default();
        requests.read(vec![retry(1, 10), retry(2, 20), retry(3, 5)], true);
        let due: Vec<TaskId> = requests.due(now(10)).map(|request| request.task_id).collect();
        assert_eq!(due, [3, 1]);
        assert_eq!(requests.next_due(now(10)), Some(at(20)));
        assert_eq!(requests.next_due(now(20)), None);
    }

    #[test]
    fn a_reading_replaces_what_was_known_but_for_what_came_up_while_it_was_under_way() {
        let mut requests = Requests::default();
        requests.read(vec![retry(1, 10)], true);
        requests.fresh.push(retry(9, 90));
        requests.reading_begins();
        requests.wait(retry(2, 20));
        requests.fresh.push(retry(2, 20));
        requests.read(vec![retry(3, 30)], true);
        assert_eq!(waiting(&requests), [2, 3]);
        requests.read(vec![], true);
        assert!(waiting(&requests).is_empty());
    }

    #[test]
    fn what_was_put_off_waits_once_though_no_reading_is_whole() {
        let mut requests = Requests::default();
        for put_off_to in [20, 30, 40] {
            requests.read(vec![retry(1, 10)], false);
            requests.wait(retry(1, put_off_to));
        }
        assert_eq!(waiting(&requests), [1]);
        assert_eq!(requests.next_due(now(0)), Some(at(40)));
    }

    #[test]
    fn a_reading_that_is_not_whole_forgets_nothing_and_fills_no_memory() {
        let mut requests = Requests::default();
        requests.read(vec![retry(1, 10), retry(99, 99)], true);
        requests.read(vec![retry(2, 20)], false);
        assert_eq!(waiting(&requests), [1, 2, 99]);
        let many = 3 * i64::try_from(MOST_REQUESTS).unwrap();
        requests.read((3..many).map(|task| retry(task, 50)).collect(), false);
        assert_eq!(requests.waiting.len(), 2 * MOST_REQUESTS);
        assert_eq!(waiting(&requests)[..2], [1, 2], "the soonest stay");
    }
}
