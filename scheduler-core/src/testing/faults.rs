//! What a test orders to go wrong.

use super::{Act, Harness, StoreFault};
use crate::plan::node::Event;

impl Harness {
    /// Orders what the next run of the row does in place of its function. Ordered twice, it holds for the next two.
    #[track_caller]
    pub fn next_run(&mut self, task_key: &str, act: Act) {
        self.id(task_key);
        self.say(format!("{task_key:?}: its next run is ordered: {act:?}"));
        self.engine.acts.next(task_key, act);
    }

    /// Orders what every run of the row does from now on in place of its function.
    #[track_caller]
    pub fn every_run(&mut self, task_key: &str, act: Act) {
        self.id(task_key);
        self.say(format!("{task_key:?}: every run is ordered: {act:?}"));
        self.engine.acts.every(task_key, act);
    }

    /// Orders what goes wrong with the next claim, whatever is in it.
    pub fn next_claim(&mut self, fault: StoreFault) {
        self.say(format!("the next claim is ordered: {fault:?}"));
        self.engine.database.next_claim = Some(fault);
    }

    /// Orders what goes wrong when the next outcomes are recorded.
    pub fn next_record(&mut self, fault: StoreFault) {
        self.say(format!("the next record is ordered: {fault:?}"));
        self.engine.database.next_record = Some(fault);
    }

    /// From now on the database does not answer.
    pub fn database_down(&mut self) {
        self.say("the database goes down");
        self.engine.database.is_down = true;
    }

    /// The database answers again.
    pub fn database_up(&mut self) {
        self.say("the database comes up");
        self.engine.database.is_down = false;
    }

    /// The scheduler is gone without a word, as after `kill -9`, and what ran is cut. Only what jobs have started with
    /// `ctx.spawn` goes on here.
    pub fn crash(&mut self) {
        self.say("the scheduler crashes");
        self.engine.crash();
    }

    /// Asks the scheduler to stop, as SIGTERM does, and lets time pass until it has.
    pub fn stop(&mut self) {
        self.say("the scheduler is asked to stop");
        self.engine.pump(Event::Stop);
        self.engine.settle();
        while self.engine.is_running() {
            self.engine.step();
        }
    }

    /// Starts the scheduler again after [`Harness::crash`] or [`Harness::stop`].
    ///
    /// # Panics
    /// While it runs.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(!self.engine.is_running(), "the scheduler runs: `crash` or `stop` it first");
        self.say("the scheduler starts");
        self.engine.start();
        self.engine.advance_to(self.now());
    }
}
