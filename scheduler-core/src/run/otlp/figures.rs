//! From the text that `/metrics` answers to the same figures in the words of OTLP.
//!
//! The text is the one source: the registry can be walked in no other way, and what is recorded once cannot differ. Names
//! are those of the families, without the `_total` of a counter, so that a Prometheus behind a collector has the series
//! that it would have by asking. OTLP counts each bucket for itself, OpenMetrics all below it as well.

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
        ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point::Value,
    },
    resource::v1::Resource,
};

use super::spans::{nanos, scope, text};

/// The request that tells of the figures in `openmetrics`, counted since `since`; `Err`: the line that is not understood.
pub(super) fn request(
    resource: &Resource,
    openmetrics: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<ExportMetricsServiceRequest, String> {
    let period = Period { since: nanos(since), now: nanos(now) };
    let mut metrics: Vec<Metric> = Vec::new();
    for line in openmetrics.split('\n').filter(|line| !line.is_empty() && *line != "# EOF") {
        read(line, &mut metrics, period).ok_or_else(|| line.to_owned())?;
    }
    // A family of which there is nothing yet.
    metrics.retain(|metric| !is_empty(metric));
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    let resource = Some(resource.clone());
    let of_us = ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() };
    Ok(ExportMetricsServiceRequest { resource_metrics: vec![of_us] })
}

/// What the figures are of.
#[derive(Clone, Copy)]
struct Period {
    since: u64,
    now: u64,
}

fn read(line: &str, metrics: &mut Vec<Metric>, period: Period) -> Option<()> {
    if let Some(rest) = line.strip_prefix("# HELP ") {
        let (name, description) = rest.split_once(' ')?;
        let (name, description) = (name.to_owned(), description.to_owned());
        metrics.push(Metric { name, description, ..Metric::default() });
        return Some(());
    }
    let metric = metrics.last_mut()?;
    if let Some(rest) = line.strip_prefix("# TYPE ") {
        let kind = rest.strip_prefix(&*metric.name)?.trim_start();
        metric.data = Some(empty(kind)?);
        if kind == "info" {
            metric.name.push_str("_info");
        }
    } else if let Some(rest) = line.strip_prefix("# UNIT ") {
        metric.unit = unit(rest.strip_prefix(&*metric.name)?.trim_start())?.to_owned();
    } else {
        let sample = sample(line.strip_prefix(&*metric.name)?)?;
        add(metric.data.as_mut()?, sample, period)?;
    }
    Some(())
}

fn empty(kind: &str) -> Option<Data> {
    let cumulative = AggregationTemporality::Cumulative.into();
    let sum = Sum { aggregation_temporality: cumulative, is_monotonic: true, ..Sum::default() };
    let histogram = Histogram { aggregation_temporality: cumulative, ..Histogram::default() };
    match kind {
        "counter" => Some(Data::Sum(sum)),
        "gauge" | "info" => Some(Data::Gauge(Gauge::default())),
        "histogram" => Some(Data::Histogram(histogram)),
        _ => None,
    }
}

fn is_empty(metric: &Metric) -> bool {
    match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.is_empty(),
        Some(Data::Gauge(gauge)) => gauge.data_points.is_empty(),
        Some(Data::Histogram(histogram)) => histogram.data_points.is_empty(),
        _ => true,
    }
}

/// As UCUM has it.
fn unit(name: &str) -> Option<&'static str> {
    match name {
        "seconds" => Some("s"),
        "bytes" => Some("By"),
        _ => None,
    }
}

/// What follows the name of a family.
struct Sample<'a> {
    suffix: &'a str,
    labels: Vec<(&'a str, String)>,
    value: &'a str,
}

fn sample(rest: &str) -> Option<Sample<'_>> {
    let (suffix, mut rest) = rest.split_at(rest.find(['{', ' '])?);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (name, quoted) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, after) = unquoted(quoted)?;
            labels.push((name, value));
            rest = after;
        }
        rest = &rest[1..];
    }
    Some(Sample { suffix, labels, value: rest.strip_prefix(' ')? })
}

/// The value of a label up to its closing quote, and what follows.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            c => value.push(c),
        }
    }
    None
}

fn add(data: &mut Data, sample: Sample<'_>, period: Period) -> Option<()> {
    match (data, sample.suffix) {
        (Data::Sum(sum), "_total") => sum.data_points.push(number(sample, period)?),
        (Data::Gauge(gauge), "" | "_info") => {
            let point = number(sample, period)?;
            gauge.data_points.push(NumberDataPoint { start_time_unix_nano: 0, ..point });
        }
        (Data::Histogram(histogram), _) => add_to(&mut histogram.data_points, sample, period)?,
        _ => return None,
    }
    Some(())
}

fn number(sample: Sample<'_>, period: Period) -> Option<NumberDataPoint> {
    // A whole number is written without a point.
    let value = match sample.value.parse() {
        Ok(whole) => Value::AsInt(whole),
        Err(_) => Value::AsDouble(sample.value.parse().ok()?),
    };
    Some(NumberDataPoint {
        attributes: attributes(&sample.labels),
        start_time_unix_nano: period.since,
        time_unix_nano: period.now,
        value: Some(value),
        ..NumberDataPoint::default()
    })
}

fn attributes(labels: &[(&str, String)]) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| text(name, value)).collect()
}

/// A histogram is written as `_sum`, `_count` and its buckets by their bound, the last of which is `+Inf`.
fn add_to(points: &mut Vec<HistogramDataPoint>, sample: Sample<'_>, period: Period) -> Option<()> {
    if sample.suffix == "_sum" {
        points.push(HistogramDataPoint {
            attributes: attributes(&sample.labels),
            start_time_unix_nano: period.since,
            time_unix_nano: period.now,
            sum: Some(sample.value.parse().ok()?),
            ..HistogramDataPoint::default()
        });
        return Some(());
    }
    let point = points.last_mut()?;
    let count: u64 = sample.value.parse().ok()?;
    match sample.suffix {
        "_count" => point.count = count,
        "_bucket" => {
            let (_, bound) = sample.labels.iter().find(|(name, _)| *name == "le")?;
            let below: u64 = point.bucket_counts.iter().sum();
            point.bucket_counts.push(count.checked_sub(below)?);
            if bound != "+Inf" {
                point.explicit_bounds.push(bound.parse().ok()?);
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests;
