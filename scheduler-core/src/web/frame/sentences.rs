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

use std::{borrow::Cow, sync::LazyLock};

mod chinese;
#[cfg(test)]
mod tests;

/// Patterns and what they are in another language; the first that fits counts.
type Table = [(&'static str, &'static str)];

/// `text` in Chinese, where it is a sentence of ours.
pub(super) fn in_chinese(text: &str) -> Cow<'_, str> {
    static BOOK: LazyLock<Book> = LazyLock::new(|| Book {
        sentences: rules(chinese::SENTENCES),
        reasons: rules(chinese::REASONS),
        clauses: rules(chinese::CLAUSES),
    });
    // Ours are short. What others wrote into them may be anything, and is not to take any time.
    let said = (text.len() <= LONGEST).then(|| BOOK.sentence(text)).flatten();
    said.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Longer ones, in bytes, are not looked at.
const LONGEST: usize = 4_096;

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
    fn sentence(&self, text: &str) -> Option<String> {
        let rules = self.sentences.iter().chain(&self.reasons);
        rules.into_iter().find_map(|rule| rule.said(self, text, DEEPEST))
    }

    /// What stands in a hole of this kind, with so many levels below it.
    fn part(&self, hole: Hole, text: &str, levels: usize) -> Option<String> {
        let levels = levels.checked_sub(1)?;
        let said = |rule: &Rule| rule.said(self, text, levels);
        match hole {
            Hole::Value | Hole::Quoted => None,
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
        Self { begins, holes: holes.collect(), said }
    }

    fn said(&self, book: &Book, text: &str, levels: usize) -> Option<String> {
        let values = self.values(text)?;
        let mut parts = self.said.split('{');
        let mut said = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (place, behind) = part.split_once('}')?;
            let place: usize = place.parse().ok()?;
            let value = *values.get(place)?;
            let hole = self.holes[place].0;
            match book.part(hole, value, levels) {
                Some(part) => said += &part,
                None if hole == Hole::Sentence => return None,
                None => said += value,
            }
            said += behind;
        }
        Some(said)
    }

    /// What stands in the holes, if the pattern fits.
    fn values<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let mut rest = text.strip_prefix(self.begins)?;
        let mut values = Vec::with_capacity(self.holes.len());
        for (index, (hole, behind)) in self.holes.iter().enumerate() {
            let end = match hole {
                Hole::Quoted => quoted(rest).filter(|end| rest[*end..].starts_with(behind))?,
                _ if index + 1 == self.holes.len() => rest.strip_suffix(behind)?.len(),
                _ => find_outside(rest, behind)?,
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
fn find_outside(text: &str, literal: &str) -> Option<usize> {
    let mut at = 0;
    while !text[at..].starts_with(literal) {
        at += quoted(&text[at..]).or_else(|| text[at..].chars().next().map(char::len_utf8))?;
    }
    Some(at)
}

/// Where the value in quotes ends with which `text` begins.
fn quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let inside = text.strip_prefix('"')?;
    let end = inside.find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(end + 2)
}
