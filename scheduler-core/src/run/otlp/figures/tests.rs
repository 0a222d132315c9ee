use std::sync::atomic::AtomicU64;

use chrono::TimeDelta;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use prometheus_client::{
    encoding::text as openmetrics,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use super::*;
use crate::{plan::node::Survey, run::metrics::Metrics, store::Connections};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn told(openmetrics: &str) -> Result<Vec<Metric>, String> {
    let request = request(&Resource::default(), openmetrics, at(5), at(7))?;
    Ok(request
        .resource_metrics
        .into_iter()
        .flat_map(|r| r.scope_metrics)
        .flat_map(|s| s.metrics)
        .collect())
}

fn of_registry(registry: &Registry) -> Vec<Metric> {
    let mut text = String::new();
    openmetrics::encode(&mut text, registry).unwrap();
    told(&text).unwrap()
}

/// `key=value` of each attribute.
fn shown(attributes: &[KeyValue]) -> String {
    let value = |attribute: &KeyValue| match &attribute.value {
        Some(AnyValue { value: Some(any_value::Value::StringValue(text)) }) => text.clone(),
        other => panic!("{other:?}"),
    };
    let pairs: Vec<_> =
        attributes.iter().map(|one| format!("{}={}", one.key, value(one))).collect();
    pairs.join(",")
}

#[test]
fn a_counter_is_a_sum_that_only_grows_without_the_total_of_its_name() {
    let mut registry = Registry::with_prefix("scheduler");
    let runs = Family::<[(&'static str, &'static str); 1], Counter>::default();
    registry.register("executions", "Those that ended", runs.clone());
    runs.get_or_create(&[("status", "success")]).inc_by(u64::from(u32::MAX) + 1);
    let [metric] = &of_registry(&registry)[..] else { panic!() };
    assert_eq!(
        (metric.name.as_str(), metric.description.as_str(), metric.unit.as_str()),
        ("scheduler_executions", "Those that ended.", "")
    );
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    assert!(sum.is_monotonic);
    assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Cumulative);
    let [point] = &sum.data_points[..] else { panic!("{sum:?}") };
    assert_eq!(shown(&point.attributes), "status=success");
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5_000_000_000, 7_000_000_000));
    assert_eq!(point.value, Some(Value::AsInt(1 << 32)));
}

#[test]
fn a_gauge_keeps_its_value_and_its_unit() {
    let mut registry = Registry::with_prefix("scheduler");
    let (skew, ready) = (Gauge::<f64, AtomicU64>::default(), Gauge::<i64>::default());
    registry.register_with_unit("clock_skew", "h", Unit::Seconds, skew.clone());
    registry.register("ready", "h", ready.clone());
    skew.set(-0.1);
    ready.set(-3);
    let metrics = of_registry(&registry);
    let units: Vec<_> = metrics.iter().map(|one| (one.name.as_str(), one.unit.as_str())).collect();
    assert_eq!(units, [("scheduler_clock_skew_seconds", "s"), ("scheduler_ready", "")]);
    for (metric, value) in metrics.iter().zip([Value::AsDouble(-0.1), Value::AsInt(-3)]) {
        let Some(Data::Gauge(gauge)) = &metric.data else { panic!("{metric:?}") };
        assert_eq!(gauge.data_points[0].value, Some(value));
        assert_eq!(gauge.data_points[0].start_time_unix_nano, 0);
    }
}

#[test]
fn a_histogram_counts_each_bucket_for_itself_and_each_series_apart() {
    let mut registry = Registry::with_prefix("scheduler");
    let calls =
        Family::<[(&'static str, &'static str); 1], Histogram>::new_with_constructor(|| {
            Histogram::new([0.001, 2.0, 4.0])
        });
    registry.register_with_unit("database_call", "h", Unit::Seconds, calls.clone());
    for seconds in [0.5, 1.0, 3.0, 100.0, 200.0, 300.0] {
        calls.get_or_create(&[("call", "read")]).observe(seconds);
    }
    calls.get_or_create(&[("call", "claim")]).observe(0.001);
    let [metric] = &of_registry(&registry)[..] else { panic!() };
    let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Cumulative);
    let mut points: Vec<_> = histogram
        .data_points
        .iter()
        .map(|one| (shown(&one.attributes), one.count, one.sum, one.bucket_counts.clone()))
        .collect();
    points.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        points,
        [
            ("call=claim".to_owned(), 1, Some(0.001), vec![1, 0, 0, 0]),
            ("call=read".to_owned(), 6, Some(604.5), vec![0, 2, 1, 3]),
        ]
    );
    assert!(histogram.data_points.iter().all(|one| one.explicit_bounds == [0.001, 2.0, 4.0]));
    assert!(histogram.data_points.iter().all(|one| one.start_time_unix_nano == 5_000_000_000));
}

#[test]
fn what_the_program_is_is_a_gauge_of_1_and_labels_may_hold_anything() {
    let mut registry = Registry::with_prefix("scheduler");
    let odd = "a \"b\",c={d} \\n\n}".to_owned();
    registry.register("build", "h", Info::new([("version", "1".to_owned()), ("node", odd)]));
    registry.register(
        "nothing",
        "h",
        Family::<[(&'static str, &'static str); 1], Counter>::default(),
    );
    let [metric] = &of_registry(&registry)[..] else { panic!("what is empty is left out") };
    assert_eq!(metric.name, "scheduler_build_info");
    let Some(Data::Gauge(gauge)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!(gauge.data_points[0].value, Some(Value::AsInt(1)));
    let attributes = shown(&gauge.data_points[0].attributes);
    assert_eq!(attributes, "version=1,node=a \"b\",c={d} \\n\n}");
}

/// So many series and figures has the text: a histogram writes one for each bucket.
fn figures(metrics: &[Metric]) -> usize {
    let of_histogram = |point: &HistogramDataPoint| 2 + point.bucket_counts.len();
    let of = |metric: &Metric| match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => sum.data_points.len(),
        Data::Gauge(gauge) => gauge.data_points.len(),
        Data::Histogram(histogram) => histogram.data_points.iter().map(of_histogram).sum(),
        other => panic!("{other:?}"),
    };
    metrics.iter().map(of).sum()
}

#[test]
fn all_that_the_scheduler_counts_is_told() {
    let metrics = Metrics::new("node");
    metrics.called("read", std::time::Duration::from_millis(3), false);
    metrics.told("ops \"1\"", true);
    metrics.spans("lost", 2);
    let text = metrics.encode(&Survey::default(), true, Connections::default());
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(lines > 100, "{text}");
    assert_eq!(figures(&told(&text).unwrap()), lines);
}

#[test]
fn a_line_that_is_not_understood_is_named() {
    for (text, line) in [
        ("a 1\n", "a 1"),
        ("# HELP a h\n# TYPE a summary\n", "# TYPE a summary"),
        ("# HELP a h\n# TYPE a counter\na 1\n", "a 1"),
        ("# HELP a h\n# TYPE a gauge\na{b=\"c} 1\n", "a{b=\"c} 1"),
        ("# HELP a h\n# TYPE a gauge\na x\n", "a x"),
        ("# HELP a h\n# TYPE a gauge\n# UNIT a volts\n", "# UNIT a volts"),
    ] {
        assert_eq!(told(text), Err(line.to_owned()));
    }
}
