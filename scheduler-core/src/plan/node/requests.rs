//! What waits outside of the schedule: manual runs and retries.
//!
//! A request waits in its table until a run is committed in the same transaction that takes it away, so it is
//! never lost and never runs twice. While the task is busy it waits; it is not subject to the grace. Readings bring
//! the requests of everybody; a retry of our own is known as soon as the outcome before it is recorded.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, Node, Notice, tasks::Known};
use crate::plan::{
    Now,
    claim::{Claim, Entry, Origin, Request},
    execution::Status,
    retry::Retry,
    task::{Policy, TaskId},
};

/// The requests a node knows of, the soonest first; one task's never share an instant and an attempt.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<Key, Request>,
    /// Retries that began to wait while a reading was under way, which may have seen them or not.
    fresh: Vec<Request>,
}

/// How many retries a reading brings at most; the later ones come when these are served.
pub const MOST_REQUESTS: usize = 10_000;

/// When it is due, then what it is.
type Key = (DateTime<Utc>, TaskId, DateTime<Utc>, u32);

fn key(request: &Request) -> Key {
    (request.due_at, request.task_id, request.scheduled_at, request.attempt)
}

/// Comes after all that are due at `now`.
fn end_of(now: Now) -> Key {
    (now.wall, TaskId::MAX, DateTime::<Utc>::MAX_UTC, u32::MAX)
}

impl Requests {
    pub(super) fn read(&mut self, read: Vec<Request>) {
        let is_all = read.len() < MOST_REQUESTS;
        let last = read.iter().map(key).max();
        let old = std::mem::take(&mut self.waiting);
        self.waiting = read.into_iter().map(|request| (key(&request), request)).collect();
        // Of what lies beyond a reading that was full we know what we knew before.
        if let Some(last) = last.filter(|_| !is_all) {
            let beyond = old.into_iter().filter(|(key, _)| *key > last);
            self.waiting.extend(beyond.take(MOST_REQUESTS));
        }
        for request in std::mem::take(&mut self.fresh) {
            self.wait(request);
        }
    }

    pub(super) fn wait(&mut self, request: Request) {
        self.waiting.insert(key(&request), request);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next that is not due yet.
    pub(super) fn next_due(&self, now: Now) -> Option<DateTime<Utc>> {
        let later = self.waiting.range((Bound::Excluded(end_of(now)), Bound::Unbounded));
        later.map(|((due_at, ..), _)| *due_at).next()
    }

    fn due(&self, now: Now) -> Vec<Key> {
        self.waiting.range(..=end_of(now)).map(|(key, _)| *key).collect()
    }
}

impl Node {
    /// A retry of ours is recorded: from now on it waits.
    pub(super) fn wait_for_retry(&mut self, task_id: TaskId, retry: Retry) {
        let Retry { scheduled_at, attempt, due_at } = retry;
        let request = Request { origin: Origin::Retry, task_id, scheduled_at, attempt, due_at };
        if self.reading.in_flight {
            self.requests.fresh.push(request.clone());
        }
        self.requests.wait(request);
    }

    /// Keeps a manual run whose millisecond a fire took, for the next one.
    pub(super) fn move_on(&mut self, claim: &Claim) {
        let scheduled_at = claim.first + TimeDelta::milliseconds(1);
        let (origin, task_id) = (claim.origin, claim.task_id);
        let due_at = DateTime::UNIX_EPOCH;
        self.requests.wait(Request { origin, task_id, scheduled_at, attempt: 1, due_at });
    }

    /// Claims of the requests that can run now, at most `room`, at most one per task.
    pub(super) fn claim_requests(
        &mut self,
        room: usize,
        now: Now,
        actions: &mut Vec<Action>,
    ) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        let mut claimed = HashSet::new();
        for key in self.requests.due(now) {
            let task_id = key.1;
            let is_stuck = self.stuck.contains(&task_id);
            if claims.len() == room {
                break;
            }
            if claimed.contains(&task_id) || (is_stuck && !claims.is_empty()) {
                continue;
            }
            let Some(request) = self.requests.waiting.get(&key).cloned() else { continue };
            let Some(claim) = self.claim_request(&request, actions) else { continue };
            self.requests.waiting.remove(&key);
            self.mark_claiming(task_id);
            claimed.insert(task_id);
            claims.push(claim);
            // A task that failed alone would make the others fail with it.
            if is_stuck {
                break;
            }
        }
        claims
    }

    fn claim_request(&mut self, request: &Request, actions: &mut Vec<Action>) -> Option<Claim> {
        let load = self.load(request.task_id);
        let reason = match self.known.get(&request.task_id) {
            Some(Known::Live(live)) => {
                let is_planned = !live.is_claiming && !live.is_stale && live.accounted.is_some();
                let policy = live.task.policy;
                let busy = load.running + load.unrecorded;
                if !is_planned || policy.limit().is_some_and(|limit| busy >= limit) {
                    return None;
                }
                let spec = Arc::clone(&live.task.spec);
                let extra = policy.extra_at_claim();
                return Some(self.asked_for(request, spec, &policy, Status::Todo, extra));
            }
            Some(Known::Disabled) => "the task is disabled",
            Some(Known::Rejected(_)) => "the row of the task is rejected, see `scheduler check`",
            None => "the row of the task is no more",
        };
        let (task_id, attempt) = (request.task_id, request.attempt);
        let reason = reason.to_owned();
        let extra = serde_json::json!({ "reason": reason }).to_string();
        actions.push(Action::Report(Notice::RequestRefused { task_id, attempt, reason }));
        let policy = Policy::default();
        Some(self.asked_for(request, "".into(), &policy, Status::Cancelled, extra))
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
        Request { origin: Origin::Retry, task_id, scheduled_at, attempt: 2, due_at }
    }

    fn waiting(requests: &Requests) -> Vec<TaskId> {
        requests.waiting.values().map(|request| request.task_id).collect()
    }

    #[test]
    fn what_is_due_ends_with_now_and_what_comes_next_begins_after_it() {
        let mut requests = Requests::default();
        requests.read(vec![retry(1, 10), retry(2, 20), retry(3, 5)]);
        assert_eq!(requests.due(now(10)).iter().map(|key| key.1).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(requests.next_due(now(10)), Some(at(20)));
        assert_eq!(requests.next_due(now(20)), None);
    }

    #[test]
    fn a_reading_replaces_what_was_known_but_for_what_came_up_while_it_was_under_way() {
        let mut requests = Requests::default();
        requests.read(vec![retry(1, 10)]);
        requests.wait(retry(2, 20));
        requests.fresh.push(retry(2, 20));
        requests.read(vec![retry(3, 30)]);
        assert_eq!(waiting(&requests), [2, 3]);
        requests.read(vec![]);
        assert!(waiting(&requests).is_empty());
    }

    #[test]
    fn what_lies_beyond_a_full_reading_stays_known() {
        let mut requests = Requests::default();
        requests.read(vec![retry(1, 10), retry(99, 99)]);
        let full = (0..i64::try_from(MOST_REQUESTS).unwrap()).map(|n| retry(n, 50)).collect();
        requests.read(full);
        assert_eq!(requests.waiting.len(), MOST_REQUESTS + 1);
        assert!(waiting(&requests).contains(&99));
    }
}
