//! What tests of several packages share.

pub mod poll;
pub mod servers;
pub mod sim;
