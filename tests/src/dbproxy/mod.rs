//! A proxy before a MariaDB that understands what passes through it, and breaks what a test asks it to break.
//!
//! ```text
//!   store ──▶ DbProxy ──▶ mariadbd       rule: (a text of the SQL, which of its runs, what befalls it)
//! ```
//!
//! ```no_run
//! use tests::dbproxy::{Action, DbProxy, Which};
//!
//! let proxy = DbProxy::start(3306).unwrap();
//! let fault = proxy.on_commit_of("INSERT IGNORE INTO execute_task", Which::Nth(1), Action::DropAfter);
//! // … let a store claim through proxy.url("database") …
//! assert_eq!(fault.times(), 1, "a fault that never fired proves nothing");
//! ```
//!
//! A statement is what a client runs: as text, or prepared before; preparing it is none of its runs. Everything ends
//! when the proxy is dropped: its threads, its connections, its rules.

mod connection;
mod packet;
mod rules;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, JoinHandle, Scope},
    time::Duration,
};

use scheduler_core::clock;

use self::{connection::Connection, rules::Rules};

/// What befalls a statement.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// The server sees it this much later, also if the client has given up by then.
    Delay(Duration),
    /// The server runs it at once; the client hears so this much later.
    DelayReply(Duration),
    /// The server never sees it; the connection is closed.
    DropBefore,
    /// The server runs it; the answer is lost, and the connection is closed.
    DropAfter,
    /// The server never sees it, nor anything after it; the connection stays open and silent.
    BlackHole,
    /// The server never sees it; nothing happens until the client is gone, and then the server sees it gone.
    Hold,
    /// The server never sees it; the client's connection is reset.
    Reset,
    /// The server never sees it; the client is told of this error: number, SQLSTATE, text. What a server would undo
    /// with it stands.
    ReplyError(u16, &'static str, &'static str),
}

/// Which runs of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// Only this one, counted from 1 since the rule was made.
    Nth(usize),
    /// This one and all after it, until the rule is lifted.
    From(usize),
    /// Each, until the rule is lifted.
    Every,
}

/// A proxy and all that passes through it.
#[derive(Debug)]
pub struct DbProxy {
    shared: Arc<Shared>,
    port: u16,
    accepting: Option<JoinHandle<()>>,
}

/// A rule of a proxy. It stands until it is [lifted](Self::lift), also when this is dropped.
#[derive(Debug)]
#[must_use = "a fault that never fired proves nothing: ask how many times it did"]
pub struct Fault {
    shared: Arc<Shared>,
    rule: usize,
}

#[derive(Debug)]
struct Shared {
    server_port: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    way: Way,
    is_listening: bool,
    rules: Rules,
    connections: Vec<Weak<Connection>>,
    accepted: usize,
    statements: Vec<String>,
    pongs_in_transaction: usize,
    /// Statements with this text are timed.
    timed: Option<String>,
    times: Vec<Time>,
}

/// How long a statement was under way, by the wall clock in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// When it came.
    pub from_ms: i64,
    /// When the server answered.
    pub until_ms: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Open,
    CutOff,
    Refused,
    Ended,
}

/// Statements that are remembered at most.
const REMEMBERED: usize = 20_000;

impl DbProxy {
    /// A proxy before the server at this port of this machine.
    ///
    /// # Errors
    /// When the system gives no port.
    pub fn start(server_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let state = Mutex::new(State { is_listening: true, ..State::default() });
        let shared = Arc::new(Shared { server_port, state, changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        let accepting = thread::Builder::new()
            .name("dbproxy".to_owned())
            .spawn(move || serving.serve(listener))?;
        Ok(Self { shared, port, accepting: Some(accepting) })
    }

    /// The address of `database` for `user` (`name` or `name:password`). Never encrypted: the proxy reads along.
    #[must_use]
    pub fn url_for(&self, user: &str, database: &str) -> String {
        format!("mysql://{user}@127.0.0.1:{}/{database}?ssl-mode=disabled", self.port)
    }

    /// The address of `database` for `root`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_for("root", database)
    }

    /// From now on `action` befalls those statements that contain `text`. Of several rules that fit, the oldest acts;
    /// all count.
    pub fn on(&self, text: &str, which: Which, action: Action) -> Fault {
        self.add(text, false, which, action)
    }

    /// The same for the COMMIT of a transaction one of whose statements contains `text`.
    pub fn on_commit_of(&self, text: &str, which: Which, action: Action) -> Fault {
        self.add(text, true, which, action)
    }

    fn add(&self, text: &str, of_commit: bool, which: Which, action: Action) -> Fault {
        let rule = self.shared.state().rules.add(text, of_commit, which, action);
        Fault { shared: Arc::clone(&self.shared), rule }
    }

    /// Nothing passes any more in either direction, and every connection stays open: what is under way waits, and
    /// passes when the way is open again, as the network would send it again.
    pub fn cut_off(&self) {
        self.shared.set(Way::CutOff);
    }

    /// Every connection is reset and every new one refused, as if nobody listened.
    pub fn refuse(&self) {
        self.shared.set(Way::Refused);
        self.shared.connections().iter().for_each(|connection| connection.reset());
        self.shared.knock(self.port);
        drop(self.shared.wait_until(|state| !state.is_listening));
    }

    /// The way is open again.
    pub fn restore(&self) {
        self.shared.set(Way::Open);
        drop(self.shared.wait_until(|state| state.is_listening));
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().accepted
    }

    /// The ports from which it speaks to the server now, one for each connection.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.shared.connections().iter().filter_map(|connection| connection.port()).collect()
    }

