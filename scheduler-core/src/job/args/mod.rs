//! Reads `task.args`: text that people type, taken as it is meant.
//!
//! [`Args`] is the text with its values, and takes any text. A type of the job's author is read from it by
//! `de`, which may refuse: `text` splits at commas, `json` reads what begins with `[` or `{`, and `misfit`
//! says which value is wrong.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use self::error::ArgsError;
pub(super) use self::shape::schema_of;
use super::FromArgs;

mod de;
mod error;
mod json;
mod misfit;
mod place;
mod shape;
mod text;

/// The values of a row's `args`. Clones are cheap.
///
/// | `args` | values |
/// |---|---|
/// | `1,2,3` | `1`, `2`, `3` |
/// | `"guess","hello"` | `guess`, `hello` |
/// | `"a, b", 'c'` | `a, b`, `c` |
/// | nothing, or only blanks | none |
/// | `""` | one empty value |
/// | `1,,2,` | `1`, empty, `2`, empty |
///
/// Each comma outside quotes separates two values, and blanks around a value are no part of it. A
/// value that begins with `"` or `'` ends at the next such mark that a comma or the end follows;
/// in between, a backslash before the mark keeps it. Without such an end the mark is an ordinary
/// character. `\"guess\"` is read as `"guess"`: that is what the original's rows hold where a
/// database takes a backslash literally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    raw: Arc<str>,
    values: Arc<[text::Value]>,
}

impl Args {
    /// Reads `raw`. Every text has a reading.
    ///
    /// ```
    /// use scheduler_core::Args;
    ///
    /// let args = Args::parse(r#"report, "Smith, John""#);
    /// assert_eq!(args.len(), 2);
    /// assert_eq!(args.get(1), Some("Smith, John"));
    /// ```
    pub fn parse(raw: &str) -> Self {
        Self { raw: Arc::from(raw), values: text::values(raw).into() }
    }

    /// The arguments as any type that the second parameter of a job may have.
    ///
    /// ```
    /// use scheduler_core::Args;
    ///
    /// let (name, copies): (String, Option<u8>) = Args::parse("report, 2").read()?;
    /// assert_eq!((name.as_str(), copies), ("report", Some(2)));
    ///
    /// let error = Args::parse("report, x").read::<(String, Option<u8>)>().unwrap_err();
    /// assert_eq!(error.to_string(), r#"value 2 is "x", expected u8"#);
    /// # Ok::<(), scheduler_core::job::ArgsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The values do not fit the type.
    pub fn read<T: FromArgs>(&self) -> Result<T, ArgsError> {
        T::from_args(self)
    }

    /// What serde makes of the values.
    pub(super) fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        if shape::is_asked::<T>() {
            return Err(ArgsError::new("asked for its shape, and read nothing"));
        }
        de::read(&self.raw, &self.values)
    }

    /// The text as it stands in the row.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.values.get(index).map(|value| value.text.as_str())
    }

    /// The values in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.iter().map(|value| value.text.as_str())
    }
}

impl fmt::Display for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_has_its_values_and_stays_as_it_is() {
        #[track_caller]
        fn check(raw: &str, expected: &[&str]) {
            let args = Args::parse(raw);
            assert_eq!(args.iter().collect::<Vec<_>>(), expected, "args {raw:?}");
            assert_eq!((args.raw(), args.to_string().as_str()), (raw, raw));
            assert_eq!((args.len(), args.is_empty()), (expected.len(), expected.is_empty()));
            assert_eq!(args.read::<Args>(), Ok(args));
        }
        check("", &[]);
        check(" 1, 'a, b',", &["1", "a, b", ""]);
        check("[1, 2", &["[1", "2"]);
    }

    #[test]
    fn a_value_outside_the_text_is_none() {
        let args = Args::parse("1,2");
        assert_eq!(args.get(1), Some("2"));
        assert_eq!(args.get(2), None);
    }
}
