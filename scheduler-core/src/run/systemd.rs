//! Tells systemd how the scheduler fares, where it asks: `Type=notify` and `WatchdogSec=` of a unit, by the variables
//! `NOTIFY_SOCKET` and `WATCHDOG_USEC`. Only for a program that is a scheduler and nothing else.
//!
//! | word | when |
//! |---|---|
//! | `READY=1` | the loop has turned once: the tables are ours, the database answered |
//! | `STATUS=…` | then, and every few seconds: what it holds, or why it claims nothing |
//! | `WATCHDOG=1` | as often, while the loop turns |
//! | `STOPPING=1` | it was asked to stop |
//!
//! A thread of its own: a socket that nobody reads may hold up whoever writes to it.

use std::{
    sync::{Arc, Weak},
    thread::{self, Thread},
    time::Duration,
};

use sd_notify::NotifyState;

use super::{
    watch::{Sight, Watch},
    watchdog::OnHang,
};

/// Longest pause between two words. systemd wants its watchdog fed in half the time that it allows.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tells systemd until it is dropped.
#[derive(Debug)]
pub(super) struct Systemd {
    /// `None`: nobody asks.
    told_by: Option<Thread>,
    /// What the last turn said: whether it is stopping.
    last: Option<bool>,
    _alive: Arc<()>,
}

impl Systemd {
    pub(super) fn start(on_hang: OnHang, watch: &Watch) -> Self {
        let alive = Arc::new(());
        let is_asked = on_hang == OnHang::EndProcess && std::env::var_os("NOTIFY_SOCKET").is_some();
        let start = || {
            let (watch, alive) = (watch.clone(), Arc::downgrade(&alive));
            let named = thread::Builder::new().name("systemd".to_owned());
            let started = named.spawn(move || tell(&watch, &alive));
            let failed = |error| tracing::warn!("systemd is told nothing: {error}");
            Some(started.map_err(failed).ok()?.thread().clone())
        };
        let told_by = if is_asked { start() } else { None };
        Self { told_by, last: None, _alive: alive }
    }

    /// The loop has turned.
    pub(super) fn turned(&mut self, is_stopping: bool) {
        if self.last.replace(is_stopping) != Some(is_stopping)
            && let Some(thread) = &self.told_by
        {
            thread.unpark();
        }
    }
}

fn tell(watch: &Watch, alive: &Weak<()>) {
    let watchdog = sd_notify::watchdog_enabled();
    let pause = watchdog.map_or(LONGEST_PAUSE, |allowed| LONGEST_PAUSE.min(allowed / 2));
    let mut is_well = true;
    while alive.strong_count() > 0 {
        let sight = watch.look();
        let status = status(&sight);
        let words = words(&sight, &status, watchdog.is_some());
        let told = if words.is_empty() { Ok(()) } else { sd_notify::notify(&words) };
        if let (true, Err(error)) = (is_well, &told) {
            tracing::warn!("systemd is not told how the scheduler fares: {error}");
        }
        is_well = told.is_ok();
        thread::park_timeout(pause);
    }
}

/// Nothing of one whose loop does not turn: whoever waits for a word knows what to do.
fn words<'a>(sight: &Sight, status: &'a str, is_watched: bool) -> Vec<NotifyState<'a>> {
    let words = [
        (true, NotifyState::Ready),
        (true, NotifyState::Status(status)),
        (is_watched, NotifyState::Watchdog),
        (sight.survey.is_stopping, NotifyState::Stopping),
    ];
    let said = words.into_iter().filter(|(is_said, _)| *is_said && sight.is_alive());
    said.map(|(_, word)| word).collect()
}

/// On one line, as `systemctl status` shows it.
fn status(sight: &Sight) -> String {
    let obstacles = sight.obstacles();
    if !obstacles.is_empty() {
        return format!("claims nothing: {}", obstacles.join(", "));
    }
    let (rows, open) = (sight.survey.rows, sight.survey.open);
    format!("tasks: {} scheduled, {} rejected; runs open: {open}", rows.scheduled, rows.rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::node::Rows;

    fn well() -> Sight {
        let mut sight = Sight::well();
        sight.survey.rows = Rows { scheduled: 12, rejected: 1, disabled: 3 };
        sight.survey.open = 2;
        sight
    }

    #[test]
    fn the_status_says_what_is_held_or_what_hinders() {
        assert_eq!(status(&well()), "tasks: 12 scheduled, 1 rejected; runs open: 2");
        let mut ill = well();
        ill.survey.is_trusted = false;
        ill.survey.is_database_well = false;
        let text = "claims nothing: the database is in trouble, its lease is not renewed";
        assert_eq!(status(&ill), text);
    }

    #[test]
    fn the_watchdog_is_fed_where_it_is_asked_for_and_while_the_loop_turns() {
        let said = |sight: &Sight, is_watched| {
            let words = words(sight, "fine", is_watched);
            words.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(said(&well(), false), ["READY=1", "STATUS=fine"]);
        assert_eq!(said(&well(), true), ["READY=1", "STATUS=fine", "WATCHDOG=1"]);
        let mut stopping = well();
        stopping.survey.is_stopping = true;
        assert_eq!(said(&stopping, false), ["READY=1", "STATUS=fine", "STOPPING=1"]);
        for turned_ago in [None, Some(Duration::from_secs(30))] {
            assert_eq!(said(&Sight { turned_ago, ..well() }, true), [""; 0]);
        }
    }
}
