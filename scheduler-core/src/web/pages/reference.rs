//! The API, for people: what `/openapi.json` says.

use std::sync::LazyLock;

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use crate::web::{
    api,
    frame::{Frame, page},
};

/// A route and a method.
struct Operation {
    method: String,
    path: String,
    /// What it is about.
    tag: String,
    summary: Prose,
    description: Prose,
    role: String,
    parameters: Vec<Named>,
    body: Vec<Named>,
    /// Status, and what it means; what any route may answer is left out.
    answers: Vec<(String, Prose)>,
}

/// Text of which some is code.
struct Prose(String);

impl Prose {
    /// Its parts, and whether each is code: that stands in backticks.
    fn parts(&self) -> impl Iterator<Item = (bool, &str)> {
        self.0.split('`').enumerate().map(|(place, part)| (place % 2 == 1, part))
    }
}

/// A parameter or a field.
struct Named {
    name: String,
    kind: String,
    is_required: bool,
    description: Prose,
}

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage<'a> {
    frame: &'a Frame,
    about: &'a Prose,
    operations: &'a [Operation],
}

/// What operations are about, in the order of the page.
const TAGS: [&str; 4] = ["tasks", "executions", "alarms", "others"];

/// What the document says, read once.
static READ: LazyLock<(Prose, Vec<Operation>)> = LazyLock::new(|| {
    let (_, document) = api::routes().into_parts();
    let document = serde_json::to_value(document).unwrap_or_default();
    let about = prose(&document["info"]["description"]);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operations.push(Operation::read(&document, path, method, operation));
        }
    }
    operations.sort_by_key(|operation| TAGS.iter().position(|tag| *tag == operation.tag));
    (about, operations)
});

/// The page.
pub(super) async fn show(frame: Frame) -> Response {
    let (about, operations) = &*READ;
    page(&ReferencePage { frame: &frame, about, operations })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn prose(value: &Value) -> Prose {
    Prose(text(value))
}

/// The type that a schema names.
fn kind(schema: &Value) -> String {
    let named = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let of_type = || match &schema["type"] {
        Value::Array(types) => {
            let types = types.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            types.collect::<Vec<_>>().join(", ")
        }
        other => text(other),
    };
    let kind = named.map_or_else(of_type, str::to_owned);
    match schema["format"].as_str().filter(|format| !format.starts_with("int")) {
        Some(format) => format!("{kind}, {format}"),
        None => kind,
    }
}

impl ReferencePage<'_> {
    /// What operations are about, and which with their places are about it.
    fn contents(&self) -> Vec<(&str, Vec<(usize, &Operation)>)> {
        let mut contents: Vec<(&str, Vec<_>)> = Vec::new();
        for placed in (1..).zip(self.operations) {
            match contents.last_mut() {
                Some((tag, of_tag)) if *tag == placed.1.tag => of_tag.push(placed),
                _ => contents.push((&placed.1.tag, vec![placed])),
            }
        }
        contents
    }
}

impl Operation {
    fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let parameter = |value: &Value| Named {
            name: text(&value["name"]),
            kind: kind(&value["schema"]),
            is_required: value["required"].as_bool().unwrap_or(false),
            description: prose(&value["description"]),
        };
        let role = &operation["security"][0]["token"][0];
        let answers = operation["responses"].as_object().into_iter().flatten();
        let answers =
            answers.filter(|(status, _)| status.starts_with('2') || !is_common(status, operation));
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            tag: text(&operation["tags"][0]),
            summary: prose(&operation["summary"]),
            description: prose(&operation["description"]),
            role: text(role),
            parameters: list(&operation["parameters"]).iter().map(parameter).collect(),
            body: fields(
                document,
                &operation["requestBody"]["content"]["application/json"]["schema"],
            ),
            answers: answers
                .map(|(status, answer)| (status.clone(), prose(&answer["description"])))
                .collect(),
        }
    }
}

/// Every operation may answer so.
fn is_common(status: &str, operation: &Value) -> bool {
    const COMMON: [&str; 9] = ["400", "401", "403", "404", "405", "408", "413", "431", "503"];
    COMMON.contains(&status) && operation["responses"][status].is_object()
}

/// The fields of the object that a schema is, or one of its alternatives.
fn fields(document: &Value, schema: &Value) -> Vec<Named> {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let schema = alternatives.chain([schema]).find(|schema| schema["$ref"].is_string());
    let Some(name) = schema.map(kind) else { return Vec::new() };
    let schema = &document["components"]["schemas"][&name];
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let field = |(name, property): (&String, &Value)| Named {
        name: name.clone(),
        kind: kind(property),
        is_required: required.iter().any(|required| required.as_str() == Some(name)),
        description: prose(&property["description"]),
    };
    properties.map(field).collect()
}
