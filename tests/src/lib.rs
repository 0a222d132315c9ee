//! What tests of several packages share.

pub mod mutants;
pub mod poll;
pub mod servers;
pub mod sim;
pub mod torment;
