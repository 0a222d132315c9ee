//! Finds the known word that was probably meant.

/// The known word nearest to `word`, if one is near. Case does not count.
///
/// Near is a word of which at most half the characters differ, or which contains the other. That is
/// more than a row's `execute_func` is allowed, since here the words are few, unlike each other, and
/// often given in another form: `retry` for `retries`, `skipped` for `skip`, `grace` for
/// `misfire_grace_time`.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    /// Less is in too many words.
    const CONTAINED_CHARS: usize = 4;
    let word = word.to_lowercase();
    let length = word.chars().count();
    let contains = |long: &str, short: &str| short.len() >= CONTAINED_CHARS && long.contains(short);
    let near = known.into_iter().filter_map(|known| {
        let distance = strsim::damerau_levenshtein(&word, known);
        let is_near = distance <= length.max(known.len()) / 2
            || contains(&word, known)
            || contains(known, &word);
        is_near.then_some((distance, known))
    });
    near.min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        let options = ["timeout", "retries", "max_instances", "misfire_grace_time", "on_lost"];
        assert_eq!(nearest(word, options), expected, "{word:?}");
    }

    #[test]
    fn half_of_the_characters_may_differ() {
        check("retry", Some("retries"));
        check("Retries", Some("retries"));
        check("time", Some("timeout"));
        check("tim", None);
        check("instances", Some("max_instances"));
        check("max_attempts", None);
        check("queue", None);
        check("", None);
    }

    #[test]
    fn a_part_of_four_characters_is_near_and_one_of_three_is_not() {
        check("misfire", Some("misfire_grace_time"));
        check("lost", Some("on_lost"));
        check("job_timeout_seconds", Some("timeout"));
        check("mis", None);
    }
}
