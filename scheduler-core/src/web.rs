//! What is asked of a running scheduler by HTTP: health and figures, and all that people see and change.
//!
//! On a thread of its own, with connections of its own to the database: neither a flood of requests nor a client that never
//! finishes its own costs the scheduler a moment. An address that is taken is said once and tried again; nothing else
//! depends on it.
//!
//! ```text
//! listen ─▶ router ─▶ identify (access) ─▶ guard (routes) ─▶ api │ pages ─▶ seen ─▶ admin ─▶ store
//!  places    bounds    who asks             may he?                           for him?
//! ```
//!
//! Nothing is answered that has no guard: a route is added with the role that it takes, see `routes`.

mod access;
mod api;
mod assassin;
mod boards;
mod frame;
mod health;
mod kept;
mod listen;
mod login;
mod pages;
mod places;
mod probe;
mod problem;
mod router;
mod routes;
mod seen;
mod session;
mod site;
#[cfg(test)]
mod tests;

pub use self::{listen::Web, probe::probe, session::make_link};
