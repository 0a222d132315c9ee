//! Who sends: one request at a time, figures before spans, since of spans there may be a flood.
//!
//! ```text
//!   gather ──1 s or 512──▶ send ──taken──▶ gather
//!                           │ ▲
//!              not now: wait 1 s, 2 s, … 60 s, or as the collector wants
//! ```
//!
//! While it waits the queue fills. Figures are never sent again but made anew: what was counted meanwhile is in them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::{
    Watch, figures,
    runs::Ended,
    send::{Refused, Sender, Signal, Taken},
    spans,
};
use crate::{
    clock::{mono, sleep_at_most_5s, wall},
    config,
    run::LAST_WORDS,
};

/// How long spans gather.
const GATHER: Duration = Duration::from_secs(1);

/// Spans in one request.
const MOST_SPANS: usize = 512;

/// The first wait after a failure, from which each is twice the one before.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The longest of ours, and of those that the collector wants.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WANTED: Duration = Duration::from_secs(3_600);

/// See the module.
pub(super) struct Exporter {
    sender: Sender,
    resource: Resource,
    watch: Watch,
    started_at: DateTime<Utc>,
    interval: Option<Duration>,
    /// What is sent next, and since when it gathers.
    spans: Vec<Ended>,
    gathers_since: Duration,
    figures_at: Option<Duration>,
    spans_told: Told,
    figures_told: Told,
}

/// How requests of one kind fare: a collector may take the one and not the other.
struct Told {
    what: &'static str,
    /// Whether the last one was taken.
    is_well: bool,
    /// Until then the collector is left alone with them.
    quiet_until: Duration,
    /// The next wait.
    wait: Duration,
}

impl Told {
    fn new(what: &'static str) -> Self {
        Self { what, is_well: true, quiet_until: Duration::ZERO, wait: SHORTEST_WAIT }
    }

    fn arrived(&mut self) {
        if !std::mem::replace(&mut self.is_well, true) {
            tracing::info!("{} arrive at the collector again", self.what);
        }
    }

    /// Half of a wait is by chance, so that many nodes do not come back at once.
    fn leave_alone(&mut self, wanted: Option<Duration>) {
        let own = self.wait.mul_f64(0.5 + fastrand::f64() / 2.0);
        let wait = wanted.map_or(own, |wanted| wanted.min(LONGEST_WANTED).max(own));
        self.quiet_until = mono() + wait;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    fn failed(&mut self, what_follows: &str, text: &str) {
        if std::mem::replace(&mut self.is_well, false) {
            let what = self.what;
            tracing::warn!("{what} do not arrive at the collector, {what_follows}: {text}");
        }
    }
}

impl Exporter {
    pub(super) fn new(otlp: config::Otlp, node: &str, watch: &Watch) -> Self {
        Self {
            sender: Sender::new(&otlp),
            resource: spans::resource(node),
            watch: watch.clone(),
            started_at: wall(),
            interval: otlp.interval,
            spans: Vec::new(),
            gathers_since: Duration::ZERO,
            figures_at: otlp.interval.map(|interval| mono() + interval),
            spans_told: Told::new("spans of runs"),
            figures_told: Told::new("figures"),
        }
    }

    /// Sends until `stop`, and then, for a second at most, what is left.
    pub(super) async fn run(self, ended: Receiver<Ended>, stop: CancellationToken) {
        let mut sending = Box::pin(self.send_all(ended, &stop));
        tokio::select! {
            () = &mut sending => return,
            () = stop.cancelled() => {}
        }
        if tokio::time::timeout(LAST_WORDS, sending).await.is_err() {
            tracing::warn!(
                "the last spans and figures may not have arrived at the collector: no answer"
            );
        }
    }

