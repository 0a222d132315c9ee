//! How the tables answer, when the test orders it otherwise than well.

use crate::{
    plan::node::Failure,
    store::{StoreError, memory::at_once},
};

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
                let _ = at_once(call);
                Err(Failure::Unknown("ordered to lose the answer".to_owned()))
            }
            None => at_once(call).map_err(|error| Failure::NotApplied(error.chain())),
        }
    }
}

/// What a call by the test itself gives; a refusal is a mistake of the test.
#[track_caller]
pub(super) fn done<T>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    match at_once(call) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
