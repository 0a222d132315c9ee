//! Of what somebody is told, and how often.
//!
//! ```text
//!   Event, Notice ─▶ signs.rs ─Sign─▶ book.rs, one per channel ─▶ a message now and then
//!                                 └─▶ ledger.rs ─▶ rows, for the page
//! ```
//!
//! A sign is one thing that happened; an alarm is what somebody is told. What is told first is told at once, what repeats is
//! counted and told again after a while, and what is over is said to be over. So a channel gets few messages, however many
//! things happen.

mod book;
mod ledger;
mod signs;

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

use crate::plan::words::cut;

pub use self::{
    book::{Book, Message, Pace},
    ledger::{Alarm, Ledger},
    signs::{Limits, Signs},
};

/// Of what kind a sign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The database does not answer, or a lease could not be renewed.
    Database,
    /// The clock of a machine is off.
    Clock,
    /// A node died.
    NodeLost,
    /// A fire is due for long, and nobody has accounted for it.
    Overdue,
    /// So many runs of a task failed in a row.
    Failing,
    /// A run failed, timed out or was lost, and is not tried again.
    Failed,
    /// A fire was found too late.
    Missed,
    /// A run began late.
    Late,
    /// A run takes much longer than its task's runs do.
    Slow,
    /// A fire was skipped, since an earlier run went on.
    Skipped,
    /// A row is rejected.
    Rejected,
}

impl Rule {
    /// All, with their names in the configuration; the causes of others come first, and so they do in a message.
    pub const NAMES: [(&'static str, Rule); 11] = [
        ("database", Rule::Database),
        ("clock", Rule::Clock),
        ("node_lost", Rule::NodeLost),
        ("overdue", Rule::Overdue),
        ("failing", Rule::Failing),
        ("failed", Rule::Failed),
        ("missed", Rule::Missed),
        ("late", Rule::Late),
        ("slow", Rule::Slow),
        ("skipped", Rule::Skipped),
        ("rejected", Rule::Rejected),
    ];

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|(other, rule)| (other == name).then_some(rule))
    }

    /// Whether it goes on until it is said to be over.
    #[must_use]
    pub fn has_end(self) -> bool {
        use Rule::{Clock, Database, Failing, Overdue, Rejected};
        matches!(self, Failing | Overdue | Rejected | Clock | Database)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize].0)
    }
}

/// What a sign is about: signs of one subject are one alarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Its kind.
    pub rule: Rule,
    /// A task's key, a node's id, or nothing.
    pub about: Arc<str>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// What it is about.
    pub subject: Subject,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Whether it is over.
    pub is_over: bool,
    /// What happened, for people.
    pub text: String,
}

impl Sign {
    /// Something is wrong.
    #[must_use]
    pub fn wrong(rule: Rule, about: &Arc<str>, at: DateTime<Utc>, text: String) -> Self {
        let subject = Subject { rule, about: Arc::clone(about) };
        Self { subject, at, is_over: false, text }
    }

    /// Something that may have been wrong is right again.
    #[must_use]
    pub fn right(rule: Rule, about: &Arc<str>, at: DateTime<Utc>, text: String) -> Self {
        Self { is_over: true, ..Self::wrong(rule, about, at, text) }
    }
}

/// How long the text of a sign may be for people, in characters.
const LONGEST: usize = 300;

/// On one line and not too long.
fn short(text: &str) -> String {
    cut(text.chars().map(|c| if c.is_control() { ' ' } else { c }), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_the_name_of_its_place() {
        for (name, rule) in Rule::NAMES {
            assert_eq!(rule.to_string(), name);
            assert_eq!(Rule::named(name), Some(rule));
        }
    }
}
