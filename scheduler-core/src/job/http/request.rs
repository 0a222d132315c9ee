//! What a declared request is.

use std::time::Duration;

use reqwest::Method;

use super::{FieldError, HttpError, Parts, Response};

/// A request that a struct declares, under `#[derive(Request)]`:
///
/// ```
/// # use scheduler_core::Request;
/// /// The host comes from the settings: `ctx.http().send_to(&settings.url, &request)`.
/// #[derive(Request)]
/// #[request(GET, "/orders/{id}", answer = Order, timeout = "5s")]
/// struct GetOrder<'a> {
///     #[request(path)]
///     id: u64,
///     #[request(query)]
///     fields: Option<Vec<String>>,
///     #[request(header, name = "x-api-key")]
///     key: &'a str,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     article: String,
/// }
/// ```
///
/// # On the struct
///
/// `#[request(METHOD, "address", …)]`. The method is `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`. The
/// address is a URL whose path may have placeholders, such as `"https://api.example.com/users/{id}"`, or only the path,
/// `"/users/{id}"`, for a host that is known at run time ([`Http::send_to`](super::Http::send_to)), or `""` for an
/// address that is known at run time as a whole.
///
/// | option | meaning |
/// |---|---|
/// | `answer = T` | what the answer is read as: JSON, into any type that implements `serde::Deserialize`; without it the answer is a [`Response`]. An empty answer is read as `null`, so `()` and `Option<T>` take one |
/// | `timeout = "5s"` | how long one attempt may take, 1 ms to 366 days; default [`TIMEOUT`](super::TIMEOUT) |
/// | `idempotent` | a server that gets the request twice does it once: it is repeated like a GET, and carries an `Idempotency-Key` |
///
/// # On each field
///
/// | attribute | where the value goes |
/// |---|---|
/// | `#[request(path)]` | in place of the placeholder of its name, as one segment: what is not a letter, a digit or one of `-._~` is percent-encoded |
/// | `#[request(query)]` | into the query; a list once for each of its values |
/// | `#[request(json)]` | into the JSON object that is the body, as serde writes it |
/// | `#[request(form)]` | into the form that is the body; a list once for each of its values |
/// | `#[request(header)]` | into the header of its name, with `-` for `_` |
///
/// `name = "…"` gives another name: `#[request(json, name = "to")]`. An `Option` that is `None` is left out; every other
/// field is there. A path, query, form or header takes what serde writes as a text, a number or a bool; a path takes no
/// empty text, nor `.` or `..`, which mean another path.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "expected a reference to a struct with `#[derive(Request)]`",
    note = "a request reads `#[derive(Request)] #[request(GET, \"https://api.example.com/users/{{id}}\", answer = User)] struct GetUser {{ #[request(path)] id: u64 }}`"
)]
pub trait Request {
    /// What the answer is read as.
    type Answer;

    /// The method.
    const METHOD: Method;

    /// The path, with a `{name}` for each value of it.
    const PATH: &'static str;

    /// How long one attempt may take, if the request says so.
    const TIMEOUT: Option<Duration>;

    /// Whether a server that gets the request twice does it once, although its method does not promise that.
    const IS_IDEMPOTENT: bool;

    /// Writes the fields where they belong.
    ///
    /// # Errors
    /// A field's value cannot stand in its place.
    fn write(&self, parts: &mut Parts) -> Result<(), FieldError>;

    /// Reads the answer.
    ///
    /// # Errors
    /// It is not what is expected.
    fn read(response: Response) -> Result<Self::Answer, HttpError>;
}

/// A request that names its host.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no host",
    label = "expected a request with a host",
    note = "write `.send_to(base_url, &request)`, or name the host: `#[request(GET, \"https://api.example.com/users\")]`"
)]
pub trait Addressed: Request {
    /// Scheme, host and port: `https://api.example.com`.
    const HOST: &'static str;
}
