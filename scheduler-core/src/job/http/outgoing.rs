//! A request that is being put together.

use std::error::Error;

use reqwest::{Client, Method, RequestBuilder, Url, header::HeaderValue};
use serde::Serialize;

use super::{
    Call, Http, HttpError, Parts, Request, Response,
    exchange::Exchange,
    headers,
    target::{self, TargetError},
};

/// A request of a run that has not been sent yet: [`Http::get`] and its kin make one.
///
/// ```no_run
/// # async fn example(ctx: scheduler_core::Context) -> scheduler_core::anyhow::Result<()> {
/// #[derive(serde::Deserialize)]
/// struct Order {
///     id: u64,
/// }
///
/// let order: Order = ctx
///     .http()
///     .post("https://shop.example.com/orders")
///     .header("x-api-key", "…")
///     .json(&serde_json::json!({ "article": 5 }))
///     .idempotent()
///     .send()
///     .await?
///     .json()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "it is sent by `send`"]
pub struct Outgoing {
    http: Http,
    call: Call,
    built: Result<(Client, RequestBuilder), HttpError>,
    /// Whether a server may get it twice.
    is_idempotent: bool,
    has_key: bool,
}

impl Outgoing {
    pub(super) fn free(http: &Http, method: Method, url: &str) -> Self {
        let is_idempotent = method.is_idempotent();
        let (call, url) = match target::parse(url) {
            Ok(url) => (Call::free(&method, &url), Ok(url)),
            Err(error) => (Call::nowhere(&method), Err(error)),
        };
        let built = url.map_err(|error| HttpError::invalid(call.clone(), error)).and_then(|url| {
            let client = http.client()?;
            let builder = client.request(method, url);
            Ok((client, builder))
        });
        Self { http: http.clone(), call, built, is_idempotent, has_key: false }
    }

    pub(super) fn declared<R: Request>(http: &Http, base: &str, request: &R) -> Self {
        let base = target::parse(base);
        let call = Call::declared(&R::METHOD, R::PATH, base.as_ref().ok());
        let read = read(base, request).map_err(|error| HttpError::invalid(call.clone(), error));
        let built = read.and_then(|(url, parts)| {
            let client = http.client()?;
            let builder = parts.write(client.request(R::METHOD, url));
            Ok((client, builder))
        });
        let mut http = http.clone();
        http.timeout = http.timeout.or(R::TIMEOUT);
        let is_idempotent = R::METHOD.is_idempotent() || R::IS_IDEMPOTENT;
        Self { http, call, built, is_idempotent, has_key: R::IS_IDEMPOTENT }
    }

    /// Adds a header. Its value is taken for a secret.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                builder.header(name, value)
            }
            // It keeps the error until the request is sent.
            Err(_) => builder.header(name, value),
        })
    }

    /// Adds `values` to the query: pairs, or a struct.
    pub fn query(self, values: &(impl Serialize + ?Sized)) -> Self {
        self.with(|builder| builder.query(values))
    }

    /// Makes `value` the body, as JSON.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.with(|builder| builder.json(value))
    }

    /// Makes `values` the body, as a form: pairs, or a struct.
    pub fn form(self, values: &(impl Serialize + ?Sized)) -> Self {
        self.with(|builder| builder.form(values))
    }

    /// Changes the request by whatever reqwest offers: `.with(|request| request.bearer_auth(token))`. A time-out that is
    /// set there does not count; see [`Http::timeout`].
    pub fn with(mut self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        self.built = self.built.map(|(client, builder)| (client, change(builder)));
        self
    }

    /// Says that the request has no second effect when the server gets it twice, so it is repeated like a GET, and has
    /// an `Idempotency-Key`, as the [module](super) says.
    pub fn idempotent(mut self) -> Self {
        self.is_idempotent = true;
        self.has_key = true;
        self
    }

    /// Sends it and returns the answer, read to its end.
    ///
    /// # Errors
    /// [`HttpError`]: what cannot be sent, no answer, or one whose status is not 2xx.
    pub async fn send(self) -> Result<Response, HttpError> {
        self.exchange()?.run().await
    }

    fn exchange(self) -> Result<Exchange, HttpError> {
        let Self { http, call, built, is_idempotent, has_key } = self;
        let (client, builder) = built?;
        let request = builder.build();
        let mut request =
            request.map_err(|error| HttpError::of_client(call.clone(), error, false))?;
        if has_key {
            headers::add_idempotency_key(&mut request, &http.ctx);
        }
        Ok(Exchange { http, client, call, request, is_idempotent })
    }
}

/// The address of a declared request, and its values.
fn read<R: Request>(
    base: Result<Url, TargetError>,
    request: &R,
) -> Result<(Url, Parts), Box<dyn Error + Send + Sync>> {
    let parts = Parts::of(request)?;
    let url = target::join(base?, R::PATH, &parts.path)?;
    Ok((url, parts))
}
