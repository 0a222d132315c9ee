//! The shape for machines: one JSON object per line, all fields at the top, each name once. The names are those of the
//! original, and so of Python's log records.

use std::{collections::BTreeMap, fmt};

use json_subscriber::{FieldWriter, JsonLayer};
use serde_json::{Map, Value};
use tracing::{
    Event, Level,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, Registry, fmt::MakeWriter, layer::Context, registry::Scope};

use super::{
    RUN, RUN_TARGET, escape,
    host::{host_ip, host_name},
    lines::Forgiving,
    utc_now,
};

/// One object per line: what [`OWN`] names, then the fields of the event and of its spans.
pub(super) fn layer<W>(writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let mut json = JsonLayer::new(Forgiving { writer, is_json: true });
    json.add_multiple_dynamic_fields(write_fields);
    json
}

/// The names that the lines of a run have beside these.
pub(super) const OF_RUN: [&str; 3] = ["trace_id", "task.key", "execution.id"];

/// The names that every line has, of which `msg` is the event's message.
pub(super) const OWN: [&str; 7] =
    ["time_fmt", "timestamp", "levelname", "name", "msg", "host_name", "host_ip"];

/// Their values for an event of now.
pub(super) fn own(
    level: &Level,
    target: &str,
    message: Value,
) -> [(&'static str, Value); OWN.len()] {
    let now = utc_now();
    let local = now.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S,%3f");
    let values: [Value; OWN.len()] = [
        local.to_string().into(),
        seconds(now).into(),
        level_name(level).into(),
        target.into(),
        message,
        host_name().into(),
        host_ip().into(),
    ];
    let mut values = values.into_iter();
    OWN.map(|name| (name, values.next().unwrap_or_default()))
}

/// A line of ours about the log itself.
pub(super) fn own_line(
    level: &Level,
    target: &str,
    message: &str,
    field: (&'static str, Value),
) -> String {
    let own = own(level, target, message.into()).into_iter().chain([field]);
    let line: Map<String, Value> = own.map(|(name, value)| (name.to_owned(), value)).collect();
    as_one_line(&Value::Object(line).to_string())
}

/// What an event says, its `message` among it.
pub(super) fn fields(event: &Event<'_>) -> BTreeMap<&'static str, Value> {
    let mut fields = Fields::default();
    event.record(&mut fields);
    fields.0
}

/// Writes the fields of the spans, from the root, and of the event: an inner value replaces an outer one, but
/// nothing replaces the fields of the run, or a second key of one name would stand in the line.
fn write_fields(event: &Event<'_>, context: &Context<'_, Registry>, out: &mut FieldWriter<'_>) {
    let mut fields = Fields::default();
    let mut run = Fields::default();
    let scope = context.event_scope(event);
    for span in scope.into_iter().flat_map(Scope::from_root) {
        let is_ours = span.name() == RUN && span.metadata().target() == RUN_TARGET;
        let all = if is_ours { &mut run } else { &mut fields };
        if let Some(own) = span.extensions().get::<Fields>() {
            let own = own.0.iter().map(|(name, value)| (*name, value.clone()));
            all.0.extend(own);
        }
    }
    event.record(&mut fields);
    let message = fields.0.remove("message").unwrap_or_else(|| "".into());
    // A value that serde refuses is left out; the line stays whole.
    let mut write = |name: &str, value: &Value| drop(out.write_field(name, value));
    let metadata = event.metadata();
    for (name, value) in own(metadata.level(), metadata.target(), message) {
        write(name, &value);
    }
    for (name, value) in &run.0 {
        write(name, value);
    }
    for (name, value) in &fields.0 {
        if OWN.contains(name) || run.0.contains_key(name) {
            write(&format!("field.{name}"), value);
        } else {
            write(name, value);
        }
    }
}

/// Seconds since the epoch, to the millisecond.
#[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
fn seconds(now: chrono::DateTime<chrono::Utc>) -> f64 {
    now.timestamp_millis() as f64 / 1_000.0
}

/// As Python names it.
fn level_name(level: &Level) -> &'static str {
    match *level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => "INFO",
        Level::WARN => "WARNING",
        Level::ERROR => "ERROR",
    }
}

/// Keeps the fields of each span for [`write_fields`].
pub(super) struct SpanFields;

impl Layer<Registry> for SpanFields {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, Registry>,
    ) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, Registry>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }
}

/// Names and values of an event or a span.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        self.0.insert(name.strip_prefix("r#").unwrap_or(name), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}

/// JSON leaves DEL, the C1 controls and the bidirectional marks as they are. They stand only inside strings, so
/// each may become its JSON escape.
pub(super) fn as_one_line(json: &str) -> String {
    let body = json.strip_suffix('\n').unwrap_or(json);
    escape(body, |c| format!("\\u{:04x}", u32::from(c))) + "\n"
}
