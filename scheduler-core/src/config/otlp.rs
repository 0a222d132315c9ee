//! `[otlp]` in `common.toml`: where a scheduler sends the spans of its runs and its figures.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{common::range, reader::Reader, settings::InToml, value::limits_of_durations};

/// What `[otlp]` in `common.toml` says.
#[derive(Debug, Clone)]
pub struct Otlp {
    /// The collector: `/v1/traces` and `/v1/metrics` stand below it. Required; without user, password and query.
    pub endpoint: Url,
    /// Sent along, for collectors that ask who calls: `name=value`, several with commas, values percent-encoded where
    /// need be. Default none. Not over `http` to another machine.
    pub headers: Option<SecretString>,
    /// Between two sendings of the figures. Default 60 s, 1 s to 1 h; `None`: they are not sent.
    pub interval: Option<Duration>,
}

const ENDPOINT: &str =
    "an address such as \"http://127.0.0.1:4318\", without user, password and query";

const HEADERS: &str = "name=value, several with commas, as in OTEL_EXPORTER_OTLP_HEADERS";

/// Headers would be read by whoever stands in between. Without them there is no secret in what is sent, and within a
/// cluster collectors mostly have no certificate.
const UNGUARDED: &str = "is http to another machine, expected https, or no headers beside it";

/// Whether this program can send anything. Our own unit tests can, so that they need no build of their own.
const IS_BUILT_IN: bool = cfg!(any(feature = "otlp", test));

const NOT_BUILT_IN: &str = "cannot be obeyed: this program was built without the feature otlp, expected one with it \
                            (cargo run -p scheduler --features otlp), or no such table";

/// The table `[otlp]`; `None`: there is none, or a mistake.
pub(super) fn read(t: &mut Reader<'_>) -> Option<Otlp> {
    let is_given = t.has("otlp");
    t.table("otlp", "[otlp] ", |t| {
        if is_given && !IS_BUILT_IN {
            t.remark_table(NOT_BUILT_IN);
        } else if is_given {
            t.require(&["endpoint"]);
        }
        let endpoint = t.text("endpoint", ENDPOINT, endpoint);
        let headers = t.secret(["headers", "headers_file"], HEADERS, |text| pairs(text).is_some());
        let default = Some(Duration::from_secs(60));
        let interval = t.duration_or_never("interval", default, range::OTLP_INTERVAL);
        let (endpoint, headers) = (endpoint?.0, headers.text);
        let otlp = Otlp { endpoint, headers, interval };
        if otlp.tells_secrets() {
            t.remark("endpoint", UNGUARDED);
        }
        Some(otlp)
    })
}

impl Otlp {
    /// The headers, marked as secrets.
    #[cfg(any(feature = "otlp", test))]
    pub(crate) fn header_map(&self) -> HeaderMap {
        let given = self.headers.as_ref();
        given.and_then(|text| pairs(text.expose_secret())).unwrap_or_default()
    }

    fn tells_secrets(&self) -> bool {
        let is_here = matches!(self.endpoint.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        self.headers.is_some() && self.endpoint.scheme() != "https" && !is_here
    }

    /// What is wrong with one that a program made.
    pub(super) fn mistake(&self) -> Option<String> {
        let is_wrong = |text: &SecretString| pairs(text.expose_secret()).is_none();
        let wrong_interval = self.interval.filter(|span| !range::OTLP_INTERVAL.contains(span));
        if !IS_BUILT_IN {
            Some(format!("[otlp] {NOT_BUILT_IN}"))
        } else if endpoint(self.endpoint.as_str()).is_none() {
            Some(format!("[otlp] endpoint (not shown) is refused, expected {ENDPOINT}"))
        } else if self.headers.as_ref().is_some_and(is_wrong) {
            Some(format!("[otlp] headers are wrong (not shown), expected {HEADERS}"))
        } else if self.tells_secrets() {
            Some(format!("[otlp] endpoint {UNGUARDED}"))
        } else {
            let limits = limits_of_durations(&range::OTLP_INTERVAL);
            wrong_interval
                .map(|span| format!("[otlp] interval is {span:?}, expected {limits}, or none"))
        }
    }
}

/// Holds no secret, so that it is shown.
struct Endpoint(Url);

impl InToml for Endpoint {
    fn in_toml(&self) -> String {
        toml::Value::from(self.0.as_str().trim_end_matches('/')).to_string()
    }
}

fn endpoint(text: &str) -> Option<Endpoint> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (is_bare && matches!(url.scheme(), "http" | "https")).then_some(Endpoint(url))
}

/// `None`: it is no list of headers.
fn pairs(text: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.append(name.trim().parse::<HeaderName>().ok()?, value);
    }
    Some(headers)
}
