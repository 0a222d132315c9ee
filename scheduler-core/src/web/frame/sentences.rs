//! Sentences that a scheduler says of its rows, runs and nodes, in another language than English, in which they are made and
//! kept: rejections, reasons of runs, alarms, answers of `why`, problems.
//!
//! A sentence is found by its pattern:
//!
//! | in a pattern | stands for |
//! |---|---|
//! | `{}` | a value, which stays as it is; one in quotes ends with its quote |
//! | `{"}` | a value that is in quotes |
//! | `{+}` | a sentence or a clause that is in the table itself |
//! | `{?}` | one, or what stays as it is |
//! | `{r}` | why a run did not succeed: a reason of ours, or what its job said, which stays as it is |
//!
//! A translation names the values by their places, `{0}`. What is in no table stays English: it says nothing wrong.

use std::{borrow::Cow, cell::Cell, sync::LazyLock};

mod chinese;
#[cfg(test)]
mod tests;

/// Patterns and what they are in another language; the first that fits counts.
type Table = [(&'static str, &'static str)];

/// How a reader reads: his language, and a value as he writes it, if that is another way.
pub(super) struct Reader<'a> {
    pub(super) is_english: bool,
    pub(super) value: &'a dyn Fn(&str) -> Option<String>,
}

/// `text` as `reader` reads it, where it is a sentence of ours.
pub(super) fn in_words_of<'a>(reader: &Reader<'_>, text: &'a str) -> Cow<'a, str> {
    static BOOK: LazyLock<Book> = LazyLock::new(|| Book {
        sentences: rules(chinese::SENTENCES),
        reasons: rules(chinese::REASONS),
        clauses: rules(chinese::CLAUSES),
    });
    // Ours are short. What others wrote into them may be anything, and is not to take any time.
    let said = (text.len() <= LONGEST).then(|| {
        let looking = Looking { reader, left: Cell::new(MOST_STEPS) };
        BOOK.sentence(&looking, text)
    });
    said.flatten().map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Longer ones, in bytes, are not looked at.
const LONGEST: usize = 4_096;

/// So many characters are looked at for one sentence, those that are looked at again counted again.
const MOST_STEPS: usize = 100_000;

/// A search for the patterns of a sentence.
struct Looking<'a> {
    reader: &'a Reader<'a>,
    /// Steps that are left.
    left: Cell<usize>,
}

impl Looking<'_> {
    /// `None`: it takes too long.
    fn step(&self, count: usize) -> Option<()> {
        let left = self.left.get().checked_sub(count);
        // What was too much is not tried again with less.
        self.left.set(left.unwrap_or(0));
        left.map(drop)
    }
}

/// So deep sentences hold others at most.
const DEEPEST: usize = 4;

struct Book {
    /// What may stand for itself.
    sentences: Vec<Rule>,
    /// Why a run did not succeed, in our words.
    reasons: Vec<Rule>,
    /// What is only a part of others.
    clauses: Vec<Rule>,
}

fn rules(table: &'static Table) -> Vec<Rule> {
    table.iter().map(|(pattern, said)| Rule::new(pattern, said)).collect()
}

impl Book {
    fn sentence(&self, looking: &Looking<'_>, text: &str) -> Option<String> {
        let rules = self.sentences.iter().chain(&self.reasons);
        rules.into_iter().find_map(|rule| rule.said(self, looking, text, DEEPEST))
    }

    /// What stands in a hole of this kind, with so many levels below it.
    fn part(&self, looking: &Looking<'_>, hole: Hole, text: &str, levels: usize) -> Option<String> {
        let levels = levels.checked_sub(1)?;
        let said = |rule: &Rule| rule.said(self, looking, text, levels);
        match hole {
            Hole::Value => (looking.reader.value)(text),
            Hole::Quoted => None,
            Hole::Reason => self.reasons.iter().find_map(said),
            Hole::Sentence | Hole::Either => {
                self.sentences.iter().chain(&self.clauses).find_map(said)
            }
        }
    }
}

/// What stands for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hole {
    Value,
    Quoted,
    Sentence,
    Either,
    Reason,
}

struct Rule {
    pattern: &'static str,
    begins: &'static str,
    /// Each with the text behind it.
    holes: Vec<(Hole, &'static str)>,
    said: &'static str,
}

impl Rule {
    fn new(pattern: &'static str, said: &'static str) -> Self {
        let mut parts = pattern.split('{');
        let begins = parts.next().unwrap_or_default();
        let holes = parts.filter_map(|part| {
            let (kind, behind) = part.split_once('}')?;
            let hole = match kind {
                "\"" => Hole::Quoted,
                "+" => Hole::Sentence,
                "?" => Hole::Either,
                "r" => Hole::Reason,
                _ => Hole::Value,
            };
            Some((hole, behind))
        });
        Self { pattern, begins, holes: holes.collect(), said }
    }

    fn said(
        &self,
        book: &Book,
        looking: &Looking<'_>,
        text: &str,
        levels: usize,
    ) -> Option<String> {
        let values = self.values(looking, text)?;
        // In English it is the pattern itself.
        let reader = looking.reader;
        let text = if reader.is_english { self.pattern } else { self.said };
        let mut parts = text.split('{');
        let mut said = parts.next().unwrap_or_default().to_owned();
        for (index, part) in parts.enumerate() {
            let (place, behind) = part.split_once('}')?;
            let place = if reader.is_english { index } else { place.parse().ok()? };
            let value = *values.get(place)?;
            let hole = self.holes[place].0;
            match book.part(looking, hole, value, levels) {
                Some(part) => said += &part,
                None if hole == Hole::Sentence => return None,
                None => said += value,
            }
            said += behind;
        }
        Some(said)
    }

    /// What stands in the holes, if the pattern fits.
    fn values<'a>(&self, looking: &Looking<'_>, text: &'a str) -> Option<Vec<&'a str>> {
        looking.step(1)?;
        let mut rest = text.strip_prefix(self.begins)?;
        let mut values = Vec::with_capacity(self.holes.len());
        for (index, (hole, behind)) in self.holes.iter().enumerate() {
            let end = match hole {
                Hole::Quoted => {
                    quoted(looking, rest).filter(|end| rest[*end..].starts_with(behind))?
                }
                _ if index + 1 == self.holes.len() => rest.strip_suffix(behind)?.len(),
                _ => find_outside(looking, rest, behind)?,
            };
            let value = &rest[..end];
            if value.is_empty() {
                return None;
            }
            values.push(value);
            rest = &rest[end + behind.len()..];
        }
        rest.is_empty().then_some(values)
    }
}

/// Where `literal` stands in `text` for the first time outside of quotes.
fn find_outside(looking: &Looking<'_>, text: &str, literal: &str) -> Option<usize> {
    let mut at = 0;
    while !text[at..].starts_with(literal) {
        looking.step(1)?;
        let first = || text[at..].chars().next().map(char::len_utf8);
        at += quoted(looking, &text[at..]).or_else(first)?;
    }
    Some(at)
}

/// Where the value in quotes ends with which `text` begins.
fn quoted(looking: &Looking<'_>, text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let inside = text.strip_prefix('"')?;
    let end = inside.find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    looking.step(end.unwrap_or(inside.len()))?;
    Some(end? + 2)
}
