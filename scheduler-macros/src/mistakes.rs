//! Collects mistakes, so that one compilation shows them all.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    /// Adds a mistake, shown under all of `place`.
    pub(crate) fn add(&mut self, place: impl ToTokens, text: impl Display) {
        self.merge(Self(Some(syn::Error::new_spanned(place, text))));
    }

    /// Adds a mistake that stands at `span`, for what has no tokens.
    pub(crate) fn add_at(&mut self, span: Span, text: impl Display) {
        self.merge(Self(Some(syn::Error::new(span, text))));
    }

    /// Adds the mistakes of another part after the own ones.
    pub(crate) fn merge(&mut self, later: Self) {
        match (&mut self.0, later.0) {
            (Some(error), Some(later)) => error.combine(later),
            (empty @ None, later) => *empty = later,
            (Some(_), None) => {}
        }
    }

    /// What was read, or nothing and one mistake more.
    pub(crate) fn keep<T>(&mut self, read: syn::Result<T>) -> Option<T> {
        read.map_err(|mistake| self.merge(Self(Some(mistake)))).ok()
    }

    /// Whether none was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

#[cfg(test)]
impl Mistakes {
    /// Each mistake has the expected text in it, in this order, and there are no others.
    #[track_caller]
    pub(crate) fn check(self, expected: &[&str]) {
        let found: Vec<_> =
            self.0.into_iter().flatten().map(|mistake| mistake.to_string()).collect();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{expected:?} is not in {found:?}");
        }
    }
}
