//! Where the values of a declared request go.

use std::{collections::BTreeMap, fmt};

use reqwest::{RequestBuilder, header::HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Request;

/// The values of a declared request, in their places. What `#[derive(Request)]` writes fills it.
#[derive(Default)]
pub struct Parts {
    pub(super) path: BTreeMap<&'static str, String>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, HeaderValue)>,
    json: Option<Map<String, Value>>,
    form: Option<Vec<(&'static str, String)>>,
}

/// A value that cannot stand in its place.
#[derive(Debug)]
pub struct FieldError {
    place: &'static str,
    name: &'static str,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// Not a text, a number or a bool.
    Is(&'static str),
    /// Nothing, or a list, where one value is needed.
    NotOne,
    Empty,
    NoHeader,
    NotWritten(serde_json::Error),
}

impl Parts {
    pub(super) fn of(request: &impl Request) -> Result<Self, FieldError> {
        let mut parts = Self::default();
        request.write(&mut parts)?;
        Ok(parts)
    }

    /// Adds a value of the path.
    ///
    /// # Errors
    /// It is empty, or not one text, number or bool.
    pub fn path<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &V,
    ) -> Result<(), FieldError> {
        let text = Field { place: "path", name }.text(value)?;
        if text.is_empty() {
            return Err(FieldError { place: "path", name, problem: Problem::Empty });
        }
        self.path.insert(name, text);
        Ok(())
    }

    /// Adds a value of the query, if there is one.
    ///
    /// # Errors
    /// It is not a text, a number or a bool, nor a list of these.
    pub fn query<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: Option<&V>,
    ) -> Result<(), FieldError> {
        let texts = Field { place: "query", name }.texts(value)?;
        self.query.extend(texts.into_iter().map(|text| (name, text)));
        Ok(())
    }

    /// Adds a header, if there is a value for it. The value is taken for a secret.
    ///
    /// # Errors
    /// It is not one text, number or bool, or holds control characters.
    pub fn header<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: Option<&V>,
    ) -> Result<(), FieldError> {
        let Some(value) = value else { return Ok(()) };
        let text = Field { place: "header", name }.text(value)?;
        let no_header = |_| FieldError { place: "header", name, problem: Problem::NoHeader };
        let mut value = HeaderValue::from_str(&text).map_err(no_header)?;
        value.set_sensitive(true);
        self.headers.push((name, value));
        Ok(())
    }

    /// Adds a value of the JSON body, if there is one. There is a body in any case.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn json<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: Option<&V>,
    ) -> Result<(), FieldError> {
        let body = self.json.get_or_insert_default();
        if let Some(value) = value {
            body.insert(name.to_owned(), Field { place: "json", name }.json(value)?);
        }
        Ok(())
    }

    /// Adds a value of the form that is the body, if there is one. There is a body in any case.
    ///
    /// # Errors
    /// It is not a text, a number or a bool, nor a list of these.
    pub fn form<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: Option<&V>,
    ) -> Result<(), FieldError> {
        let texts = Field { place: "form", name }.texts(value)?;
        self.form.get_or_insert_default().extend(texts.into_iter().map(|text| (name, text)));
        Ok(())
    }

    /// All but the path.
    pub(super) fn write(self, mut builder: RequestBuilder) -> RequestBuilder {
        let Self { path: _, query, headers, json, form } = self;
        if !query.is_empty() {
            builder = builder.query(&query);
        }
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        match (json, form) {
            (Some(json), _) => builder.json(&json),
            (None, Some(form)) => builder.form(&form),
            (None, None) => builder,
        }
    }
}

/// Of which the value is.
#[derive(Clone, Copy)]
struct Field {
    place: &'static str,
    name: &'static str,
}

impl Field {
    fn wrong(self, problem: Problem) -> FieldError {
        FieldError { place: self.place, name: self.name, problem }
    }

    fn json<V: Serialize + ?Sized>(self, value: &V) -> Result<Value, FieldError> {
        serde_json::to_value(value).map_err(|error| self.wrong(Problem::NotWritten(error)))
    }

    /// Exactly one.
    fn text<V: Serialize + ?Sized>(self, value: &V) -> Result<String, FieldError> {
        match self.json(value)? {
            Value::Null | Value::Array(_) => Err(self.wrong(Problem::NotOne)),
            value => self.scalar(value),
        }
    }

    /// None of nothing, and of a list one for each of its values.
    fn texts<V: Serialize + ?Sized>(self, value: Option<&V>) -> Result<Vec<String>, FieldError> {
        match value.map(|value| self.json(value)).transpose()? {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                values.into_iter().map(|value| self.scalar(value)).collect()
            }
            Some(value) => Ok(vec![self.scalar(value)?]),
        }
    }

    fn scalar(self, value: Value) -> Result<String, FieldError> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(bool) => Ok(bool.to_string()),
            Value::Null => Err(self.wrong(Problem::Is("null"))),
            Value::Array(_) => Err(self.wrong(Problem::Is("a list"))),
            Value::Object(_) => Err(self.wrong(Problem::Is("an object"))),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, name, problem } = self;
        write!(f, "{place} value `{name}` ")?;
        match problem {
            Problem::Is(what) => write!(f, "holds {what}, expected a text, a number or a bool"),
            Problem::NotOne => write!(f, "is not one value, expected a text, a number or a bool"),
            Problem::Empty => write!(f, "is empty, expected at least one character"),
            Problem::NoHeader => write!(f, "holds control characters, expected printable text"),
            Problem::NotWritten(_) => write!(f, "cannot be written"),
        }
    }
}

impl std::error::Error for FieldError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::NotWritten(error) => Some(error),
            _ => None,
        }
    }
}
