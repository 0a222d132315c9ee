//! Tells an OpenTelemetry collector of each run and, now and then, of the figures: beside the loop, which leaves word of
//! the runs that are over in a queue and goes on whatever becomes of it.
//!
//! ```text
//!   loop ─▶ Runs ─Ended─▶ queue of 2,048 ─▶ spans, up to 512 ─┐
//!                                                             ├─▶ one request at a time
//!   Watch::metrics_text, each interval ─▶ figures ────────────┘
//! ```
//!
//! A collector that is slow, refuses, or is not there holds up nothing but the next request; a queue that is full loses
//! spans, which is counted and said.

mod exporter;
mod figures;
mod runs;
mod send;
mod spans;

use std::sync::Arc;

use tokio::{
    sync::mpsc::{self, Sender},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use self::{
    exporter::Exporter,
    runs::{Ended, Runs},
};
use super::{metrics::Metrics, watch::Watch};
use crate::{
    config,
    plan::node::{Event, Run},
};

/// Runs that are over and wait.
const QUEUE: usize = 2_048;

/// What the loop holds of all this. Nothing, where nothing is sent.
#[derive(Default)]
pub(super) struct Otlp(Option<Following>);

struct Following {
    runs: Runs,
    queue: Sender<Ended>,
    metrics: Arc<Metrics>,
    lost: u64,
}

/// Starts to tell the collector of `otlp` what the node `node` does, which `watch` sees, until `stop`.
pub(super) fn start(
    otlp: Option<config::Otlp>,
    node: &str,
    watch: &Watch,
    stop: &CancellationToken,
) -> (Otlp, Option<JoinHandle<()>>) {
    let Some(otlp) = otlp else { return (Otlp::default(), None) };
    let (queue, ended) = mpsc::channel(QUEUE);
    let metrics = Arc::clone(watch.metrics());
    let following = Following { runs: Runs::default(), queue, metrics, lost: 0 };
    let exporter = Exporter::new(otlp, node, watch);
    (Otlp(Some(following)), Some(tokio::spawn(exporter.run(ended, stop.clone()))))
}

impl Otlp {
    /// Something happened, of which the node has not heard yet.
    pub(super) fn heard(&mut self, event: &Event) {
        if let Some(following) = &mut self.0 {
            let ended = following.runs.heard(event);
            following.leave(ended);
        }
    }

    /// These runs begin.
    pub(super) fn started(&mut self, runs: &[Run]) {
        if let Some(following) = &mut self.0 {
            following.runs.started(runs);
        }
    }
}

impl Following {
    fn leave(&mut self, ended: Vec<Ended>) {
        for ended in ended {
            if self.queue.try_send(ended).is_err() {
                self.metrics.spans("lost", 1);
                self.lost += 1;
                if self.lost.is_power_of_two() {
                    let why = if self.queue.is_closed() {
                        "bug: nobody sends them any more"
                    } else {
                        "too many wait"
                    };
                    tracing::warn!(lost = self.lost, "spans of runs are lost: {why}");
                }
            }
        }
    }
}
