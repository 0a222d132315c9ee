//! What befalls a database, and what holds all the same: schedulers and stores on a real MariaDB behind a proxy that
//! breaks their exchanges. `docs/reliability.md` has the table. Each test asks whether its fault fired: a fault that
//! never fired proves nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod asked;
mod broken;
mod log;
mod refused;
mod silent;
mod start_and_stop;
mod trial;
