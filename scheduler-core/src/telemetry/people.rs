//! The shape for people on a terminal.

use std::fmt;

use tracing::field::Field;
use tracing_subscriber::{
    Layer, Registry,
    field::MakeExt as _,
    fmt::{MakeWriter, format, time::FormatTime},
};

use super::{escape, lines::Forgiving, utc_now};

/// Local time, level, spans, target, message, fields; colours unless `NO_COLOR` is set.
pub(super) fn layer<W>(writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let field = |out: &mut format::Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
        let text = escape(&format!("{value:?}"), |c| c.escape_default().to_string());
        match field.name() {
            "message" => write!(out, "{text}"),
            name => write!(out, "{name}={text}"),
        }
    };
    tracing_subscriber::fmt::layer()
        .with_timer(ShortLocalTime)
        .fmt_fields(format::debug_fn(field).delimited(" "))
        .with_writer(Forgiving { writer, is_json: false })
}

/// `17:30:12.345` in the zone of the machine.
struct ShortLocalTime;

impl FormatTime for ShortLocalTime {
    fn format_time(&self, out: &mut format::Writer<'_>) -> fmt::Result {
        write!(out, "{}", utc_now().with_timezone(&chrono::Local).format("%H:%M:%S%.3f"))
    }
}
