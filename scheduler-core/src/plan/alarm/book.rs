//! What one channel was told and is to be told.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Sign, Subject, short};

/// How often a channel is told.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long signs gather before they are told together.
    pub gather: Duration,
    /// After what time that which goes on is told again.
    pub repeat: Duration,
    /// Between two messages, at least.
    pub between: Duration,
    /// How many bytes of text a message may have.
    pub most_bytes: usize,
}

/// Subjects that are remembered at once; signs of others are only counted.
const MOST: usize = 500;

/// Room for the line that says how many have none, in bytes.
const LAST_LINE: usize = 40;

/// How long the channel waits after a message that could not be sent: doubled with each, up to the longest.
const TRY_AGAIN: Duration = Duration::from_secs(5);
const TRY_AGAIN_AT_MOST: Duration = Duration::from_secs(600);

/// What is wrong again after it was said to be over is told no sooner.
const AGAIN_AFTER: Duration = Duration::from_secs(120);

/// What one channel was told and is to be told. All times are monotonic but those that people read.
#[derive(Debug)]
pub struct Book {
    pace: Pace,
    entries: BTreeMap<Subject, Entry>,
    /// Signs of subjects beyond [`MOST`] that were not told yet, and when they are to be.
    others: u64,
    others_due: Option<Duration>,
    /// Nothing is sent before.
    not_before: Duration,
    /// Messages in a row that could not be sent.
    failures: u32,
    /// What the message under way tells.
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct Entry {
    /// How many signs since it was told last.
    count: u64,
    /// When the first and the last of these came.
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    text: String,
    is_over: bool,
    /// When it is to be told; `None`: there is nothing to tell.
    due: Option<Duration>,
    told: Told,
}

/// What the channel knows of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// That it is wrong, or over, and since when it knows.
    Wrong(Duration),
    Over(Duration),
}

impl Told {
    fn at(self) -> Option<Duration> {
        match self {
            Told::Nothing => None,
            Told::Wrong(at) | Told::Over(at) => Some(at),
        }
    }
}

#[derive(Debug)]
struct UnderWay {
    told: Vec<Telling>,
    others: u64,
}

/// What a message tells of a subject.
#[derive(Debug)]
struct Telling {
    subject: Subject,
    count: u64,
    first: DateTime<Utc>,
    is_over: bool,
}

/// A message to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How many alarms it tells of, those without room included.
    pub alarms: u64,
    /// One line an alarm.
    pub text: String,
}

