//! How people write a span of time: bare digits are seconds, anything else is `humantime` (`90s`, `1h30m`,
//! `250ms`).

use std::time::Duration;

/// Reads `text`, or `None` when it is no span of time. Blanks around it are ignored; a sign, an exponent, a
/// fraction without a unit or a digit outside ASCII is not accepted.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::plan::duration::parse;
///
/// assert_eq!(parse("90"), Some(Duration::from_secs(90)));
/// assert_eq!(parse("1h30m"), Some(Duration::from_secs(5400)));
/// assert_eq!(parse("-5"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim_matches([' ', '\t']);
    if text.is_empty() || !text.is_ascii() {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    sum(text)
}

/// Writes `span` so that [`parse`] reads the same: `90s` comes back as `1m30s`.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::plan::duration::show;
///
/// assert_eq!(show(Duration::from_millis(90_250)), "1m30s250ms");
/// ```
#[must_use]
pub fn show(span: Duration) -> String {
    humantime::format_duration(span).to_string().replace(' ', "")
}

/// One number and unit at a time: humantime 2.4.0 panics when the parts of a sum overflow
/// (`18446744073709551615s 1000ms`).
fn sum(text: &str) -> Option<Duration> {
    let mut total = None;
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let end =
            rest[unit..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |n| unit + n);
        let part = humantime::parse_duration(&rest[..end]).ok()?;
        total = Some(part.checked_add(total.unwrap_or_default())?);
        rest = rest[end..].trim_ascii_start();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, millis: Option<u128>) {
        assert_eq!(parse(text).map(|span| span.as_millis()), millis, "{text:?}");
    }

    #[test]
    fn bare_digits_are_seconds_and_the_rest_is_humantime() {
        check("5", Some(5_000));
        check(" 5 ", Some(5_000));
        check("0", Some(0));
        check("90s", Some(90_000));
        check("1h30m", Some(5_400_000));
        check("250ms", Some(250));
        check("1.5h", Some(5_400_000));
    }

    #[test]
    fn signs_fractions_exponents_and_foreign_digits_are_refused() {
        for text in [
            "",
            " ",
            "-5",
            "+5",
            "5.5",
            "1e3",
            "9e99",
            "٥",
            "NaN",
            "9223372036854775808000",
            "18446744073709551615s 1000ms",
        ] {
            check(text, None);
        }
    }
}
