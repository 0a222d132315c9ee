//! What several routes may answer when they do not do what was asked.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};

use crate::web::routes::problem;

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident: $($status:literal $meaning:literal),+;)+) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), RefOr::T(problem($meaning)))),+])
            }
        }
    )+};
}

answers! {
    /// The JSON of a request is none that is read.
    BadBody: "415" "The JSON is not sent as `application/json`.";
    /// Something else stands in the way.
    Conflict: "409" "The key is taken; what is to run is off, or rejected; what is to end has ended.";
    /// No edit makes a row that is rejected.
    Rejected: "422" "The row would be rejected: `field` names the column. Or the JSON lacks a field, has one too many, or \
                     one of another type.";
    /// Others were faster, again and again.
    Overtaken: "412" "Others edited the task again and again meanwhile: ask once more.";
    /// Nobody's edit is lost.
    Edited:
        "412" "The task was edited meanwhile: read it again.",
        "428" "`If-Match` is missing.";
}
