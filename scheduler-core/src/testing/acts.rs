//! What a run does in place of its function, when the test orders it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use crate::{
    job::{Body, Invocation, JobDescriptor, JobFuture, JobOptions},
    plan::node::Run,
    registry::Registry,
};

/// What a run does in place of its function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes so long, whole milliseconds, and succeeds.
    Takes(Duration),
    /// Fails at once with this error.
    Fails(String),
    /// Panics at once with this text.
    Panics(String),
    /// Never ends by itself, also when it is asked to stop.
    Hangs,
}

impl Act {
    /// Fails at once with `error`.
    #[must_use]
    pub fn fails(error: impl Into<String>) -> Self {
        Self::Fails(error.into())
    }

    /// Panics at once with `text`.
    #[must_use]
    pub fn panics(text: impl Into<String>) -> Self {
        Self::Panics(text.into())
    }
}

/// The acts that were ordered, by `task_key`.
#[derive(Debug, Default)]
pub(super) struct Acts {
    next: HashMap<String, VecDeque<Act>>,
    every: HashMap<String, Act>,
}

impl Acts {
    pub(super) fn next(&mut self, key: &str, act: Act) {
        self.next.entry(key.to_owned()).or_default().push_back(act);
    }

    pub(super) fn every(&mut self, key: &str, act: Act) {
        self.every.insert(key.to_owned(), act);
    }

    /// Puts the act that was ordered for this run, if any, in the place of its function.
    pub(super) fn apply(&mut self, run: Run) -> Run {
        let next = self.next.get_mut(&*run.task_key).and_then(VecDeque::pop_front);
        let Some(act) = next.or_else(|| self.every.get(&*run.task_key).cloned()) else {
            return run;
        };
        let (job, args) = match act {
            Act::Takes(span) => (TAKES, span.as_millis().to_string()),
            Act::Fails(text) => (FAILS, text),
            Act::Panics(text) => (PANICS, text),
            Act::Hangs => (HANGS, String::new()),
        };
        Run { job: job.into(), args: args.into(), ..run }
    }
}

// No row can name these: a name has no control characters.
const TAKES: &str = "\u{1}takes";
const FAILS: &str = "\u{1}fails";
const PANICS: &str = "\u{1}panics";
const HANGS: &str = "\u{1}hangs";

static DESCRIPTORS: [JobDescriptor; 4] = [
    descriptor(TAKES, takes),
    descriptor(FAILS, fails),
    descriptor(PANICS, panics),
    descriptor(HANGS, hangs),
];

/// The jobs of `linked` and the acts.
pub(super) fn with_acts(linked: &Registry) -> Arc<Registry> {
    let names: HashSet<&str> = linked.iter().map(|job| job.name).collect();
    assert!(
        DESCRIPTORS.iter().all(|act| !names.contains(act.name)),
        "bug: a job is named like an act"
    );
    let registry = Registry::of(linked.iter().chain(&DESCRIPTORS));
    Arc::new(registry.expect("names that differ make a registry"))
}

const fn descriptor(name: &'static str, body: fn(Invocation) -> JobFuture) -> JobDescriptor {
    JobDescriptor {
        name,
        function: "scheduler_core::testing::acts",
        file: file!(),
        line: line!(),
        args: "Args",
        options: JobOptions::NONE,
        body: Body::Async(body),
        check_args: |_| Ok(()),
    }
}

fn takes(invocation: Invocation) -> JobFuture {
    let span = Duration::from_millis(invocation.args.raw().parse().unwrap_or(0));
    Box::pin(async move {
        tokio::time::sleep(span).await;
        Ok(())
    })
}

fn fails(invocation: Invocation) -> JobFuture {
    Box::pin(async move { Err(anyhow::Error::msg(invocation.args.raw().to_owned())) })
}

fn panics(invocation: Invocation) -> JobFuture {
    Box::pin(async move { panic!("{}", invocation.args.raw()) })
}

fn hangs(_: Invocation) -> JobFuture {
    Box::pin(std::future::pending())
}
