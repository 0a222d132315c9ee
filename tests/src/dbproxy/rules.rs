//! What befalls which statement, and how often it did.

use super::{Action, Which};

/// The rules of a proxy, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    text: String,
    of_commit: bool,
    which: Which,
    action: Action,
    seen: usize,
    applied: usize,
    is_lifted: bool,
}

impl Rules {
    /// Adds a rule and yields its number.
    pub(super) fn add(
        &mut self,
        text: &str,
        of_commit: bool,
        which: Which,
        action: Action,
    ) -> usize {
        let text = text.to_owned();
        self.0.push(Rule { text, of_commit, which, action, seen: 0, applied: 0, is_lifted: false });
        self.0.len() - 1
    }

    pub(super) fn lift(&mut self, rule: usize) {
        self.0[rule].is_lifted = true;
    }

    /// How often the rule was applied.
    pub(super) fn times(&self, rule: usize) -> usize {
        self.0[rule].applied
    }

    /// What befalls a statement that is to be run. `commits` are the statements that it commits.
    pub(super) fn action_for(&mut self, sql: &str, commits: &str) -> Option<Action> {
        let mut acting = None;
        for rule in self.0.iter_mut().filter(|rule| !rule.is_lifted) {
            let looked_at = if rule.of_commit { commits } else { sql };
            if !looked_at.contains(&rule.text) {
                continue;
            }
            rule.seen += 1;
            let is_meant = match rule.which {
                Which::Nth(nth) => rule.seen == nth,
                Which::From(nth) => rule.seen >= nth,
                Which::Every => true,
            };
            if is_meant && acting.is_none() {
                rule.applied += 1;
                acting = Some(rule.action);
            }
        }
        acting
    }
}
