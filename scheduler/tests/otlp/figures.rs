//! The figures, as `/metrics` tells them.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    net::TcpStream,
};

use scheduler_core::testing::opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{Metric, metric::Data, number_data_point::Value},
};

use crate::{
    collector::{Collector, FINE, Request, attributes},
    process::Running,
    support::{Home, LISTEN, eventually, program},
};

/// Series and figures, as OpenMetrics writes them.
type Figures = BTreeMap<String, f64>;

/// Those that stand still when nothing runs; others, of calls to the database for example, never do.
const STILL: [&str; 8] = [
    "scheduler_executions_total{",
    "scheduler_claims_total{",
    "scheduler_claim_batch_",
    "scheduler_start_delay_seconds_",
    "scheduler_run_seconds_",
    "scheduler_tasks{",
    "scheduler_ready",
    "scheduler_build_info{",
];

fn is_still(series: &str) -> bool {
    STILL.iter().any(|still| series.starts_with(still))
}

fn of_page(address: &str) -> Figures {
    let ask = || {
        let mut connection = TcpStream::connect(address)?;
        write!(
            connection,
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        io::read_to_string(connection)
    };
    let answer: String = ask().unwrap();
    let (_, page) = answer.split_once("\r\n\r\n").unwrap();
    let lines = page.lines().filter(|line| is_still(line));
    lines
        .map(|line| {
            let (series, figure) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), figure.parse().unwrap())
        })
        .collect()
}

fn series(name: &str, labels: &[KeyValue], bound: Option<&str>) -> String {
    let of = attributes(labels);
    // In the order in which they are written.
    let labels = labels.iter().map(|label| (label.key.as_str(), of[&label.key].as_str()));
    let bound = bound.map(|bound| ("le", bound));
    let labels: Vec<String> = bound
        .into_iter()
        .chain(labels)
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

fn number(value: Option<Value>) -> f64 {
    match value.unwrap() {
        Value::AsInt(whole) => whole as f64,
        Value::AsDouble(number) => number,
    }
}

/// Back into the words of OpenMetrics, in which buckets add up.
fn of_metric(metric: &Metric, figures: &mut Figures) {
    let name = &metric.name;
    match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => figures.extend(sum.data_points.iter().map(|point| {
            (series(&format!("{name}_total"), &point.attributes, None), number(point.value))
        })),
        Data::Gauge(gauge) => figures.extend(
            gauge
                .data_points
                .iter()
                .map(|point| (series(name, &point.attributes, None), number(point.value))),
        ),
        Data::Histogram(histogram) => {
            for point in &histogram.data_points {
                let labels = &point.attributes;
                figures.insert(series(&format!("{name}_sum"), labels, None), point.sum.unwrap());
                let count = point.count as f64;
                figures.insert(series(&format!("{name}_count"), labels, None), count);
                let bounds = point.explicit_bounds.iter().map(|bound| format!("{bound:?}"));
                let bounds = bounds.chain(["+Inf".to_owned()]);
                let mut below = 0.0;
                for (bound, count) in bounds.zip(&point.bucket_counts) {
                    below += *count as f64;
                    let bucket = series(&format!("{name}_bucket"), labels, Some(&bound));
                    figures.insert(bucket, below);
                }
            }
        }
        other => panic!("{other:?}"),
    }
}

/// Those that were sent last.
fn of_collector(requests: &[Request]) -> Figures {
    let mut figures = Figures::new();
    if let Some(last) = requests.iter().rfind(|request| request.is_for("/v1/metrics")) {
        last.metrics().iter().for_each(|metric| of_metric(metric, &mut figures));
    }
    figures.retain(|series, _| is_still(series));
    figures
}

#[test]
fn a_collector_is_told_the_figures_of_the_page() {
    let mut collector = Collector::start(&[FINE]);
    let home = Home::migrated(&collector.configuration("interval = 1"));
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let clumsy = home.insert("clumsy", "clumsy", "interval", "1");
    home.insert("rejected", "nobody", "interval", "1");
    let mut command = program::command(&home, &["run"]);
    // Nobody is there, and it is not asked for what goes without TLS.
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
    let mut scheduler = Running::spawn(command.env(LISTEN, "127.0.0.1:0"));
    scheduler.says(&["listening"]);
    let line = scheduler.seen.iter().find(|line| line.contains("listening")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let address = line["address"].as_str().unwrap();
    eventually("two of each", || {
        [quick, clumsy].iter().all(|task| home.executions(*task).len() >= 2).then_some(())
    });
    for task in [quick, clumsy] {
        home.ok(&["task", "disable", &task.to_string()]);
    }
    // What it said before everything stood still is passed over.
    let page = collector.until("the same figures", |requests| {
        let page = of_page(address);
        let is_quiet = page["scheduler_tasks{state=\"disabled\"}"] == 2.0;
        (is_quiet && of_collector(requests) == page).then_some(page)
    });
    assert!(page.len() > 60, "{page:?}");
    assert!(page["scheduler_executions_total{status=\"fail\"}"] >= 2.0, "{page:?}");
    assert!(page["scheduler_run_seconds_bucket{le=\"+Inf\"}"] >= 4.0, "{page:?}");
    assert_eq!(page["scheduler_tasks{state=\"rejected\"}"], 1.0);
    scheduler.signal("KILL");
}
