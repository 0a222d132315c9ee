//! The deciding half: values in, values out, `now` as the last argument. Nothing here is async, reads a
//! clock or does IO, so everything here is tested by stepping values.

pub mod trigger;
