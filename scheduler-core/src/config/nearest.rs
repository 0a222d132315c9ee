//! Finds the name that was probably meant.

/// `did you mean "store"?` or, if no known name is near, the list of all.
pub(super) fn or_nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => "expected nothing here".to_owned(),
        None => format!("expected one of {}", known.join(", ")),
    }
}

/// The known name that differs least, if it is near enough to be a slip of the finger: a third of its
/// letters, whatever their case.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer name is none of ours, and the distance takes quadratic time.
    if name.len() > 100 {
        return None;
    }
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&name, &known.to_lowercase()),
                known,
            )
        })
        .filter(|(distance, known)| *distance <= 1.max(known.len() / 3))
        .min()
        .map(|(_, known)| known)
}
