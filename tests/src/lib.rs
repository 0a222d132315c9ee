//! What tests of several packages share.

pub mod dbproxy;
pub mod mutants;
pub mod poll;
pub mod program;
pub mod servers;
pub mod sim;
pub mod torment;
