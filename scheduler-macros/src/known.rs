//! The options that a job may have, and what each accepts. An option exists by standing here.

use std::time::Duration;

/// A year and a day, as in a row's `extra`.
pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Every option, in the order in which a message lists them.
pub(crate) const KNOWN: [Known; 8] = [
    Known {
        name: "timeout",
        form: "timeout = \"30s\"",
        kind: Kind::Duration { shortest: Duration::from_millis(1) },
    },
    Known { name: "retries", form: "retries = 3", kind: Kind::Count { least: 0, most: 1_000 } },
    Known { name: "backoff", form: "backoff = \"1s..1m\"", kind: Kind::Backoff },
    Known {
        name: "max_instances",
        form: "max_instances = 2",
        kind: Kind::Count { least: 1, most: 10_000 },
    },
    Known {
        name: "overlap",
        form: "overlap = \"queue\"",
        kind: Kind::Word {
            of: "Overlap",
            words: &[("skip", "Skip"), ("queue", "Queue"), ("allow", "Allow")],
        },
    },
    Known {
        name: "misfire_grace_time",
        form: "misfire_grace_time = \"5m\"",
        // Nothing is found in its own millisecond: less would mean that nothing ever runs.
        kind: Kind::Duration { shortest: Duration::from_secs(1) },
    },
    Known {
        name: "on_lost",
        form: "on_lost = \"retry\"",
        kind: Kind::Word { of: "OnLost", words: &[("retry", "Retry"), ("leave", "Leave")] },
    },
    Known { name: "blocking", form: "blocking", kind: Kind::Bare },
];

/// An option that a job may have.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// How it is written, for messages.
    pub(crate) form: &'static str,
    pub(crate) kind: Kind,
}

/// What it accepts.
pub(crate) enum Kind {
    /// From `shortest` to [`LONGEST`].
    Duration { shortest: Duration },
    /// One duration, or two with `..` between them.
    Backoff,
    /// A whole number, both limits included.
    Count { least: u32, most: u32 },
    /// A word, and the variant of the enum `of` that it stands for.
    Word { of: &'static str, words: &'static [(&'static str, &'static str)] },
    /// The option itself, without a value.
    Bare,
}