    async fn send_all(mut self, mut ended: Receiver<Ended>, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let now = mono();
            if let Some(signal) = self.due(now) {
                self.send(signal).await;
                continue;
            }
            let wait = self.next_at().saturating_sub(now);
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = ended.recv(), if self.spans.len() < MOST_SPANS => self.gather(ended),
                () = sleep_at_most_5s(wait) => {}
            }
        }
        loop {
            while self.spans.len() < MOST_SPANS
                && let Ok(ended) = ended.try_recv()
            {
                self.gather(ended);
            }
            if self.spans.is_empty() {
                break;
            }
            // Once: there is no time to wait.
            if !self.send(Signal::Spans).await {
                self.lost(self.spans.len() + ended.len());
                break;
            }
        }
        if self.interval.is_some() {
            self.send(Signal::Figures).await;
        }
    }

    fn gather(&mut self, ended: Ended) {
        if self.spans.is_empty() {
            self.gathers_since = mono();
        }
        self.spans.push(ended);
    }

    fn spans_at(&self) -> Option<Duration> {
        match self.spans.len() {
            0 => None,
            MOST_SPANS.. => Some(Duration::ZERO),
            _ => Some(self.gathers_since + GATHER),
        }
    }

    /// What is to be sent, and when, the more important one first.
    fn plans(&self) -> [(Signal, Duration); 2] {
        let never = Duration::MAX;
        let figures_at = self.figures_at.unwrap_or(never).max(self.figures_told.quiet_until);
        let spans_at = self.spans_at().unwrap_or(never).max(self.spans_told.quiet_until);
        [(Signal::Figures, figures_at), (Signal::Spans, spans_at)]
    }

    fn due(&self, now: Duration) -> Option<Signal> {
        let is_due = |(_, at): &(Signal, Duration)| *at <= now && *at < Duration::MAX;
        self.plans().into_iter().find(is_due).map(|(signal, _)| signal)
    }

    fn next_at(&self) -> Duration {
        let [(_, figures_at), (_, spans_at)] = self.plans();
        figures_at.min(spans_at)
    }

    /// Whether that is done with, taken or not.
    async fn send(&mut self, signal: Signal) -> bool {
        let body = match signal {
            Signal::Spans => Ok(spans::request(&self.resource, &self.spans).encode_to_vec()),
            Signal::Figures => {
                let text = self.watch.metrics_text();
                figures::request(&self.resource, &text, self.started_at, wall())
                    .map(|request| request.encode_to_vec())
            }
        };
        let sent = match body {
            Ok(body) => self.sender.send(signal, body).await,
            Err(line) => Err(Refused::Never { text: format!("bug: not understood: {line}") }),
        };
        self.sent(signal, sent)
    }

    fn sent(&mut self, signal: Signal, sent: Result<Taken, Refused>) -> bool {
        let told = match signal {
            Signal::Spans => &mut self.spans_told,
            Signal::Figures => &mut self.figures_told,
        };
        let refused = match sent {
            Ok(Taken { rejected: 0, .. }) => {
                told.arrived();
                0
            }
            Ok(Taken { rejected, said }) => {
                told.failed("some are refused", &format!("{rejected} in one request: {said}"));
                rejected
            }
            Err(Refused::Never { text }) => {
                told.failed("what is refused is not sent again", &text);
                u64::MAX
            }
            Err(Refused::Later { text, wait }) => {
                told.failed("retrying", &text);
                told.leave_alone(wait);
                return false;
            }
        };
        (told.wait, told.quiet_until) = (SHORTEST_WAIT, Duration::ZERO);
        match signal {
            Signal::Spans => {
                let sent = std::mem::take(&mut self.spans).len() as u64;
                let lost = refused.min(sent);
                self.watch.metrics().spans("arrived", sent - lost);
                self.watch.metrics().spans("lost", lost);
            }
            Signal::Figures => self.figures_at = self.interval.map(|interval| mono() + interval),
        }
        true
    }

    fn lost(&self, spans: usize) {
        self.watch.metrics().spans("lost", spans as u64);
        tracing::warn!(spans, "the last spans of runs are lost: the collector does not take them");
    }
}

#[cfg(test)]
mod tests;
