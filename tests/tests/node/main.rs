//! The rules of a node, told by stepping one through time on the store in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod clock;
mod due;
mod endings;
mod failing;
mod few_places;
mod late;
mod manual;
mod overdue;
mod overlap;
mod retries;
mod rows;
mod settling;
mod share;
mod trouble;
mod wake;
mod world;
