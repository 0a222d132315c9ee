//! How the tables answer, when the test orders it otherwise than well.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use crate::{plan::node::Failure, store::StoreError};

/// What goes wrong with a call to the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// It fails; nothing is written.
    Fails,
    /// It is carried out, but the answer is lost on the way: the scheduler cannot know.
    LosesAnswer,
}

/// The faults that were ordered.
#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) is_down: bool,
    pub(super) next_claim: Option<StoreFault>,
    pub(super) next_record: Option<StoreFault>,
}

impl Database {
    /// Makes a call that goes wrong as ordered: by `fault`, or because nothing answers.
    pub(super) fn call<T>(
        &self,
        fault: Option<StoreFault>,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Failure> {
        match fault {
            _ if self.is_down => Err(Failure::NotApplied("the database is down".to_owned())),
            Some(StoreFault::Fails) => Err(Failure::NotApplied("ordered to fail".to_owned())),
            Some(StoreFault::LosesAnswer) => {
                let _ = answer(call);
                Err(Failure::Unknown("ordered to lose the answer".to_owned()))
            }
            None => answer(call).map_err(|error| Failure::NotApplied(error.chain())),
        }
    }
}

/// What a call by the test itself gives; a refusal is a mistake of the test.
#[track_caller]
pub(super) fn done<T>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    match answer(call) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// The result of a call to tables in memory, which never waits.
fn answer<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("bug: a call to tables in memory waits"),
    }
}
