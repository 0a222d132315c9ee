//! The process on a machine: it starts, hears, acts, runs jobs, and ends one way or another.

use std::collections::VecDeque;

use scheduler_core::{
    plan::{
        execution::ExecutionId,
        lease,
        node::{Action, Ended, Event, Node, Run},
        notes::Notes,
    },
    store::{Store as _, memory::at_once},
};

use super::{DEADLINE, Happening, SHUTDOWN, World};
use crate::sim::{
    database::State,
    machine::{Job, Plight},
    seen,
    time::{Ms, ms},
};

impl World {
    pub(super) fn starts(&mut self, machine: usize) {
        let subject = &self.machines[machine];
        if subject.brain.is_none() && subject.plight != Some(Plight::Dead) {
            self.count("starts");
            if self.is_healed {
                self.mended_at = self.mended_at.max(self.now);
            }
            self.machines[machine].start(self.lease);
            self.hear(machine, Event::Tick);
        }
    }

    pub(super) fn crashes(&mut self, machine: usize) {
        if self.machines[machine].brain.is_some() {
            self.count("crashes");
            self.dies(machine);
        }
    }

    /// The process is gone, and says nothing.
    pub(super) fn dies(&mut self, machine: usize) {
        let node = self.machines[machine].node_id();
        self.truth.dies(&node, self.now);
        self.silent_since.insert(node, self.now);
        self.machines[machine].wakes(self.now);
        self.machines[machine].end();
    }

    pub(super) fn stops(&mut self, machine: usize) {
        if self.machines[machine].stopped_at.replace(self.now).is_none() {
            self.count("stops");
            if self.machines[machine].is_claiming {
                self.count("stops during a claim");
            }
            if self.rng.u8(0..5) == 0 {
                let incarnation = self.machines[machine].incarnation;
                let wait = self.rng.i64(0..SHUTDOWN);
                self.happens_in(wait, Happening::StopsAgain(machine, incarnation));
            }
            self.stops.push((self.machines[machine].node_id(), self.now, None));
            self.hear(machine, Event::Stop);
        }
    }

    pub(super) fn goes_on(&mut self, machine: usize) {
        if self.machines[machine].plight == Some(Plight::Paused)
            || !std::mem::take(&mut self.machines[machine].is_paused)
        {
            return;
        }
        if self.machines[machine].jobs.keys().any(|id| self.database.is_lost(*id)) {
            self.count("goes on and was taken for dead");
        }
        let now = self.now;
        self.machines[machine].wakes(now);
        // They may be quicker than the process, which has not noticed yet that it was away.
        self.starting_go_on(machine);
        for execution in std::mem::take(&mut self.machines[machine].over) {
            self.job_ends(machine, execution);
        }
        for event in std::mem::take(&mut self.machines[machine].inbox) {
            self.hear(machine, event);
        }
        self.hear(machine, Event::Tick);
    }

    fn starting_go_on(&mut self, machine: usize) {
        let starting: Vec<_> = self.machines[machine].starting.keys().copied().collect();
        starting.into_iter().for_each(|execution| self.job_begins(machine, execution));
    }