    /// The statements so far, oldest first; beyond the first 20,000 none is remembered.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        self.shared.state().statements.clone()
    }

    /// From now on it is remembered how long each statement with `text` takes.
    pub fn time(&self, text: &str) {
        self.shared.state().timed = Some(text.to_owned());
    }

    /// How long those took that were answered so far, in the order of the answers; beyond the first 20,000 none is remembered.
    #[must_use]
    pub fn times(&self) -> Vec<Time> {
        self.shared.state().times.clone()
    }

    /// How often a server answered a ping, which a pool sends before it lends a connection, with a transaction open:
    /// each time is a connection that was poisoned.
    #[must_use]
    pub fn pongs_in_transaction(&self) -> usize {
        self.shared.state().pongs_in_transaction
    }
}

impl Drop for DbProxy {
    fn drop(&mut self) {
        self.shared.set(Way::Ended);
        self.shared.connections().iter().for_each(|connection| connection.close());
        self.shared.knock(self.port);
        if let Some(accepting) = self.accepting.take() {
            // It fails only if one of its threads panicked, and then the test has failed by what it missed.
            let _ = accepting.join();
        }
    }
}

impl Fault {
    /// How often it befell a statement so far.
    #[must_use]
    pub fn times(&self) -> usize {
        self.shared.state().rules.times(self.rule)
    }

    /// Waits until it has befallen a statement `times` times; whether it did within `patience`.
    #[must_use]
    pub fn has_fired(&self, times: usize, patience: Duration) -> bool {
        let too_few = |state: &mut State| state.rules.times(self.rule) < times;
        let waited = self.shared.changed.wait_timeout_while(self.shared.state(), patience, too_few);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// It befalls no further statement.
    pub fn lift(&self) {
        self.shared.state().rules.lift(self.rule);
    }
}

impl Shared {
    fn is_timed(&self, sql: &str) -> bool {
        self.state().timed.as_ref().is_some_and(|text| sql.contains(text))
    }

    fn took(&self, from_ms: i64) {
        let times = &mut self.state().times;
        if times.len() < REMEMBERED {
            times.push(Time { from_ms, until_ms: clock::wall().timestamp_millis() });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, way: Way) {
        self.state().way = way;
        self.changed.notify_all();
    }

    fn wait_until(&self, wanted: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.state(), |state| !wanted(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// For this long, or until the proxy ends.
    fn wait(&self, span: Duration) {
        let is_on = |state: &mut State| state.way != Way::Ended;
        drop(self.changed.wait_timeout_while(self.state(), span, is_on));
    }

    /// Waits while nothing may pass; whether anything ever may. Where it `is_silent` nothing ever does.
    fn waits_until_open(&self, is_silent: bool) -> bool {
        let is_shut = |way| if is_silent { way != Way::Ended } else { way == Way::CutOff };
        self.wait_until(|state| !is_shut(state.way)).way == Way::Open
    }

    fn connections(&self) -> Vec<Arc<Connection>> {
        self.state().connections.iter().filter_map(Weak::upgrade).collect()
    }

    /// Wakes the thread that waits for a client.
    fn knock(&self, port: u16) {
        drop(TcpStream::connect(("127.0.0.1", port)));
    }

    /// Listens, and again after each time of refusal, until the proxy ends and all its connections have.
    fn serve(&self, listener: TcpListener) {
        thread::scope(|scope| {
            let address = listener.local_addr();
            let mut listener = Some(listener);
            while let (Some(listening), Ok(address)) = (listener.take(), &address) {
                self.accept(&listening, scope);
                drop(listening);
                self.listens(false);
                let is_wanted = |state: &State| state.way != Way::Refused;
                if self.wait_until(is_wanted).way != Way::Ended {
                    listener = crate::poll::until(Duration::from_secs(10), || {
                        TcpListener::bind(address).ok()
                    });
                    self.listens(true);
                }
            }
        });
    }

    fn listens(&self, is_listening: bool) {
        self.state().is_listening = is_listening;
        self.changed.notify_all();
    }

    fn accept<'scope>(&'scope self, listener: &TcpListener, scope: &'scope Scope<'scope, '_>) {
        for client in listener.incoming() {
            let mut state = self.state();
            if matches!(state.way, Way::Refused | Way::Ended) {
                return;
            }
            let Ok(client) = client else { continue };
            state.accepted += 1;
            scope.spawn(move || {
                // A server that is not there shows as a connection that is closed at once.
                let _ = self.carry(client);
            });
        }
    }

    fn carry(&self, client: TcpStream) -> io::Result<()> {
        if !self.waits_until_open(false) {
            return Ok(());
        }
        let server = TcpStream::connect(("127.0.0.1", self.server_port))?;
        let connection = Arc::new(Connection::new(client, server)?);
        let mut state = self.state();
        if matches!(state.way, Way::Refused | Way::Ended) {
            return Ok(());
        }
        state.connections.retain(|connection| connection.strong_count() > 0);
        state.connections.push(Arc::downgrade(&connection));
        drop(state);
        connection.carry(self);
        Ok(())
    }

    /// Notes that a statement is to be run, and what befalls it. `commits` are the statements that it commits.
    fn action_for(&self, sql: &str, commits: &str) -> Option<Action> {
        let mut state = self.state();
        if state.statements.len() < REMEMBERED {
            state.statements.push(sql.to_owned());
        }
        let action = state.rules.action_for(sql, commits);
        drop(state);
        self.changed.notify_all();
        action
    }

    fn ponged(&self, is_in_transaction: bool) {
        self.state().pongs_in_transaction += usize::from(is_in_transaction);
    }
}
