//! Names the place of a value: people who write text count values, JSON has paths.

use crate::plan::words::quote;

/// Of a longer place the end is shown, so that a message has room for the value and what was expected.
const LONGEST_PLACE: usize = 200;

/// How the arguments were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

/// One step from a list or an object to what is in it.
#[derive(Debug)]
pub(super) enum Step {
    /// Counted from 0.
    Index(usize),
    /// A value of a list that stands for a field of a struct.
    Positional(usize, &'static str),
    Field(String),
    /// Not the value but its key.
    Key,
}

/// The place to which `steps` lead, the innermost first; `None` at the top.
pub(super) fn place(steps: &[Step], form: Form) -> Option<String> {
    let mut place = String::new();
    for (depth, step) in steps.iter().rev().enumerate() {
        let is_last = depth + 1 == steps.len();
        match (step, form) {
            (Step::Index(index) | Step::Positional(index, _), Form::Text) => {
                place.push_str(&format!("value {}", index + 1));
            }
            (Step::Index(index) | Step::Positional(index, _), Form::Json) => {
                place.push_str(&format!("[{index}]"));
            }
            (Step::Field(name), _) if is_plain(name) => {
                place.push_str(if depth == 0 { "" } else { "." });
                place.push_str(name);
            }
            (Step::Field(name), _) => place.push_str(&format!("[{}]", quote(name))),
            (Step::Key, _) => {
                place.push_str(if depth == 0 { "a key" } else { ": a key" });
            }
        }
        if let (Step::Positional(_, field), true) = (step, is_last) {
            place.push_str(&format!(" ({field})"));
        }
    }
    if let Some((start, _)) = place.char_indices().nth_back(LONGEST_PLACE) {
        let end = start + place[start..].chars().next().map_or(0, char::len_utf8);
        place.replace_range(..end, "…");
    }
    (!place.is_empty()).then_some(place)
}

/// Whether a name can stand in a path as it is.
fn is_plain(name: &str) -> bool {
    (1..=80).contains(&name.chars().count())
        && name.chars().all(|character| character.is_alphanumeric() || "_-".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_in_json_and_a_number_in_text() {
        #[track_caller]
        fn check(steps: Vec<Step>, text: Option<&str>, json: Option<&str>) {
            assert_eq!(place(&steps, Form::Text).as_deref(), text, "{steps:?}");
            assert_eq!(place(&steps, Form::Json).as_deref(), json, "{steps:?}");
        }
        let field = |name: &str| Step::Field(name.to_owned());
        check(vec![], None, None);
        check(vec![Step::Index(1)], Some("value 2"), Some("[1]"));
        check(vec![Step::Positional(1, "to")], Some("value 2 (to)"), Some("[1] (to)"));
        check(vec![Step::Key], Some("a key"), Some("a key"));
        let deep = vec![field("count"), Step::Positional(1, "x"), field("items")];
        assert_eq!(place(&deep, Form::Json).as_deref(), Some("items[1].count"));
        let odd = vec![field(""), field("a\n"), field("to")];
        assert_eq!(place(&odd, Form::Json).as_deref(), Some(r#"to["a\n"][""]"#));
    }

    #[test]
    fn of_a_place_of_more_than_200_characters_the_end_is_shown() {
        #[track_caller]
        fn check(last: usize, expected: &str) {
            let field = |length| Step::Field("é".repeat(length));
            let place = place(&[field(last), field(80), field(80)], Form::Json);
            assert_eq!(place.as_deref(), Some(expected));
        }
        let e = |length| "é".repeat(length);
        check(38, &format!("{}.{}.{}", e(80), e(80), e(38)));
        check(39, &format!("…{}.{}.{}", e(79), e(80), e(39)));
    }
}
