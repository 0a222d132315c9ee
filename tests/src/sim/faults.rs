//! Which faults a simulation has, and how often: each seed draws its own set, so that every class is also seen
//! without the others.

use fastrand::Rng;

use super::time::Ms;

/// The faults of one simulation.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// Of a thousand calls so many are refused, or reset before anything was written.
    pub(super) refused: u32,
    /// Of a thousand calls so many are applied, and their answer is lost.
    pub(super) answers_lost: u32,
    /// Of a thousand calls so many get no answer within the deadline; a third of those that write are applied up to a
    /// minute later.
    pub(super) hang: u32,
    /// Of a thousand calls so many take up to 2 s each way.
    pub(super) slow: u32,
    /// Of a thousand readings so many show the tables as they were up to a minute before.
    pub(super) stale: u32,
    /// Mean time between two troubles of the whole database: refusing, frozen, or read-only.
    pub(super) database: Option<Ms>,
    /// Mean time between two crashes of a node, which comes back after up to two minutes.
    pub(super) crash: Option<Ms>,
    /// Mean time between two pauses of a node, of up to three leases.
    pub(super) pause: Option<Ms>,
    /// Mean time between two orderly stops of a node.
    pub(super) stop: Option<Ms>,
    /// Mean time for which a node is not cut off from the database.
    pub(super) cut_off: Option<Ms>,
    /// Farthest distance of a node's wall clock from the true one, and of its steps.
    pub(super) clock: Ms,
    /// How much faster or slower a node's wall clock runs at most, in millionths.
    pub(super) drift: i64,
    /// Mean time between two edits of a row.
    pub(super) edit: Option<Ms>,
    /// Whether some machines are never mended; the first one always is.
    pub(super) lasting: bool,
}

const MINUTE: Ms = 60_000;

impl Faults {
    /// Each class is there in two of five simulations; in one of eight there is none at all, in another only the
    /// database is in trouble.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.u8(0..8) {
            0 => return Self::default(),
            1 => return Self { database: Some(rng.i64(MINUTE..=10 * MINUTE)), ..Self::default() },
            _ => {}
        }
        let share = |rng: &mut Rng, most: u32| if on(rng) { rng.u32(1..=most) } else { 0 };
        let mean = |rng: &mut Rng, most: Ms| on(rng).then(|| rng.i64(MINUTE..=most * MINUTE));
        Self {
            refused: share(rng, 100),
            answers_lost: share(rng, 100),
            hang: share(rng, 20),
            slow: share(rng, 100),
            stale: share(rng, 100),
            database: mean(rng, 15),
            crash: mean(rng, 10),
            pause: mean(rng, 10),
            stop: mean(rng, 10),
            cut_off: mean(rng, 15),
            clock: if on(rng) { *rng.choice(&[1_500, 3_000, 7_200_000]).unwrap_or(&0) } else { 0 },
            drift: if on(rng) { *rng.choice(&[500, 20_000]).unwrap_or(&0) } else { 0 },
            edit: mean(rng, 5),
            lasting: rng.bool(),
        }
    }

    /// Which classes are there.
    pub(super) fn classes(&self) -> Vec<&'static str> {
        let classes = [
            ("refused", self.refused > 0),
            ("answers_lost", self.answers_lost > 0),
            ("hang", self.hang > 0),
            ("slow", self.slow > 0),
            ("stale", self.stale > 0),
            ("database", self.database.is_some()),
            ("crash", self.crash.is_some()),
            ("pause", self.pause.is_some()),
            ("stop", self.stop.is_some()),
            ("cut_off", self.cut_off.is_some()),
            ("clock", self.clock > 0),
            ("drift", self.drift > 0),
            ("edit", self.edit.is_some()),
            ("lasting", self.lasting),
        ];
        classes.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect()
    }

    /// Whether every node lives, and the database alone is to blame.
    pub(super) fn are_of_the_database(&self) -> bool {
        self.classes().iter().all(|class| matches!(*class, "database" | "edit"))
    }

    /// Whether the database, the nodes and the clocks are sound; edits may be there.
    pub(super) fn are_none(&self) -> bool {
        self.classes().iter().all(|class| *class == "edit")
    }
}

fn on(rng: &mut Rng) -> bool {
    rng.u8(0..5) < 2
}
