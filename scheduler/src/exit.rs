//! Exit codes, and which error means which.

use std::fmt;

use scheduler_core::{
    app::AppError, config::ConfigError, plan::words::join_causes, registry::RegistryError,
    store::StoreError,
};

use crate::output::{message, visible};

/// How a verb ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Done,
    /// 1: what was looked at is not as it should be, or a part was refused; said by the verb itself.
    Finding,
}

pub(crate) const DONE: u8 = 0;
const FAILURE: u8 = 1;
pub(crate) const USAGE: u8 = 2;
/// `EX_UNAVAILABLE` of sysexits.h.
const UNREACHABLE: u8 = 69;
/// `EX_CONFIG` of sysexits.h.
const CONFIGURATION: u8 = 78;

/// An error of the program itself, which knows its exit code.
#[derive(Debug)]
struct Refusal {
    code: u8,
    text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}

/// The command line asks for something that cannot be.
pub(crate) fn usage(text: impl fmt::Display) -> anyhow::Error {
    Refusal { code: USAGE, text: text.to_string() }.into()
}

/// The database is not there.
pub(crate) fn unreachable(text: impl fmt::Display) -> anyhow::Error {
    Refusal { code: UNREACHABLE, text: text.to_string() }.into()
}

/// Says on stderr what went wrong, if anything, and gives the code to leave with.
pub(crate) fn report(result: anyhow::Result<Exit>) -> u8 {
    match result {
        Ok(Exit::Done) => DONE,
        Ok(Exit::Finding) => FAILURE,
        Err(error) => {
            match mistakes(&error) {
                // One line per mistake, each beginning with its place.
                Some(mistakes) => message(&mistakes.to_string()),
                None => message(&format!("error: {}", one_line(&error))),
            }
            code(&error)
        }
    }
}

fn mistakes(error: &anyhow::Error) -> Option<&ConfigError> {
    match error.downcast_ref::<AppError>() {
        Some(AppError::Config(mistakes)) => Some(mistakes),
        _ => error.downcast_ref(),
    }
}

fn code(error: &anyhow::Error) -> u8 {
    let codes = error.chain().filter_map(|cause| {
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return Some(refusal.code);
        }
        if cause.is::<ConfigError>() || cause.is::<RegistryError>() {
            return Some(CONFIGURATION);
        }
        match cause.downcast_ref::<AppError>() {
            Some(AppError::Twice(_) | AppError::Config(_) | AppError::Registry(_)) => {
                Some(CONFIGURATION)
            }
            Some(AppError::Store(error)) => store_code(error),
            Some(_) => None,
            None => store_code(cause.downcast_ref()?),
        }
    });
    codes.into_iter().next().unwrap_or(FAILURE)
}

fn store_code(error: &StoreError) -> Option<u8> {
    match error {
        StoreError::Unreachable { .. } => Some(UNREACHABLE),
        StoreError::Schema(_) => Some(CONFIGURATION),
        _ => None,
    }
}

/// The error with its causes. A cause that its parent has quoted already is left out.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    visible(&join_causes(error.chain().map(ToString::to_string)))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use scheduler_core::registry::Registry;

    use super::*;

    #[test]
    fn each_error_has_its_code_however_deep_it_lies() {
        let empty = Registry::of([]).map(drop).context("outer").unwrap_err();
        assert_eq!(code(&empty), CONFIGURATION);
        let schema = anyhow::Error::new(StoreError::Schema("no key".to_owned())).context("outer");
        assert_eq!(code(&schema), CONFIGURATION);
        assert_eq!(code(&AppError::Twice(Vec::new()).into()), CONFIGURATION);
        assert_eq!(code(&AppError::Registry(RegistryError::Empty).into()), CONFIGURATION);
        let schema = AppError::Store(StoreError::Schema("no key".to_owned()));
        assert_eq!(code(&schema.into()), CONFIGURATION);
        assert_eq!(code(&unreachable("gone").context("outer")), UNREACHABLE);
        assert_eq!(code(&usage("bad")), USAGE);
        assert_eq!(code(&anyhow::anyhow!("any other")), FAILURE);
    }

    #[test]
    fn an_error_is_one_line_and_repeats_nothing() {
        let error =
            anyhow::anyhow!("disk full").context("writing: disk full").context("a\nb\u{1b}[2J");
        assert_eq!(one_line(&error), r"a\nb\u{1b}[2J: writing: disk full");
    }
}