    pub(super) fn hear(&mut self, machine: usize, event: Event) {
        if self.machines[machine].is_paused {
            self.machines[machine].inbox.push_back(event);
            return;
        }
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.machines[machine].now(self.now);
            seen::in_event(&event, &mut self.counts);
            if matches!(event, Event::Claimed(..)) {
                self.machines[machine].is_claiming = false;
            }
            let Some(brain) = self.machines[machine].brain.as_mut() else { return };
            let actions = brain.handle(event, now);
            for action in actions {
                self.perform(machine, action, &mut events);
            }
        }
        let subject = &mut self.machines[machine];
        let now = subject.now(self.now);
        if let Some(brain) = &subject.brain {
            // As in production: nobody sleeps longer than 5 s, since the wall clock may step.
            let wait = brain.wake_in(now).map_or(DEADLINE, ms).clamp(1, 5_000);
            subject.wake_up += 1;
            let wake_up = subject.wake_up;
            self.happens_in(wait, Happening::Wake { machine, wake_up });
        }
    }

    fn perform(&mut self, machine: usize, action: Action, events: &mut VecDeque<Event>) {
        self.say(|| format!("m{machine}: {action:?}"));
        let now = self.now;
        self.digests(|| format!("{now} m{machine}: {action:?}"));
        match action {
            Action::Call(call) => self.calls(machine, call),
            Action::Start(runs) => runs.into_iter().for_each(|run| self.job_starts(machine, run)),
            Action::CancelJobs => {
                let incarnation = self.machines[machine].incarnation;
                let polite: Vec<_> = self.machines[machine]
                    .jobs
                    .iter()
                    .filter(|(_, job)| &*job.run.args == "seconds")
                    .map(|(id, _)| *id)
                    .collect();
                for execution in polite {
                    self.happens_in(100, Happening::JobEnds { machine, incarnation, execution });
                }
            }
            Action::Abort(executions) => {
                let ended = executions.into_iter().filter_map(|id| {
                    let starting = self.take_starting(machine, id);
                    if starting.is_some() {
                        self.truth.given_up.insert(id);
                    }
                    let ended = starting.or_else(|| self.take_job(machine, id, false))?;
                    Some(Ended { result: Err("ended by the scheduler".to_owned()), ..ended })
                });
                let ended: Vec<_> = ended.collect();
                events.push_back(Event::Ended(ended));
            }
            Action::Report(notice) => {
                let is_running = !self.machines[machine].jobs.is_empty();
                seen::in_notice(&notice, is_running, &mut self.counts);
            }
            Action::Exit { .. } => {
                let node = self.machines[machine].node_id();
                if self.database.state == State::Up && !self.machines[machine].is_cut_off {
                    let _ = at_once(self.database.store.leave(&node));
                }
                self.dies(machine);
                let now = self.now;
                let stop = self.stops.iter_mut().rev().find(|(of, ..)| *of == node);
                if let Some((_, _, left)) = stop {
                    *left = Some(now);
                }
                let wait = if self.is_healed { 1_000 } else { self.rng.i64(0..60_000) };
                self.happens_in(wait, Happening::Starts(machine));
            }
        }
    }

    /// Most jobs begin at once. Some wait for their thread, and the process may be frozen meanwhile.
    fn job_starts(&mut self, machine: usize, run: Run) {
        let execution = run.execution_id;
        self.machines[machine].starting.insert(execution, run);
        if self.rng.u8(0..50) > 0 {
            return self.job_begins(machine, execution);
        }
        let incarnation = self.machines[machine].incarnation;
        let wait = self.rng.i64(1..20);
        self.happens_in(wait, Happening::JobBegins { machine, incarnation, execution });
        if self.faults.pause.is_some() && self.rng.u8(0..20) == 0 {
            self.befalls(Happening::Pauses(machine));
        }
    }

    /// The job's first step, which asks once more whether it may begin.
    pub(super) fn job_begins(&mut self, machine: usize, execution: ExecutionId) {
        let now = self.machines[machine].now(self.now);
        let trust = self.machines[machine].brain.as_ref().map(Node::trust).unwrap_or_default();
        let Some(run) = self.machines[machine].starting.get(&execution) else { return };
        if !trust.covers(run.term, now) {
            self.count("lease over before the first step");
            let ended = self.take_starting(machine, execution);
            return self.hear(machine, Event::Ended(ended.into_iter().collect()));
        }
        let Some(run) = self.machines[machine].starting.remove(&execution) else { return };
        let (takes, result) = self.draw_job(&run.args);
        let incarnation = self.machines[machine].incarnation;
        let node = self.machines[machine].node_id();
        self.truth.begins(&node, &run, self.now);
        self.count("runs");
        let started_at = self.machines[machine].now(self.now).wall;
        self.machines[machine].jobs.insert(execution, Job { run, started_at, result });
        self.happens_in(takes, Happening::JobEnds { machine, incarnation, execution });
    }

    fn draw_job(&mut self, args: &str) -> (Ms, Result<(), String>) {
        match args {
            "seconds" => (self.rng.i64(1_000..30_000), Ok(())),
            "long" => (self.rng.i64(self.lease..3 * self.lease), Ok(())),
            "fails" if self.rng.bool() => (5, Err("it failed".to_owned())),
            "never" => (Ms::MAX / 4, Ok(())),
            _ => (self.rng.i64(1..10), Ok(())),
        }
    }

    pub(super) fn job_ends(&mut self, machine: usize, execution: ExecutionId) {
        if self.machines[machine].is_paused {
            self.machines[machine].over.push(execution);
        } else if let Some(ended) = self.take_job(machine, execution, true) {
            self.hear(machine, Event::Ended(vec![ended]));
        }
    }

    /// What never began comes back without a beginning.
    fn take_starting(&mut self, machine: usize, execution: ExecutionId) -> Option<Ended> {
        self.machines[machine].starting.remove(&execution)?;
        Some(Ended {
            execution_id: execution,
            started_at: None,
            finished_at: self.machines[machine].now(self.now).wall,
            result: Err(lease::OVER.to_owned()),
            notes: Notes::new(),
        })
    }

    fn take_job(
        &mut self,
        machine: usize,
        execution: ExecutionId,
        is_whole: bool,
    ) -> Option<Ended> {
        let node = self.machines[machine].node_id();
        let job = self.machines[machine].jobs.remove(&execution)?;
        self.truth.ends(&node, execution, is_whole, self.now);
        let finished_at = self.machines[machine].now(self.now).wall;
        let started_at = Some(job.started_at);
        Some(Ended {
            execution_id: execution,
            started_at,
            finished_at,
            result: job.result,
            notes: Notes::new(),
        })
    }
}
