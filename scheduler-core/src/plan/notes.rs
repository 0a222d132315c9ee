//! What a job notes of its run, and how it stands in the `extra` of its execution, beside the keys that are ours.

/// What a job noted: keys and values.
pub type Notes = serde_json::Map<String, serde_json::Value>;

/// `extra`, a JSON object of ours, with the notes of the job beside its keys. Where both have a key, ours stands.
///
/// ```
/// use scheduler_core::plan::notes::{Notes, with_notes};
///
/// let notes = Notes::from_iter([("sent".to_owned(), 3.into()), ("err".to_owned(), "mine".into())]);
/// assert_eq!(with_notes(r#"{"err":"no"}"#, notes), r#"{"err":"no","sent":3}"#);
/// ```
#[must_use]
pub fn with_notes(extra: &str, notes: Notes) -> String {
    let Ok(ours) = serde_json::from_str::<Notes>(extra) else { return extra.to_owned() };
    let mut all = notes;
    all.extend(ours);
    serde_json::Value::Object(all).to_string()
}

/// A JSON text in ASCII: the same value for whoever parses it, and storable in any character set.
#[must_use]
pub fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_stand_beside_our_keys_and_never_in_their_place() {
        let notes = |text| serde_json::from_str::<Notes>(text).unwrap();
        let extra = with_notes(r#"{"err":"no"}"#, notes(r#"{"sent":3,"err":"mine"}"#));
        assert_eq!(extra, r#"{"err":"no","sent":3}"#);
        assert_eq!(with_notes("{}", Notes::new()), "{}");
    }

    #[test]
    fn json_in_ascii_is_the_same_value() {
        let json = r#"{"已发":"💥 ü"}"#;
        let ascii = in_ascii(json);
        assert!(ascii.is_ascii(), "{ascii}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&ascii), value(json));
    }
}
