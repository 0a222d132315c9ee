//! Tells people: beside the loop, which leaves signs in a queue and goes on whatever becomes of them.
//!
//! ```text
//!   loop ─Sign─▶ queue of 1,024 ─┬▶ a Book per channel ─Message─▶ one request at a time per channel
//!                                └▶ the Ledger ─▶ the table of alarms, for the page
//! ```
//!
//! A channel that is slow, refuses, or is not there has its messages merged meanwhile; a queue that is full loses signs,
//! which is said.

mod channel;
mod keep;
#[cfg(feature = "email")]
mod mail;
mod post;
mod send;
mod speaker;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::{JoinHandle, JoinSet},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::channel::{Arrived, Refused, pace};
use self::keep::Keeper;
pub use self::{send::test_channel, speaker::Speaker};
use super::{LAST_WORDS, Watch};
use crate::{
    clock::{self, mono, sleep_at_most_5s},
    config::{self, ChannelKind},
    plan::{
        Now,
        alarm::{Book, Limits, Message, Sign, Signs},
        duration,
        node::{Event, Node, Notice, Run},
    },
    store::SharedStore,
};

/// Signs that wait.
const QUEUE: usize = 1_024;

/// How often it is looked for what goes on for too long.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Tasks whose overdue fires are told of at once.
const MOST_OVERDUE: usize = 1_000;

/// More nodes than this keep the pace of so many.
const MOST_NODES: u32 = 100;

/// What the loop holds of all this.
pub(super) struct Alarms {
    signs: Signs,
    queue: Sender<Sign>,
    lost: u64,
    /// When was looked last (monotonic).
    looked: Duration,
    /// How many nodes are alive.
    company: Arc<AtomicU32>,
}

/// Starts to tell the channels of `alarms` what `speaker` is to say, until `stop`.
pub(super) fn start(
    alarms: config::Alarms,
    speaker: Speaker,
    watch: &Watch,
    store: &SharedStore,
    stop: &CancellationToken,
) -> (Alarms, JoinHandle<()>) {
    let limits = Limits { failing: alarms.failing, late: alarms.late, slow: alarms.slow };
    let (queue, signs) = mpsc::channel(QUEUE);
    let company = Arc::new(AtomicU32::new(1));
    let watching = Alarms {
        signs: Signs::new(&speaker.node, limits),
        queue,
        lost: 0,
        looked: mono(),
        company: Arc::clone(&company),
    };
    let teller = Teller {
        watch: watch.clone(),
        keeper: Keeper::new(&speaker.node, store),
        speaker: Arc::new(speaker),
        company,
        channels: alarms
            .channels
            .into_iter()
            .map(|(name, channel)| Told {
                name: name.into(),
                book: Book::new(pace(channel.kind, alarms.repeat)),
                channel: Arc::new(channel),
                health: Health::Well,
                sight: ChannelSight::default(),
            })
            .collect(),
    };
    tokio::spawn(teller.keeper.clone().run(watch.clone(), stop.clone()));
    (watching, tokio::spawn(teller.tell(signs, stop.clone())))
}

impl Alarms {
    /// Something happened, of which the node has not heard yet.
    pub(super) fn heard(&mut self, event: &Event) {
        let signs = self.signs.heard(event);
        self.leave(signs);
    }

    /// These runs begin.
    pub(super) fn started(&mut self, runs: &[Run], now: DateTime<Utc>) {
        let signs = self.signs.started(runs, now);
        self.leave(signs);
    }

    /// `node` has something to say.
    pub(super) fn said(&mut self, notice: &Notice, node: &Node, now: DateTime<Utc>) {
        let signs = self.signs.said(notice, |task| node.is_first_for(task), now);
        self.leave(signs);
    }

    /// Some time passed.
    pub(super) fn passed(&mut self, node: &Node, now: Now) {
        let company = u32::try_from(node.company()).unwrap_or(MOST_NODES).min(MOST_NODES);
        self.company.store(company, Ordering::Relaxed);
        if now.mono >= self.looked + LOOK_EVERY {
            self.looked = now.mono;
            let told = |task_key: &str| self.signs.told_overdue(task_key);
            let overdue: Vec<_> = node.overdue(now, told).take(MOST_OVERDUE).collect();
            let (is_rejected, is_mine) =
                (|task| node.is_rejected(task), |task| node.is_first_for(task));
            let signs = self.signs.passed(&overdue, is_rejected, is_mine, now.wall);
            self.leave(signs);
        }
    }

    fn leave(&mut self, signs: Vec<Sign>) {
        for sign in signs {
            if self.queue.try_send(sign).is_err() {
                self.lost += 1;
                if self.lost.is_power_of_two() {
                    tracing::warn!(lost = self.lost, "signs for alarms are lost: too many at once");
                }
            }
        }
    }
}

/// Who tells.
struct Teller {
    speaker: Arc<Speaker>,
    watch: Watch,
    keeper: Keeper,
    /// How many nodes are alive.
    company: Arc<AtomicU32>,
    channels: Vec<Told>,
}

/// Who is told.
struct Told {
    name: Arc<str>,
    channel: Arc<config::Channel>,
    book: Book,
    health: Health,
    sight: ChannelSight,
}

