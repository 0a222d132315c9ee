//! The programs, and what befalls them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use scheduler_core::{App, clock};

use super::{
    Place,
    calm::Calm,
    end::End,
    outages::wall_ms,
    stop::Stop,
    witness::{self, Line, Notebook},
};
use crate::{
    dbproxy::DbProxy,
    program::{LISTEN, signal},
    servers::MariaDb,
};

/// The scheduler as it is shipped, with the witness among its jobs: what each process of a torment does, until its
/// standard input ends. Its exit code.
#[must_use]
pub fn node(folder: &Path) -> u8 {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let conf = folder.join("conf").into_os_string();
    let app = App::new().state(Notebook(folder.join("testimony")));
    scheduler::main(["scheduler".into(), "--conf".into(), conf, "run".into()], app)
}

/// What a program is doing.
enum Fate {
    Runs(Child),
    /// Until then, monotonic.
    Frozen(Child, Duration),
    Stopping(Child, Stop),
    Gone,
}

/// The programs, each behind a link of its own to the database.
pub(super) struct Nodes {
    pub(super) links: Vec<DbProxy>,
    urls: Vec<String>,
    /// Whose link is cut off until when, monotonic.
    cuts: Vec<Option<Duration>>,
    this: PathBuf,
    folder: PathBuf,
    fates: Vec<Fate>,
    /// Each program ends when the other end of its standard input does, as it does when the torment ends.
    lifelines: Vec<Option<ChildStdin>>,
    /// Of all processes so far.
    pids: BTreeSet<u32>,
    /// When each program's last process was gone.
    ends: Vec<End>,
    /// How many connections each link had seen when its program was started.
    connections: Vec<usize>,
    /// What befell them how often.
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// What was wrong with their ends.
    pub(super) wrong: Vec<String>,
    /// Which process was killed, frozen, woken or asked to stop when, by the wall clock.
    pub(super) troubles: Vec<(u32, i64)>,
    /// Which process was killed when, by the wall clock.
    pub(super) deaths: BTreeMap<u32, i64>,
    pub(super) calm: Calm,
    /// Stops that ran their course.
    pub(super) stops: Vec<Stop>,
    /// When somebody was last asked who holds rows, monotonic.
    looked: Duration,
    /// When a session held rows and did nothing with them, by the wall clock.
    pub(super) holds_ms: Vec<i64>,
}

/// `shutdown_timeout` of the programs.
pub(super) const SHUTDOWN: Duration = Duration::from_secs(3);

/// The exit code of a start that finds no database.
const UNREACHABLE: i32 = 69;

/// The clients' ports of transactions that have locked rows and run no statement, since a second or longer.
const IDLE_WITH_LOCKS: &str = "SELECT SUBSTRING_INDEX(p.host, ':', -1) \
    FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
    WHERE t.trx_query IS NULL AND t.trx_rows_locked > 0 AND t.trx_started < NOW() - INTERVAL 1 SECOND";

/// What the renewal of a lease says.
const RENEWS: &str = "INSERT INTO scheduler_node";

/// Between two questions who holds rows.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// Past this a stop hangs.
const PATIENCE: Duration = Duration::from_secs(30);

