//! Words for messages: a value quoted so that it can forge nothing, and the known name that was probably meant.

use chrono::{DateTime, SecondsFormat, Utc};

/// A quoted value shows so many characters.
const QUOTED_CHARS: usize = 80;

/// RFC 3339 in UTC, with milliseconds only where there are any.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The first `most` of these characters, and a sign if there are more.
pub(crate) fn cut(mut characters: impl Iterator<Item = char>, most: usize) -> String {
    let mut text: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() {
        text.push('…');
    }
    text
}

/// An error and its causes on one line, `outer: cause: cause of the cause`. A cause that its parent has quoted at its
/// end already is left out.
#[must_use]
pub fn join_causes(texts: impl Iterator<Item = String>) -> String {
    texts
        .reduce(|told, cause| if told.ends_with(&cause) { told } else { told + ": " + &cause })
        .unwrap_or_default()
}

/// The value in quotes, cut at 80 characters and with control characters escaped, so that a row can neither
/// fill a log nor forge a line of it.
///
/// ```
/// use scheduler_core::plan::words::quote;
///
/// assert_eq!(quote("a\nb"), r#""a\nb""#);
/// ```
#[must_use]
pub fn quote(value: &str) -> String {
    match value.char_indices().nth(QUOTED_CHARS) {
        None => format!("{value:?}"),
        Some((end, _)) => {
            let mut text = format!("{:?}", &value[..end]);
            text.insert(text.len() - 1, '…');
            text
        }
    }
}

/// The known names that `name` may have meant, nearest first, at most `limit`.
///
/// Case does not count. Up to a third of the longer name's characters may differ, one in any case; a swap of
/// two neighbours counts once. A name of more than 255 characters resembles none.
///
/// ```
/// use scheduler_core::plan::words::nearest;
///
/// assert_eq!(nearest("intervall", ["cron", "date", "interval"], 1), ["interval"]);
/// ```
#[must_use]
pub fn nearest<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    const COMPARED_CHARS: usize = 255;
    let name = name.to_lowercase();
    let length = name.chars().count();
    if length > COMPARED_CHARS {
        return Vec::new();
    }
    let distance = |known: &'a str| {
        let lower = known.to_lowercase();
        let longer = length.max(lower.chars().count());
        let distance = strsim::damerau_levenshtein(&name, &lower);
        (distance <= (longer / 3).max(1)).then_some((distance, known))
    };
    let mut near: Vec<_> = known.into_iter().filter_map(distance).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, known)| known).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_its_parent_has_quoted_is_told_once() {
        let joined = |texts: &[&str]| join_causes(texts.iter().copied().map(str::to_owned));
        assert_eq!(joined(&[]), "");
        assert_eq!(joined(&["a"]), "a");
        assert_eq!(joined(&["a", "b: c", "c", "c"]), "a: b: c");
        assert_eq!(joined(&["c", "b", "c"]), "c: b: c");
    }

    #[test]
    fn a_value_of_80_characters_is_shown_whole_and_one_of_81_is_cut() {
        assert_eq!(quote(&"é".repeat(80)), format!("\"{}\"", "é".repeat(80)));
        assert_eq!(quote(&"é".repeat(81)), format!("\"{}…\"", "é".repeat(80)));
    }

    #[test]
    fn a_value_cannot_forge_a_line_or_colour_the_terminal() {
        assert_eq!(quote("a\nb\u{1b}[31m\""), r#""a\nb\u{1b}[31m\"""#);
    }

    #[track_caller]
    fn check(name: &str, expected: &[&str]) {
        assert_eq!(nearest(name, ["send_mail", "send_report", "cron"], 2), expected, "{name:?}");
    }

    #[test]
    fn a_third_of_the_characters_may_differ_and_no_more() {
        check("send_mial", &["send_mail"]);
        check("SEND_REPORT", &["send_report"]);
        check("send_mxxx", &["send_mail"]);
        check("sexx_mxxx", &[]);
        check("crom", &["cron"]);
        check("krxn", &[]);
        check("", &[]);
        check(&"x".repeat(256), &[]);
    }
}
