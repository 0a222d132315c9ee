//! What the operator asks for by signal.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{StopSource, Wish};
use crate::clock::mono;

/// Listens to SIGTERM and SIGINT. SIGHUP is heard and ignored: a closed terminal must not end a scheduler.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// When the first came (monotonic).
    asked_at: Option<Duration>,
}

/// Signals within this time are one: `timeout` and some supervisors send theirs to the process and to its group. Nobody
/// presses Ctrl-C twice within it.
const ONE: Duration = Duration::from_millis(10);

impl Signals {
    /// Starts listening; from here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the operating system refuses a handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            asked_at: None,
        })
    }
}

impl StopSource for Signals {
    /// The first signal asks to stop in order, any further to stop at once.
    async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => {}
                Some(()) = self.interrupt.recv() => {}
                Some(()) = self.hang_up.recv() => {
                    tracing::info!("SIGHUP is ignored: the configuration is read at the start");
                    continue;
                }
            }
            match self.asked_at {
                None => {
                    self.asked_at = Some(mono());
                    return Wish::Stop;
                }
                Some(at) if mono() - at < ONE => {}
                Some(_) => return Wish::StopNow,
            }
        }
    }
}
