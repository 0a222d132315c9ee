//! Finds the name that was probably meant.

use crate::plan::words;

/// `did you mean "store"?` or, if no known name is near, the list of all.
pub(super) fn or_nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => "expected nothing here".to_owned(),
        None => format!("expected one of {}", known.join(", ")),
    }
}

/// The known name that differs least, if it is near enough to be a slip of the finger.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    words::nearest(name, known, 1).first().copied()
}
