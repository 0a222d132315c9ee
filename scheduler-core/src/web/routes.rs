//! Every way in, each with the role that it takes: there is no other way to add one.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, ResponseBuilder,
    path::{Operation, PathItem},
    security::SecurityRequirement,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{access::Caller, frame::Frame, problem::Problem, site::Site};
use crate::config::Role;

/// Routes of the API, and what is said of them in OpenAPI.
pub(super) struct Routes(OpenApiRouter<Site>);

impl Routes {
    /// None, of what `api` is said to be.
    pub(super) fn new(api: OpenApi) -> Self {
        Self(OpenApiRouter::with_openapi(api))
    }

    /// Adds these for callers with this role.
    pub(super) fn add(
        self,
        role: Role,
        (schemas, mut paths, methods): UtoipaMethodRouter<Site>,
    ) -> Self {
        for operation in paths.paths.values_mut().flat_map(operations) {
            let requirement = SecurityRequirement::new("token", [role.as_str()]);
            operation.security = Some(vec![requirement]);
            operation.responses.responses.extend(
                COMMON.map(|(status, meaning)| (status.to_owned(), RefOr::T(problem(meaning)))),
            );
            let unread = ResponseBuilder::new().description(UNREAD.1).build();
            operation.responses.responses.insert(UNREAD.0.to_owned(), RefOr::T(unread));
        }
        let guard = middleware::from_fn(move |request, next| guard(role, request, next));
        Self(self.0.routes((schemas, paths, methods.layer(guard))))
    }

    pub(super) fn into_parts(self) -> (Router<Site>, OpenApi) {
        self.0.split_for_parts()
    }
}

/// Pages, for people.
pub(super) struct Pages {
    site: Site,
    router: Router<Site>,
    /// Path and role.
    #[cfg(test)]
    pub(super) table: Vec<(&'static str, Role)>,
}

impl Pages {
    /// None.
    pub(super) fn new(site: &Site) -> Self {
        Self {
            site: site.clone(),
            router: Router::new(),
            #[cfg(test)]
            table: Vec::new(),
        }
    }

    /// Adds one for those with this role.
    pub(super) fn add(
        mut self,
        role: Role,
        path: &'static str,
        methods: MethodRouter<Site>,
    ) -> Self {
        let guard =
            middleware::from_fn_with_state(self.site.clone(), move |frame, request, next| {
                guard_page(role, frame, request, next)
            });
        #[cfg(test)]
        self.table.push((path, role));
        self.router = self.router.route(path, methods.route_layer(guard));
        self
    }

    pub(super) fn into_router(self) -> Router<Site> {
        self.router
    }
}

/// What any route may answer.
const COMMON: [(&str, &str); 8] = [
    ("400", "A parameter, or the JSON, cannot be read."),
    ("401", "Nobody known asks."),
    ("403", "The caller's role does not do."),
    ("404", "It does not exist, or not for the caller."),
    ("405", "The route has no such method."),
    ("408", "The body was not sent within 10 s."),
    ("413", "The body is longer than 1 MiB."),
    ("503", "The database does not answer, or too much is asked at once."),
];

/// What is answered before anything is read.
const UNREAD: (&str, &str) =
    ("431", "The head of the request is longer than about 32 KiB. There is no body.");

/// Another answer that is a [`Problem`].
pub(super) fn problem(meaning: &str) -> utoipa::openapi::Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new().description(meaning);
    response.content("application/problem+json", content).build()
}

/// The operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// These, for callers with this role.
pub(super) fn guarded(role: Role, methods: MethodRouter<Site>) -> MethodRouter<Site> {
    methods.route_layer(middleware::from_fn(move |request, next| guard(role, request, next)))
}

/// Lets those pass who have `role`; the others see a page that says so.
async fn guard_page(role: Role, frame: Frame, request: Request, next: Next) -> Response {
    if frame.may(role) { next.run(request).await } else { frame.problem(&Problem::takes(role)) }
}

/// Lets those pass who have `role`.
async fn guard(role: Role, request: Request, next: Next) -> Response {
    match request.extensions().get::<Arc<Caller>>() {
        None => Problem::nobody().into_response(),
        Some(caller) if caller.access.role < role => Problem::takes(role).into_response(),
        Some(_) => next.run(request).await,
    }
}
