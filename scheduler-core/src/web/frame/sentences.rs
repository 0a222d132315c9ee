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
//! | `{?}` | one, or what somebody else wrote and stays as it is |
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
        clauses: rules(chinese::CLAUSES),
    });
    BOOK.sentence(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

struct Book {
    /// What may stand for itself.
    sentences: Vec<Rule>,
    /// What is only a part of others.
    clauses: Vec<Rule>,
}

fn rules(table: &'static Table) -> Vec<Rule> {
    table.iter().map(|(pattern, said)| Rule::new(pattern, said)).collect()
}

impl Book {
    fn sentence(&self, text: &str) -> Option<String> {
        self.sentences.iter().find_map(|rule| rule.said(self, text))
    }

    fn part(&self, text: &str) -> Option<String> {
        self.sentences.iter().chain(&self.clauses).find_map(|rule| rule.said(self, text))
    }
}

/// What stands for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hole {
    Value,
    Quoted,
    Sentence,
    Either,
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
                _ => Hole::Value,
            };
            Some((hole, behind))
        });
        Self { begins, holes: holes.collect(), said }
    }

    fn said(&self, book: &Book, text: &str) -> Option<String> {
        let values = self.values(text)?;
        let mut parts = self.said.split('{');
        let mut said = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (place, behind) = part.split_once('}')?;
            let place: usize = place.parse().ok()?;
            let value = *values.get(place)?;
            match self.holes[place].0 {
                Hole::Value | Hole::Quoted => said += value,
                Hole::Sentence => said += &book.part(value)?,
                Hole::Either => said += book.part(value).as_deref().unwrap_or(value),
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
            let quoted = quoted(rest).filter(|end| rest[*end..].starts_with(behind));
            let end = match hole {
                Hole::Quoted => quoted?,
                _ if index + 1 == self.holes.len() => rest.strip_suffix(behind)?.len(),
                _ => quoted.or_else(|| rest.find(behind))?,
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
