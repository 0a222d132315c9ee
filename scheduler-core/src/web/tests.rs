mod access;
mod alarms;
mod assassin;
mod executions;
mod health;
mod login;
mod pages;
mod tasks;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Web, api, router::router, site::Site};
use crate::{
    config::{Access, Config, Http, Role, Token, User},
    job::{self, JobDescriptor, JobOptions},
    registry::Registry,
    run::Watch,
    store::{SharedStore, memory::MemoryStore},
};

/// A configuration with this `[http]`.
fn config(http: Http) -> Arc<Config> {
    Arc::new(Config { http, ..Config::sqlite("nowhere/scheduler.db") })
}

/// A configuration with one user, whose password is none.
pub(super) fn config_of(name: &str) -> Arc<Config> {
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
    let user = User { password_hash: hash.into(), access: Access::full() };
    config(Http { users: BTreeMap::from([(name.to_owned(), user)]), ..Http::default() })
}

/// A site on tables in memory whose clock shows what ours does.
pub(super) fn site_on(config: Arc<Config>) -> Site {
    let store: SharedStore = Arc::new(MemoryStore::new(crate::clock::wall()));
    Site::new(config, registry(), Watch::new("a", &store)).on(store)
}

/// The job `add` that takes a number.
fn registry() -> Arc<Registry> {
    static ADD: JobDescriptor = JobDescriptor {
        name: "add",
        function: "tests::add",
        file: "src/add.rs",
        line: 1,
        args: "i64",
        options: JobOptions::NONE,
        body: job::Body::Blocking(|_| Ok(())),
        check_args: |args| args.read::<i64>().map(drop),
    };
    Arc::new(Registry::of([&ADD]).unwrap())
}

/// A site that answers callers `viewer`, `operator`, `admin`, and `biller`, an admin of `billing_*`, each with a token.
struct Asker {
    store: SharedStore,
    site: Site,
    router: Router,
    /// What each route is said to answer.
    document: Value,
}

/// An answer, with its JSON or `null`.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    json: Value,
}

fn token_of(name: &str) -> String {
    format!("the-token-of-{name}")
}

impl Asker {
    fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH)))
    }

    fn on(store: SharedStore) -> Self {
        Self::with(store, BTreeMap::new())
    }

    fn with(store: SharedStore, users: BTreeMap<String, User>) -> Self {
        let tokens = [
            ("viewer", Role::Viewer, "*"),
            ("operator", Role::Operator, "*"),
            ("admin", Role::Admin, "*"),
            ("biller", Role::Admin, "billing_*"),
        ];
        let tokens = tokens.map(|(name, role, tasks)| {
            let access = Access { role, tasks: vec![tasks.to_owned()] };
            (name.to_owned(), Token { token: token_of(name).into(), access })
        });
        let http = Http { tokens: BTreeMap::from(tokens), users, ..Http::default() };
        let site = Site::new(config(http), registry(), Watch::new("a", &store));
        let site = site.on(Arc::clone(&store));
        let router = router(site.clone());
        let (_, document) = api::routes().into_parts();
        Self { store, site, router, document: serde_json::to_value(document).unwrap() }
    }

    /// What is answered to this request, which must be a documented answer if its route is.
    async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 10 << 20).await.unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let path =
            path.split('/').map(|part| if part.parse::<i64>().is_ok() { "{id}" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let route = &self.document["paths"][path][method.as_str().to_lowercase()];
        if route.is_object() {
            let is_documented = route["responses"][status.as_str()].is_object();
            assert!(is_documented, "{method} {status} is not documented: {json}");
        }
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(json["status"], status.as_u16());
            assert!(json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{json}");
        }
        Answer { status, headers, json }
    }

    /// Asks as `name`, with `body` as JSON if there is one.
    async fn ask(&self, name: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {}", token_of(name)));
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.header("if-match", "*").body(body).unwrap()).await
    }

    async fn get(&self, name: &str, path: &str) -> Answer {
        self.ask(name, Method::GET, path, None).await
    }

    async fn post(&self, name: &str, path: &str, body: Value) -> Answer {
        self.ask(name, Method::POST, path, Some(body)).await
    }
}

impl Answer {
    /// The JSON of an answer of this status.
    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        self.json
    }

    /// A problem of this status about this field, whose detail says this.
    #[track_caller]
    fn refused(self, status: u16, field: impl Into<Value>, detail: &str) {
        let json = self.expect(status);
        assert_eq!(json["field"], field.into(), "{json}");
        assert!(json["detail"].as_str().unwrap().contains(detail), "{json}");
    }
}

/// A page, or where it leads.
struct HtmlAnswer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

async fn html(answer: Response) -> HtmlAnswer {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = to_bytes(answer.into_body(), 10 << 20).await.unwrap();
    HtmlAnswer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

impl HtmlAnswer {
    fn location(&self) -> String {
        let place = self.headers.get(header::LOCATION).map(|place| place.to_str().unwrap());
        place.unwrap_or_else(|| panic!("{} leads nowhere: {}", self.status, self.text)).to_owned()
    }

    /// The cookie that was given, as it is shown again; empty: none.
    fn cookie(&self) -> String {
        let given = self.headers.get(header::SET_COOKIE).map(|given| given.to_str().unwrap());
        given.and_then(|given| given.split(';').next()).unwrap_or_default().to_owned()
    }
}
