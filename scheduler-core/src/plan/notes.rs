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
}
