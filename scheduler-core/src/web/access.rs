//! Who asks, by what he shows with his request.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::{problem::Problem, session, site::Site};
use crate::{
    config::{Access, Http},
    store::{Author, StoreError, Via},
};

/// Somebody who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) name: String,
    /// How he asks.
    pub(super) via: Via,
    pub(super) access: Access,
}

impl Caller {
    /// In whose name he edits.
    pub(super) fn author(&self) -> Author {
        Author { name: self.name.clone(), via: self.via }
    }

    /// Whether a task with this key exists for him; one whose key is not known does for those who see all.
    pub(super) fn sees(&self, task_key: Option<&str>) -> bool {
        match task_key {
            Some(key) => self.access.covers(key),
            None => self.access.covers_all(),
        }
    }
}

/// From where somebody asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Those who may ask.
#[derive(Debug)]
pub(super) struct Known {
    /// By the digest of the token: of two texts of one length no time tells how much of them is the same.
    programs: Vec<([u8; 32], Arc<Caller>)>,
}

impl Known {
    pub(super) fn of(http: &Http) -> Self {
        let programs = http.tokens.iter().map(|(name, token)| {
            let caller = Caller { name: name.clone(), via: Via::Api, access: token.access.clone() };
            (digest(token.token.expose_secret().as_bytes()), Arc::new(caller))
        });
        Self { programs: programs.collect() }
    }

    /// Who shows this token. Takes as long for whatever token.
    pub(super) fn program(&self, token: &[u8]) -> Option<&Arc<Caller>> {
        let shown = digest(token);
        let mut found = None;
        for (known, caller) in &self.programs {
            let is_it: Choice = known.ct_eq(&shown);
            if is_it.into() {
                found = Some(caller);
            }
        }
        found
    }
}

/// Leaves word of who asks, if he is known, for the guards of the routes: a program by its token, a person by his session.
pub(super) async fn identify(
    State(site): State<Site>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&site, request.headers()).await {
        Ok(Some(_)) if !shows_a_token(request.headers()) && is_of_no_page(&request) => {
            return Problem::of_no_page().into_response();
        }
        Ok(Some(caller)) => drop(request.extensions_mut().insert(caller)),
        Ok(None) => {}
        Err(error) => return Problem::from(error).into_response(),
    }
    next.run(request).await
}

/// Who asks, by a token or a session.
///
/// # Errors
/// When the database does not tell of a session.
pub(super) async fn caller(
    site: &Site,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, StoreError> {
    if shows_a_token(headers) {
        return Ok(bearer(headers).and_then(|token| site.known.program(token)).cloned());
    }
    Ok(session::caller(site, headers).await?.map(Arc::new))
}

/// Whether something is to be done, and nothing says for which page: every browser says so, and a cookie is a browser's.
fn is_of_no_page(request: &Request) -> bool {
    let says = |name: &str| request.headers().get(name).is_some_and(|value| !value.is_empty());
    !request.method().is_safe() && !says("origin") && !says("sec-fetch-site")
}

/// Whether it is a program that asks, right or wrong; another kind of credential is that of a proxy.
fn shows_a_token(headers: &HeaderMap) -> bool {
    let given = headers.get_all(header::AUTHORIZATION).iter();
    let is_token = |value: &HeaderValue| {
        value.as_bytes().get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case(b"bearer"))
    };
    given.into_iter().any(is_token)
}

/// The token of the one header `Authorization: Bearer TOKEN`; `None`: there is none, or several.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (given.next()?, given.next());
    let token = first.as_bytes().strip_prefix(b"Bearer ")?;
    second.is_none().then_some(token)
}

/// The value of the last cookie of this name. Read without making a jar of all of them, of which there may be very many.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let given = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = given.flat_map(|value| value.split(';')).filter_map(|one| one.split_once('='));
    cookies.into_iter().rfind(|(known, _)| known.trim() == name).map(|(_, value)| value.trim())
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}