/// A channel as it is seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelSight {
    /// When a message arrived last.
    pub arrived_at: Option<DateTime<Utc>>,
    /// When one did not, and why; `None` after one that arrived.
    pub failed: Option<(DateTime<Utc>, String)>,
    /// Alarms that wait to be told, as of then.
    pub untold: u64,
}

/// What became of the last message to a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// It arrived, but not at everybody.
    Partial,
    Silent,
}

impl Told {
    /// How many nodes keep its pace together: the limits of the vendors are those of a robot, whoever speaks through it.
    fn shared_by(&self, company: u32) -> u32 {
        match self.channel.kind {
            ChannelKind::Email | ChannelKind::Webhook => 1,
            _ => company,
        }
    }
}

/// What became of the message to a channel, by its place.
type Sent = (usize, Result<Arrived, Refused>);

impl Teller {
    async fn tell(mut self, mut signs: Receiver<Sign>, stop: CancellationToken) {
        self.leave_word();
        let mut under_way: JoinSet<Sent> = JoinSet::new();
        loop {
            self.send_what_is_due(mono(), &mut under_way);
            let due = self.channels.iter().filter_map(|told| told.book.due()).min();
            let wait = due.map_or(Duration::MAX, |due| due.saturating_sub(mono()));
            tokio::select! {
                () = stop.cancelled() => break,
                Some(sign) = signs.recv() => self.note(&sign),
                Some(Ok(sent)) = under_way.join_next() => self.sent(sent),
                () = sleep_at_most_5s(wait) => {}
            }
        }
        while let Ok(sign) = signs.try_recv() {
            self.note(&sign);
        }
        for place in 0..self.channels.len() {
            let message = self.channels[place].book.last_words(mono());
            self.send(place, message, &mut under_way);
        }
        let keeper = self.keeper.clone();
        let last_words = async {
            while let Some(sent) = under_way.join_next().await {
                sent.into_iter().for_each(|sent| self.sent(sent));
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, async { tokio::join!(last_words, keeper.keep()) })
            .await;
        for told in &self.channels {
            let alarms = told.book.untold();
            if alarms > 0 {
                tracing::warn!(channel = %told.name, alarms, "alarms did not arrive before the stop, and are lost");
            }
        }
    }

    /// Lets others see how the channels fare.
    fn leave_word(&self) {
        let sight = |told: &Told| (told.name.to_string(), told.sight.clone());
        self.watch.saw_channels(self.channels.iter().map(sight).collect());
    }

    fn note(&mut self, sign: &Sign) {
        self.keeper.note(sign);
        for told in &mut self.channels {
            if told.channel.rules.contains(&sign.subject.rule) {
                told.book.note(sign.clone(), mono());
            }
        }
    }

    fn send_what_is_due(&mut self, now: Duration, under_way: &mut JoinSet<Sent>) {
        for place in 0..self.channels.len() {
            let message = self.channels[place].book.take(now);
            self.send(place, message, under_way);
        }
    }

    fn send(&self, place: usize, message: Option<Message>, under_way: &mut JoinSet<Sent>) {
        let Some(message) = message else { return };
        let channel = Arc::clone(&self.channels[place].channel);
        let speaker = Arc::clone(&self.speaker);
        // In a task of its own, so that one that panics is a message that did not arrive.
        let sending = tokio::spawn(async move { send::send(&channel, &speaker, &message).await });
        let sending = AbortOnDropHandle::new(sending);
        let bug = |_| Err(Refused::new("bug: the sending panicked"));
        under_way.spawn(async move { (place, sending.await.unwrap_or_else(bug)) });
    }

    fn sent(&mut self, (place, result): Sent) {
        let told = &mut self.channels[place];
        self.watch.metrics().told(&told.name, result.is_ok());
        let (sight, now) = (&mut told.sight, clock::wall());
        match &result {
            Ok(Arrived::Everywhere) => (sight.arrived_at, sight.failed) = (Some(now), None),
            Ok(Arrived::NotAt(text)) => {
                (sight.arrived_at, sight.failed) = (Some(now), Some((now, text.clone())));
            }
            Err(Refused { text, .. }) => sight.failed = Some((now, text.clone())),
        }
        let health = match &result {
            Ok(Arrived::Everywhere) => Health::Well,
            Ok(Arrived::NotAt(_)) => Health::Partial,
            Err(_) => Health::Silent,
        };
        // What stays as it is was said.
        let is_new = std::mem::replace(&mut told.health, health) != health;
        match result {
            Ok(arrived) => {
                let nodes = told.shared_by(self.company.load(Ordering::Relaxed));
                told.book.sent(mono(), nodes);
                match arrived {
                    Arrived::NotAt(text) if is_new => {
                        tracing::warn!(channel = %told.name, "alarms do not arrive at everybody: {text}");
                    }
                    Arrived::Everywhere if is_new => {
                        tracing::info!(channel = %told.name, "alarms arrive again");
                    }
                    _ => {}
                }
            }
            Err(Refused { text, wait }) => {
                let now = mono();
                told.book.failed(now, wait);
                if is_new {
                    let rest = duration::show(told.book.rests_for(now));
                    tracing::warn!(
                        channel = %told.name,
                        "alarms do not arrive, retrying in {rest}: {text}"
                    );
                }
            }
        }
        told.sight.untold = told.book.untold();
        self.leave_word();
    }
}