impl Book {
    /// Nothing was told yet.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            entries: BTreeMap::new(),
            others: 0,
            others_due: None,
            not_before: Duration::ZERO,
            failures: 0,
            under_way: None,
        }
    }

    /// Something happened.
    pub fn note(&mut self, sign: Sign, now: Duration) {
        let gathered = now + self.pace.gather;
        let is_under_way = self.tells_of(&sign.subject);
        let Some(entry) = self.entries.get_mut(&sign.subject) else {
            return self.note_new(sign, gathered);
        };
        if sign.is_over {
            if std::mem::replace(&mut entry.is_over, true) {
                return;
            }
            match entry.told {
                // Whoever was not told that it is wrong need not be told that it is right.
                Told::Nothing if !is_under_way => drop(self.entries.remove(&sign.subject)),
                Told::Over(_) if !is_under_way => (entry.count, entry.due) = (0, None),
                _ => entry.tell(&sign, gathered),
            }
        } else {
            if std::mem::replace(&mut entry.is_over, false) {
                // That it was over need not be told any more.
                entry.due = None;
            }
            let repeat = match entry.told {
                Told::Nothing => gathered,
                Told::Wrong(at) => at + self.pace.repeat,
                Told::Over(at) => at + self.pace.repeat.min(AGAIN_AFTER),
            };
            entry.count += 1;
            entry.tell(&sign, repeat.max(gathered));
        }
    }

    fn note_new(&mut self, sign: Sign, due: Duration) {
        if sign.is_over {
            // It never was wrong.
            return;
        }
        if self.entries.len() == MOST {
            self.forget_one();
        }
        if self.entries.len() == MOST {
            self.others += 1;
            self.others_due.get_or_insert(due);
        } else {
            let entry = Entry {
                count: 1,
                first: sign.at,
                last: sign.at,
                text: short(&sign.text),
                is_over: false,
                due: Some(due),
                told: Told::Nothing,
            };
            self.entries.insert(sign.subject, entry);
        }
    }

    /// Of what was told, and has nothing to tell now, that which was told first.
    fn forget_one(&mut self) {
        let told = |entry: &Entry| entry.told.at().filter(|_| !entry.is_news());
        let quiet = self.entries.iter().filter(|(subject, _)| !self.tells_of(subject));
        let quiet = quiet.filter_map(|(subject, entry)| Some((told(entry)?, subject)));
        if let Some(subject) = quiet.min().map(|(_, subject)| subject.clone()) {
            self.entries.remove(&subject);
        }
    }

    /// How long nothing is sent from `now` on.
    #[must_use]
    pub fn rests_for(&self, now: Duration) -> Duration {
        self.not_before.saturating_sub(now)
    }

    fn tells_of(&self, subject: &Subject) -> bool {
        let mut told = self.under_way.iter().flat_map(|under_way| &under_way.told);
        told.any(|telling| telling.subject == *subject)
    }

    /// When [`Self::take`] is wanted next (monotonic); `None`: there is nothing to tell.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        if self.under_way.is_some() {
            return None;
        }
        let due = self.entries.values().filter_map(|entry| entry.due);
        Some(due.chain(self.others_due).min()?.max(self.not_before))
    }

    /// The next message, if it is time for one. Until it is known what became of it ([`Self::sent`], [`Self::failed`]) there
    /// is no other.
    pub fn take(&mut self, now: Duration) -> Option<Message> {
        self.due().filter(|due| *due <= now)?;
        // What is new and due only later goes along: it is no message more.
        Some(self.tell(|entry| entry.is_news() || entry.due.is_some_and(|due| due <= now)))
    }

    /// The last message, if there is anything new to tell: also sooner than the pace has it, but not to a channel that
    /// refused the message before and is to be left alone.
    pub fn last_words(&mut self, now: Duration) -> Option<Message> {
        let is_left_alone = self.failures > 0 && now < self.not_before;
        if is_left_alone || self.under_way.is_some() || self.untold() == 0 {
            return None;
        }
        Some(self.tell(Entry::is_news))
    }

    /// How many alarms that are new did not arrive; what the message under way tells is not known to have.
    #[must_use]
    pub fn untold(&self) -> u64 {
        let is_untold = |(subject, entry): &(&Subject, &Entry)| {
            entry.due.is_some() && entry.is_news() || self.tells_of(subject)
        };
        let others = self.others + self.under_way.as_ref().map_or(0, |under_way| under_way.others);
        self.entries.iter().filter(is_untold).count() as u64 + others
    }

    fn tell(&mut self, is_told: impl Fn(&Entry) -> bool) -> Message {
        let others = std::mem::take(&mut self.others);
        self.others_due = None;
        let (mut told, mut text, mut more) = (Vec::new(), String::new(), others);
        let told_now = |(_, entry): &(&Subject, &mut Entry)| entry.due.is_some() && is_told(entry);
        for (subject, entry) in self.entries.iter_mut().filter(told_now) {
            let line = entry.line(subject);
            if text.len() + line.len() + LAST_LINE <= self.pace.most_bytes {
                text += &line;
            } else {
                more += 1;
            }
            let (subject, first, is_over) = (subject.clone(), entry.first, entry.is_over);
            told.push(Telling { subject, count: entry.count, first, is_over });
            (entry.count, entry.due) = (0, None);
        }
        if more > 0 {
            let _ = writeln!(text, "… and {more} more");
        }
        let alarms = told.len() as u64 + others;
        self.under_way = Some(UnderWay { told, others });
        Message { alarms, text: text.trim_end().to_owned() }
    }

    /// The message under way arrived. `nodes` tell this channel, each as much as the others: together they keep its pace.
    pub fn sent(&mut self, now: Duration, nodes: u32) {
        let Some(UnderWay { told, .. }) = self.under_way.take() else { return };
        (self.failures, self.not_before) = (0, now + self.pace.between * nodes);
        for Telling { subject, is_over, .. } in told {
            let Some(entry) = self.entries.get_mut(&subject) else { continue };
            entry.told = if is_over { Told::Over(now) } else { Told::Wrong(now) };
            // What went on while the message was under way is a repetition of what it told, or none.
            let repeat = now + self.pace.repeat;
            if entry.is_over {
                entry.due = entry.due.filter(|_| !is_over);
            } else if entry.due.is_some() || subject.rule.has_end() {
                entry.due = Some(entry.due.map_or(repeat, |due| due.max(repeat)));
            }
        }
        let repeat = self.pace.repeat;
        self.entries.retain(|_, entry| {
            entry.due.is_some() || entry.told.at().is_none_or(|at| now < at + repeat)
        });
    }

    /// The message under way did not arrive; the channel wants to be left alone for `wait`, if it says so. What it told is
    /// told later.
    pub fn failed(&mut self, now: Duration, wait: Option<Duration>) {
        let Some(UnderWay { told, others }) = self.under_way.take() else { return };
        let doubled = TRY_AGAIN.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.not_before =
            now.saturating_add(wait.unwrap_or_default().max(doubled.min(TRY_AGAIN_AT_MOST)));
        self.others += others;
        if self.others > 0 {
            self.others_due = Some(now);
        }
        for Telling { subject, count, first, .. } in told {
            let Some(entry) = self.entries.get_mut(&subject) else { continue };
            if entry.is_over && entry.told == Told::Nothing {
                self.entries.remove(&subject);
            } else {
                entry.count += count;
                (entry.first, entry.due) = (first, Some(now));
            }
        }
    }
}

impl Entry {
    /// What `sign` says is to be told when it is `due`, if nothing is before.
    fn tell(&mut self, sign: &Sign, due: Duration) {
        if self.count <= 1 && !sign.is_over {
            self.first = sign.at;
        }
        (self.last, self.text) = (sign.at, short(&sign.text));
        self.due = Some(self.due.map_or(due, |known| known.min(due)));
    }

    /// Whether something new is to be told, and not only that it goes on.
    fn is_news(&self) -> bool {
        self.is_over != matches!(self.told, Told::Over(_)) || self.count > 0
    }

    fn line(&self, subject: &Subject) -> String {
        let Self { count, first, last, text, .. } = self;
        let about = if subject.about.is_empty() {
            String::new()
        } else {
            format!(" {}", short(&subject.about))
        };
        let last = last.to_rfc3339_opts(SecondsFormat::Secs, true);
        if self.is_over {
            return format!("[over] {}{about}: {text} ({last})\n", subject.rule);
        }
        let since = match count {
            0 => format!("still, since {last}"),
            1 => last,
            _ => {
                let first = first.to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("{count} times from {first} to {last}")
            }
        };
        format!("[{}]{about}: {text} ({since})\n", subject.rule)
    }
}

#[cfg(test)]
mod tests;
