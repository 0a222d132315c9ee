//! The shape for machines: one JSON object per line, all fields at the top, each name once.

use std::{collections::BTreeMap, fmt};

use json_subscriber::{FieldWriter, JsonLayer};
use serde_json::Value;
use tracing::{
    Event,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer, Registry,
    fmt::{MakeWriter, format, time::FormatTime},
    layer::Context,
    registry::Scope,
};

use super::{Forgiving, RUN, RUN_TARGET, escape, utc_now};

/// One object per line: `timestamp`, `level`, `target`, then the fields of the event and of its spans.
pub(super) fn layer<W>(writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let mut json = JsonLayer::new(Forgiving { writer, is_json: true });
    json.with_timer("timestamp", UtcMillis).with_level("level").with_target("target");
    json.add_multiple_dynamic_fields(write_fields);
    SpanFields.and_then(json)
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
    for (name, value) in &run.0 {
        // A value that serde refuses is left out; the line stays whole.
        let _ = out.write_field(name, value);
    }
    for (name, value) in &fields.0 {
        let is_taken =
            matches!(*name, "timestamp" | "level" | "target") || run.0.contains_key(name);
        let _ = if is_taken {
            out.write_field(&format!("field.{name}"), value)
        } else {
            out.write_field(name, value)
        };
    }
}

/// Keeps the fields of each span for [`write_fields`].
struct SpanFields;

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

/// RFC 3339 in UTC, to the millisecond.
struct UtcMillis;

impl FormatTime for UtcMillis {
    fn format_time(&self, out: &mut format::Writer<'_>) -> fmt::Result {
        write!(out, "{}", utc_now().format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

/// JSON leaves DEL, the C1 controls and the bidirectional marks as they are. They stand only inside strings, so
/// each may become its JSON escape.
pub(super) fn as_one_line(json: &str) -> String {
    let body = json.strip_suffix('\n').unwrap_or(json);
    escape(body, |c| format!("\\u{:04x}", u32::from(c))) + "\n"
}
