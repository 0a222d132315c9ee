//! `ctx.http()` and `#[derive(Request)]` against servers that answer, hang and break.

mod declared;
mod errors;
mod harness;
mod headers;
mod limits;
mod repeated;
mod support;
