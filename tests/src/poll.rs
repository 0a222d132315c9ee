//! Waiting for something that another process does: asking again until a deadline, never a fixed pause.

use std::time::Duration;

use scheduler_core::clock;

/// Asks `answer` every 20 ms until it is `Some`, for at most `patience`.
pub fn until<T>(patience: Duration, mut answer: impl FnMut() -> Option<T>) -> Option<T> {
    let started = clock::mono();
    loop {
        if let Some(found) = answer() {
            return Some(found);
        }
        if clock::mono() - started > patience {
            return None;
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "another process gives no event to await")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
