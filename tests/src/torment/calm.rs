//! When each program ran and nothing befell it: such a one finds in time what the dead left.

use super::outages::wall_ms;

/// A program was left in peace from then until then, by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// The spans of all programs.
pub(super) struct Calm {
    since_ms: Vec<Option<i64>>,
    /// Each with the index of its program.
    pub(super) spans: Vec<(usize, Span)>,
}

impl Calm {
    pub(super) fn new(count: usize) -> Self {
        Self { since_ms: vec![None; count], spans: Vec::new() }
    }

    /// What the program of this index is from now on.
    pub(super) fn note(&mut self, index: usize, is_calm: bool) {
        let since_ms = &mut self.since_ms[index];
        match (*since_ms, is_calm) {
            (None, true) => *since_ms = Some(wall_ms()),
            (Some(from_ms), false) => {
                self.spans.push((index, Span { from_ms, until_ms: wall_ms() }));
                *since_ms = None;
            }
            _ => {}
        }
    }
}
