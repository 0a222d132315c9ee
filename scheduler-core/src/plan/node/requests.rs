//! Manual runs: somebody asked for a task to run now, once.
//!
//! A request waits in its table until a run is committed in the same transaction that takes it away, so it is
//! never lost and never runs twice. While the task is busy it waits; it is not subject to the grace.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Action, Node, Notice, tasks::Known};
use crate::plan::{
    claim::{Claim, Entry, Request, RequestId},
    execution::{Source, Status},
    task::TaskId,
};

impl Node {
    pub(super) fn take_requests(&mut self, requests: Vec<Request>) {
        self.requests = requests.into_iter().map(|request| (request.id, request)).collect();
    }

    /// Keeps a request that could not be served, under another instant.
    pub(super) fn ask_later(
        &mut self,
        task_id: TaskId,
        id: RequestId,
        requested_at: DateTime<Utc>,
    ) {
        self.requests.insert(id, Request { id, task_id, requested_at });
    }

    /// Claims of the requests that can run now, at most `room`, at most one per task.
    pub(super) fn claim_requests(&mut self, room: usize, actions: &mut Vec<Action>) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        let mut waiting = BTreeMap::new();
        // A task that failed alone would make the others fail with it.
        let mut is_alone = false;
        for (id, request) in std::mem::take(&mut self.requests) {
            let is_next = claims.len() < room
                && !is_alone
                && (claims.is_empty() || !self.stuck.contains(&request.task_id))
                && claims.iter().all(|claim| claim.task_id != request.task_id);
            let claim = if is_next { self.claim_request(&request, actions) } else { None };
            match claim {
                Some(claim) => {
                    is_alone = self.stuck.contains(&claim.task_id);
                    self.mark_claiming(claim.task_id);
                    claims.push(claim);
                }
                None => {
                    waiting.insert(id, request);
                }
            }
        }
        self.requests = waiting;
        claims
    }

    fn claim_request(&mut self, request: &Request, actions: &mut Vec<Action>) -> Option<Claim> {
        let load = self.load(request.task_id);
        let reason = match self.known.get(&request.task_id) {
            Some(Known::Live(live)) => {
                let is_planned = !live.is_claiming && !live.is_stale && live.accounted.is_some();
                let limit = live.task.policy.limit();
                let busy = load.running + load.unrecorded;
                if !is_planned || limit.is_some_and(|limit| busy >= limit) {
                    return None;
                }
                let spec = Arc::clone(&live.task.spec);
                return Some(self.manual(request, spec, limit, Status::Todo, "{}".to_owned()));
            }
            Some(Known::Disabled) => "the task is disabled",
            Some(Known::Rejected(_)) => "the row of the task is rejected, see `scheduler check`",
            None => "the row of the task is no more",
        };
        let refused =
            Notice::RequestRefused { task_id: request.task_id, reason: reason.to_owned() };
        actions.push(Action::Report(refused));
        let extra = serde_json::json!({ "reason": reason }).to_string();
        Some(self.manual(request, "".into(), None, Status::Cancelled, extra))
    }

    fn manual(
        &mut self,
        request: &Request,
        spec: Arc<str>,
        limit: Option<u32>,
        status: Status,
        extra: String,
    ) -> Claim {
        let trace_id = (self.make_trace_id)();
        let scheduled_at = request.requested_at;
        Claim {
            task_id: request.task_id,
            spec,
            first: scheduled_at,
            limit,
            request: Some(request.id),
            entries: vec![Entry { scheduled_at, trace_id, status, source: Source::Manual, extra }],
        }
    }
}
