//! A thing that is made when it is first wanted, by one attempt for all who want it at that time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{runtime::Handle, sync::watch};

use super::PoolError;

/// The attempt that counts: one that succeeded, or is under way.
pub(super) struct Attempts<T>(Mutex<Option<Attempt<T>>>);

/// What becomes of an attempt, and became of it. Clones are the same.
pub(super) struct Attempt<T>(watch::Receiver<Option<Result<T, PoolError>>>);

impl<T: Clone + Send + Sync + 'static> Attempts<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The attempt that counts. If there is none, `make` is tried on `runtime`, whoever waits for it.
    pub(super) fn current<F>(&self, runtime: &Handle, make: impl FnOnce() -> F) -> Attempt<T>
    where
        F: Future<Output = Result<T, PoolError>> + Send + 'static,
    {
        let mut current = self.lock();
        if let Some(attempt) = current.as_ref().filter(|attempt| attempt.counts()) {
            return attempt.clone();
        }
        let (told, attempt) = watch::channel(None);
        let making = make();
        runtime.spawn(async move { told.send_replace(Some(making.await)) });
        current.insert(Attempt(attempt)).clone()
    }

    /// What `attempt` made is of no use any more.
    pub(super) fn forget(&self, attempt: &Attempt<T>) {
        let mut current = self.lock();
        current.take_if(|current| current.0.same_channel(&attempt.0));
    }

    /// What was made is of no use any more if `is_useless` says so.
    pub(super) fn forget_if(&self, is_useless: impl Fn(&T) -> bool) {
        let was_made = |attempt: &mut Attempt<T>| matches!(&*attempt.0.borrow(), Some(Ok(made)) if is_useless(made));
        self.lock().take_if(was_made);
    }

    pub(super) fn forget_all(&self) {
        self.lock().take();
    }

    /// What was made and is not forgotten.
    pub(super) fn made(&self) -> Option<T> {
        self.lock().as_ref().and_then(|attempt| attempt.0.borrow().clone()?.ok())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Attempt<T>>> {
        // Nothing is left half done where this could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Attempt<T> {
    /// What was made. Cancel-safe: the attempt goes on.
    pub(super) async fn result(&mut self) -> Result<T, PoolError> {
        match self.0.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Err(PoolError::GivenUp)),
            Err(_) => Err(PoolError::GivenUp),
        }
    }

    fn counts(&self) -> bool {
        match &*self.0.borrow() {
            Some(result) => result.is_ok(),
            // Its runtime may be gone.
            None => self.0.has_changed().is_ok(),
        }
    }
}

impl<T> Clone for Attempt<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