impl Nodes {
    pub(super) fn new(this: &Path, folder: &Path, count: usize, place: &Place) -> Result<Self> {
        let links: std::io::Result<Vec<DbProxy>> =
            (0..count).map(|_| DbProxy::start(place.port)).collect();
        let links = links?;
        links.iter().for_each(|link| link.time(RENEWS));
        Ok(Self {
            urls: links.iter().map(|link| link.url_for("scheduler", &place.database)).collect(),
            links,
            cuts: vec![None; count],
            this: this.to_owned(),
            folder: folder.to_owned(),
            pids: BTreeSet::new(),
            ends: (0..count).map(|_| End::default()).collect(),
            connections: vec![0; count],
            lifelines: (0..count).map(|_| None).collect(),
            fates: (0..count).map(|_| Fate::Gone).collect(),
            counts: BTreeMap::new(),
            wrong: Vec::new(),
            troubles: Vec::new(),
            deaths: BTreeMap::new(),
            calm: Calm::new(count),
            stops: Vec::new(),
            looked: Duration::ZERO,
            holds_ms: Vec::new(),
        })
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn start(&mut self, index: usize) -> Result<()> {
        let log = self.folder.join(format!("node-{index}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(&self.this);
        command.arg("node").arg(&self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        command.env("SCHEDULER__MYSQL__DEFAULT__URL", &self.urls[index]).env(LISTEN, "off");
        let mut child = command.spawn().context("starting a node")?;
        while !self.pids.insert(child.id()) {
            // The system gave a number again. Rows name a process by it.
            child.kill()?;
            child.wait()?;
            child = command.spawn().context("starting a node")?;
        }
        self.lifelines[index] = child.stdin.take();
        self.ends[index] = End::of(child.stdout.take().context("it has a standard output")?);
        self.connections[index] = self.links[index].connections();
        self.count("starts");
        self.becomes(index, Fate::Runs(child));
        Ok(())
    }

    fn take(&mut self, index: usize) -> Fate {
        std::mem::replace(&mut self.fates[index], Fate::Gone)
    }

    /// What was taken is put back, or something else.
    fn becomes(&mut self, index: usize, fate: Fate) {
        self.fates[index] = fate;
        self.note_calm(index);
    }

    fn note_calm(&mut self, index: usize) {
        let is_calm = self.runs(index) && self.cuts[index].is_none();
        self.calm.note(index, is_calm);
    }

    fn befell(&mut self, child: &Child, what: &'static str) {
        self.count(what);
        self.troubles.push((child.id(), wall_ms()));
    }

    /// Whatever it is doing, if it is there.
    pub(super) fn kill(&mut self, index: usize) -> Result<()> {
        if let Fate::Runs(mut child) | Fate::Frozen(mut child, _) | Fate::Stopping(mut child, _) =
            self.take(index)
        {
            child.kill()?;
            child.wait()?;
            self.befell(&child, "kills");
            self.deaths.insert(child.id(), wall_ms());
        }
        self.becomes(index, Fate::Gone);
        Ok(())
    }

    /// Whether it ran, so that it is frozen now.
    pub(super) fn freeze(&mut self, index: usize, span: Duration) -> Result<bool> {
        match self.take(index) {
            Fate::Runs(child) => {
                signal(&child, "STOP")?;
                self.befell(&child, "freezes");
                self.becomes(index, Fate::Frozen(child, clock::mono() + span));
                Ok(true)
            }
            other => {
                self.becomes(index, other);
                Ok(false)
            }
        }
    }

    pub(super) fn stop(&mut self, index: usize) -> Result<()> {
        match self.take(index) {
            Fate::Runs(child) => {
                signal(&child, "TERM")?;
                self.befell(&child, "stops");
                let has_begun = self.links[index].connections() > self.connections[index];
                let stop = Stop::asked_now(&child, self.cuts[index].is_none(), has_begun);
                self.becomes(index, Fate::Stopping(child, stop));
            }
            other => self.becomes(index, other),
        }
        Ok(())
    }

    /// Whether it runs, as far as is known.
    pub(super) fn runs(&self, index: usize) -> bool {
        matches!(self.fates[index], Fate::Runs(_))
    }

    /// Cuts it off from the database, if it runs.
    pub(super) fn cut_off(&mut self, index: usize, span: Duration) {
        if let Fate::Runs(child) = &self.fates[index] {
            let pid = child.id();
            self.troubles.push((pid, wall_ms()));
            self.count("cuts");
            self.links[index].cut_off();
            self.cuts[index] = Some(clock::mono() + span);
            self.note_calm(index);
        }
    }

    /// Opens its link, if that is cut off.
    fn restore(&mut self, index: usize) {
        if self.cuts[index].take().is_some() {
            self.links[index].restore();
            if let Some(pid) = self.fates[index].pid() {
                self.troubles.push((pid, wall_ms()));
            }
            self.note_calm(index);
        }
    }

    /// Opens all links that are cut off.
    pub(super) fn restore_all(&mut self) {
        (0..self.cuts.len()).for_each(|index| self.restore(index));
    }

    /// Who was frozen or cut off for long enough goes on; who stopped is seen off. `is_away`: nobody has the database.
    pub(super) fn look(&mut self, is_away: bool) -> Result<()> {
        for index in 0..self.fates.len() {
            let fate = match self.take(index) {
                Fate::Frozen(child, until) if until <= clock::mono() => {
                    signal(&child, "CONT")?;
                    self.troubles.push((child.id(), wall_ms()));
                    Fate::Runs(child)
                }
                Fate::Stopping(child, stop) => self.see_off(index, child, stop)?,
                Fate::Runs(mut child) => match child.try_wait()? {
                    None => Fate::Runs(child),
                    Some(status) => {
                        let has_link = !is_away && self.cuts[index].is_none();
                        self.ended(child.id(), status, has_link);
                        Fate::Gone
                    }
                },
                fate => fate,
            };
            self.becomes(index, fate);
            if self.cuts[index].is_some_and(|until| until <= clock::mono()) {
                self.restore(index);
            }
        }
        Ok(())
    }

    /// Only a start that finds no database ends by itself; one that was frozen or cut off half way finds none either.
    fn ended(&mut self, pid: u32, status: ExitStatus, has_link: bool) {
        let is_hindered = !has_link || self.troubles.iter().any(|(of, _)| *of == pid);
        if status.code() == Some(UNREACHABLE) && is_hindered {
            self.count("starts in vain");
        } else {
            self.wrong.push(format!("node {pid} ended by itself: {status}"));
        }
    }

    /// Who is gone comes back soon.
    pub(super) fn restart(&mut self, rng: &mut Rng) -> Result<()> {
        for index in 0..self.fates.len() {
            if matches!(self.fates[index], Fate::Gone) && rng.u8(0..30) == 0 {
                self.start(index)?;
            }
        }
        Ok(())
    }

    /// Asks the server, while a program is frozen, cut off, or takes long to stop, whether a session has locked rows and does
    /// nothing with them.
    pub(super) fn note_who_holds(&mut self, server: &MariaDb) -> Result<()> {
        let is_away = |fate: &Fate| matches!(fate, Fate::Frozen(..));
        let is_long = |fate: &Fate| matches!(fate, Fate::Stopping(_, stop) if stop.is_long());
        let is_time = clock::mono() > self.looked + LOOK_EVERY;
        let is_anybody = self.fates.iter().any(is_away) || self.cuts.iter().any(Option::is_some);
        if !(is_time && is_anybody || self.fates.iter().any(is_long)) {
            return Ok(());
        }
        self.looked = clock::mono();
        let idle = server.client("", IDLE_WITH_LOCKS)?;
        if !idle.is_empty() {
            self.holds_ms.push(wall_ms());
        }
        for (fate, link) in self.fates.iter_mut().zip(&self.links) {
            let Fate::Stopping(_, stop) = fate else { continue };
            if stop.is_long() {
                stop.looked = clock::mono();
                let own: Vec<String> = link.ports().iter().map(u16::to_string).collect();
                stop.met_locks |= idle.lines().any(|port| !own.iter().any(|own| own == port));
            }
        }
        Ok(())
    }

    fn see_off(&mut self, index: usize, mut child: Child, stop: Stop) -> Result<Fate> {
        match child.try_wait()? {
            Some(status) => self.left(index, stop, status),
            None if clock::mono() - stop.asked > PATIENCE => {
                self.wrong.push(format!("I14: a stop took longer than {} s", PATIENCE.as_secs()));
                child.kill()?;
                child.wait()?;
            }
            None => return Ok(Fate::Stopping(child, stop)),
        }
        Ok(Fate::Gone)
    }

    fn left(&mut self, index: usize, stop: Stop, status: ExitStatus) {
        if stop.is_orderly(status) {
            let left_ms = self.ends[index].at_ms();
            self.stops.push(Stop { left_ms, ..stop });
        } else {
            self.wrong.push(format!("I14: an orderly stop ended with {status}"));
        }
    }

    /// Everybody runs again.
    pub(super) fn mend(&mut self) -> Result<()> {
        self.restore_all();
        for index in 0..self.fates.len() {
            match self.take(index) {
                Fate::Frozen(child, _) => {
                    signal(&child, "CONT")?;
                    self.becomes(index, Fate::Runs(child));
                }
                Fate::Runs(child) => self.becomes(index, Fate::Runs(child)),
                Fate::Stopping(mut child, stop) => {
                    let status = child.wait()?;
                    self.left(index, stop, status);
                    self.start(index)?;
                }
                Fate::Gone => self.start(index)?,
            }
        }
        Ok(())
    }

    /// Everybody stops in order; what the jobs wrote.
    pub(super) fn end(&mut self) -> Result<Vec<Line>> {
        self.stop_all()?;
        witness::read(&self.folder.join("testimony"))
    }

    /// Everybody stops in order.
    pub(super) fn stop_all(&mut self) -> Result<()> {
        for index in 0..self.fates.len() {
            self.stop(index)?;
        }
        let all_left = crate::poll::until(2 * PATIENCE, || {
            let looked = self.look(false);
            let is_done = self.fates.iter().all(|fate| matches!(fate, Fate::Gone));
            (looked.is_err() || is_done).then_some(looked)
        });
        all_left.context("the last stop hangs")?
    }
}

impl Fate {
    fn pid(&self) -> Option<u32> {
        match self {
            Fate::Runs(child) | Fate::Frozen(child, _) | Fate::Stopping(child, _) => {
                Some(child.id())
            }
            Fate::Gone => None,
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for fate in &mut self.fates {
            if let Fate::Runs(child) | Fate::Frozen(child, _) | Fate::Stopping(child, _) = fate {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}
