use std::sync::Arc;

use super::*;
use crate::{
    plan::execution::{Outcome, Source, Status},
    run::otlp::runs::Began,
    store::{SharedStore, memory::MemoryStore},
};

fn exporter(interval: Option<Duration>) -> Exporter {
    let store: SharedStore = Arc::new(MemoryStore::new(DateTime::UNIX_EPOCH));
    let endpoint = "http://127.0.0.1:9".parse().unwrap();
    let otlp = config::Otlp { endpoint, headers: None, interval };
    Exporter::new(otlp, "node", &Watch::new("node", &store))
}

fn ended() -> Ended {
    let at = DateTime::UNIX_EPOCH;
    Ended {
        began: Began {
            task_id: 1,
            task_key: "k".into(),
            job: "j".into(),
            scheduled_at: at,
            attempt: 1,
            source: Source::Schedule,
        },
        started_at: at,
        outcome: Outcome {
            execution_id: 1,
            task_id: 1,
            trace_id: "01a209a0c972778a9348f175f51b7e95".into(),
            status: Status::Success,
            extra: "{}".to_owned(),
            started_at: Some(at),
            finished_at: at,
            retry: None,
        },
        is_discarded: false,
    }
}

fn with_spans(count: usize) -> Exporter {
    let mut exporter = exporter(None);
    (0..count).for_each(|_| exporter.gather(ended()));
    exporter
}

/// Of spans: arrived, lost.
fn counted(exporter: &Exporter) -> [u64; 2] {
    let text = exporter.watch.metrics_text();
    ["arrived", "lost"].map(|result| {
        let series = format!("scheduler_spans_total{{result=\"{result}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&*series));
        line.map_or(0, |count| count.parse().unwrap())
    })
}

fn later(wait: Option<u64>) -> Result<Taken, Refused> {
    Err(Refused::Later { text: "503".to_owned(), wait: wait.map(Duration::from_secs) })
}

#[test]
fn spans_gather_for_a_second_or_until_a_request_is_full() {
    let exporter = with_spans(MOST_SPANS - 1);
    let since = exporter.gathers_since;
    assert_eq!(exporter.due(since + GATHER - Duration::from_nanos(1)), None);
    assert_eq!(exporter.next_at(), since + GATHER);
    assert_eq!(exporter.due(since + GATHER), Some(Signal::Spans));
    assert_eq!(with_spans(MOST_SPANS).due(since), Some(Signal::Spans));
    assert_eq!(with_spans(0).due(Duration::MAX), None);
}

#[test]
fn figures_are_due_each_interval_before_spans_or_never() {
    let interval = Duration::from_secs(60);
    let mut exporter = exporter(Some(interval));
    let first = exporter.figures_at.unwrap();
    assert_eq!(exporter.due(first - Duration::from_nanos(1)), None);
    exporter.gather(ended());
    assert_eq!(exporter.due(first + GATHER), Some(Signal::Figures));
    assert!(exporter.sent(Signal::Figures, Ok(Taken::default())));
    assert!(exporter.figures_at.unwrap() >= first);
    assert_eq!(exporter.due(first.max(exporter.gathers_since + GATHER)), Some(Signal::Spans));
}

#[test]
fn what_may_be_sent_again_stays_and_the_waits_double_up_to_a_minute() {
    let mut exporter = with_spans(3);
    for doubled in [1, 2, 4, 8, 16, 32, 60, 60] {
        let before = mono();
        assert!(!exporter.sent(Signal::Spans, later(None)));
        let wait = exporter.spans_told.quiet_until - before;
        let longest = Duration::from_secs(doubled);
        assert!(wait >= longest / 2 && wait < longest + GATHER, "{wait:?} of {longest:?}");
        assert_eq!(exporter.due(exporter.spans_told.quiet_until - Duration::from_nanos(1)), None);
        assert!(exporter.next_at() >= exporter.spans_told.quiet_until);
    }
    assert_eq!((exporter.spans.len(), counted(&exporter)), (3, [0, 0]));
    assert!(exporter.sent(Signal::Spans, Ok(Taken::default())));
    assert_eq!((exporter.spans.len(), counted(&exporter)), (0, [3, 0]));
    assert_eq!(exporter.spans_told.wait, SHORTEST_WAIT);
}

#[test]
fn a_collector_is_left_alone_for_as_long_as_it_wants_up_to_an_hour() {
    for (wanted, least, most) in
        [(0, 0, 1), (7, 7, 8), (3_600, 3_600, 3_601), (86_400, 3_600, 3_601)]
    {
        let mut exporter = with_spans(1);
        let before = mono();
        exporter.sent(Signal::Spans, later(Some(wanted)));
        let wait = (exporter.spans_told.quiet_until - before).as_secs_f64();
        assert!(wait >= f64::from(least) && wait < f64::from(most) + 0.5, "{wanted}: {wait}");
    }
}

#[test]
fn what_is_refused_for_good_is_lost_and_counted() {
    let mut exporter = with_spans(3);
    let refused = Refused::Never { text: "400".to_owned() };
    assert!(exporter.sent(Signal::Spans, Err(refused)));
    assert_eq!((exporter.spans.len(), counted(&exporter)), (0, [0, 3]));
    let mut exporter = with_spans(3);
    let partly = Taken { rejected: 2, said: "too old".to_owned() };
    assert!(exporter.sent(Signal::Spans, Ok(partly)));
    assert_eq!((exporter.spans.len(), counted(&exporter)), (0, [1, 2]));
}

#[test]
fn figures_that_are_not_taken_hold_up_no_spans_nor_these_the_figures() {
    let mut exporter = exporter(Some(Duration::from_secs(60)));
    let now = exporter.figures_at.unwrap();
    exporter.gather(ended());
    let now = now.max(exporter.gathers_since + GATHER);
    assert_eq!(exporter.due(now), Some(Signal::Figures));
    exporter.sent(Signal::Figures, later(Some(3_600)));
    assert_eq!(exporter.due(now), Some(Signal::Spans));
    exporter.sent(Signal::Spans, later(Some(7_200)));
    assert_eq!(exporter.due(now), None);
    assert_eq!(
        exporter.next_at(),
        exporter.figures_told.quiet_until.min(exporter.spans_told.quiet_until)
    );
    let until = exporter.figures_told.quiet_until;
    assert_eq!(exporter.due(until), Some(Signal::Figures));
}
