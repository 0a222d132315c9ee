//! A compiled job as programs see it.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::job::{Body, JobDescriptor};

/// A function that rows may name.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// By which rows name it in `execute_func`.
    pub name: &'static str,
    /// Its path.
    pub function: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line there.
    pub line: u32,
    /// The type that `args` must fit.
    pub args: &'static str,
    /// What `args` look like that fit, as JSON Schema of what they may be as JSON; values without names may also be written
    /// with commas between, in the order of `propertyOrder`. As far as it is known: beyond that, anything.
    pub args_schema: Value,
    /// What `#[job]` says, as a row's `extra` would.
    pub options: Map<String, Value>,
    /// Whether it blocks a thread of its own.
    pub is_blocking: bool,
}

impl JobView {
    /// The arguments in a line: `to: string, copies?: integer`; empty: any.
    #[must_use]
    pub fn args_line(&self) -> String {
        line(&self.args_schema)
    }
}

fn line(schema: &Value) -> String {
    if let Some(properties) = schema["properties"].as_object() {
        let required = schema["required"].as_array();
        let field = |name: &str| {
            let is_required = required.is_some_and(|required| required.contains(&json!(name)));
            let mark = if is_required { "" } else { "?" };
            format!("{name}{mark}: {}", kind(&properties[name]))
        };
        let names = schema["propertyOrder"].as_array().into_iter().flatten();
        return names.filter_map(Value::as_str).map(field).collect::<Vec<_>>().join(", ");
    }
    if let Some(parts) = schema["prefixItems"].as_array() {
        let least = schema["minItems"].as_u64().unwrap_or_default();
        let part =
            |(place, schema): (u64, &Value)| kind(schema) + if place < least { "" } else { "?" };
        return (0..).zip(parts).map(part).collect::<Vec<_>>().join(", ");
    }
    if schema["type"] == "null" { "–".to_owned() } else { kind(schema) }
}

/// `integer 0–255`, `date`, `low | high`, `string …`.
fn kind(schema: &Value) -> String {
    if let Some(names) = schema["enum"].as_array() {
        return names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    let name = match &schema["type"] {
        Value::Array(types) => types[0].as_str(),
        one => one.as_str(),
    };
    match name.unwrap_or_default() {
        "array" if schema["items"].is_object() => format!("{} …", kind(&schema["items"])),
        "array" | "object" => {
            let inner = line_within(schema);
            if inner.is_empty() { name.unwrap_or_default().to_owned() } else { inner }
        }
        "integer" if schema["maximum"].is_number() => {
            format!("integer {}–{}", schema["minimum"], schema["maximum"])
        }
        name => schema["format"].as_str().unwrap_or(name).to_owned(),
    }
}

fn line_within(schema: &Value) -> String {
    let is_known = schema["properties"].is_object() || schema["prefixItems"].is_array();
    if is_known { format!("{{{}}}", line(schema)) } else { String::new() }
}

impl From<&JobDescriptor> for JobView {
    fn from(job: &JobDescriptor) -> Self {
        Self {
            name: job.name,
            function: job.function,
            file: job.file,
            line: job.line,
            args: job.args,
            args_schema: job.args_schema(),
            options: job.options.as_extra(),
            is_blocking: matches!(job.body, Body::Blocking(_)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Args, ArgsError, FromArgs, JobOptions};

    fn job(check_args: fn(&Args) -> Result<(), ArgsError>) -> JobDescriptor {
        JobDescriptor {
            name: "a",
            function: "a",
            file: "a.rs",
            line: 1,
            args: "A",
            options: JobOptions::NONE,
            body: Body::Blocking(|_| Ok(())),
            check_args,
        }
    }

    #[test]
    fn arguments_are_told_in_a_line() {
        #[track_caller]
        fn check<T: FromArgs>(expected: &str) {
            let job = job(|args| T::from_args(args).map(drop));
            assert_eq!(JobView::from(&job).args_line(), expected);
        }
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        struct Mail {
            to: Vec<String>,
            copies: Option<u8>,
            since: chrono::NaiveDate,
            size: (f64, f64),
        }
        check::<Args>("");
        check::<()>("–");
        check::<(String, i64, Option<bool>)>("string, integer, boolean?");
        check::<Vec<u8>>("integer 0–255 …");
        check::<Mail>("to: string …, copies?: integer 0–255, since: date, size: {number, number}");
    }

    #[test]
    fn a_type_that_panics_is_not_known() {
        assert_eq!(job(|_| panic!("no way")).args_schema(), json!({}));
    }
}
