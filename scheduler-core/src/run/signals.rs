//! What the operator asks for by signal.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{StopSource, Wish};

/// Listens to SIGTERM and SIGINT. SIGHUP is heard and ignored: a closed terminal must not end a scheduler.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    has_asked: bool,
}

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
            has_asked: false,
        })
    }
}

impl StopSource for Signals {
    /// The first signal asks to stop in order, any further to stop at once.
    async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => break,
                Some(()) = self.interrupt.recv() => break,
                Some(()) = self.hang_up.recv() => tracing::info!("SIGHUP is ignored"),
            }
        }
        if std::mem::replace(&mut self.has_asked, true) { Wish::StopNow } else { Wish::Stop }
    }
}
