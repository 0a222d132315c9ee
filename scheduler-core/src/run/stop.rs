//! Who asks a scheduler to stop: the operator by [signal](super::Signals), or the program it is a part of.

use tokio_util::sync::CancellationToken;

/// What is wished of a scheduler that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Stop in order.
    Stop,
    /// Stop at once.
    StopNow,
}

/// Whoever may ask a scheduler to stop.
pub trait StopSource: Send {
    /// The next wish, the first of which is [`Wish::Stop`]. Waits for ever if there is no more. Cancel-safe.
    fn next(&mut self) -> impl Future<Output = Wish> + Send;
}

/// Asks to stop in order once a token is cancelled, and never for more.
#[derive(Debug)]
pub struct StopToken {
    token: CancellationToken,
    has_asked: bool,
}

impl StopToken {
    /// Asks when `token` is cancelled.
    #[must_use]
    pub fn new(token: CancellationToken) -> Self {
        Self { token, has_asked: false }
    }
}

impl StopSource for StopToken {
    async fn next(&mut self) -> Wish {
        if self.has_asked {
            return std::future::pending().await;
        }
        self.token.cancelled().await;
        self.has_asked = true;
        Wish::Stop
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_asks_once_and_never_for_more() {
        let token = CancellationToken::new();
        let mut stop = StopToken::new(token.clone());
        let minute = Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, stop.next()).await.is_err());
        token.cancel();
        assert_eq!(stop.next().await, Wish::Stop);
        assert!(tokio::time::timeout(minute, stop.next()).await.is_err());
    }
}
