//! Why arguments do not fit, in one line of at most [`LONGEST_MESSAGE`] characters, whatever a row holds.

/// Room for a place and a value of 80 characters each, and for the names of a struct or an enum.
const LONGEST_MESSAGE: usize = 500;

/// Why a job cannot read the arguments of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgsError {
    message: String,
}

impl ArgsError {
    /// An error with this text, which names the value and what was expected.
    ///
    /// Control characters are escaped, and what is longer than 500 characters is cut.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: one_line(&message.into()) }
    }
}

/// On one line and bounded, whatever a name, a value or an author's own words hold.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(LONGEST_MESSAGE + 1) {
        if is_visible(character) {
            line.push(character);
        } else {
            line.extend(character.escape_unicode());
        }
    }
    if let Some((end, _)) = line.char_indices().nth(LONGEST_MESSAGE) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Neither a control character nor one that breaks or turns a line.
fn is_visible(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_500_characters_is_whole_and_one_of_501_is_cut() {
        assert_eq!(ArgsError::new("é".repeat(500)).to_string(), "é".repeat(500));
        assert_eq!(ArgsError::new("é".repeat(501)).to_string(), format!("{}…", "é".repeat(500)));
        let escaped = ArgsError::new("\n".repeat(101)).to_string();
        assert_eq!(escaped, format!("{}…", r"\u{a}".repeat(100)));
    }

    #[test]
    fn a_message_is_one_line_and_keeps_marks_and_accents() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(ArgsError::new(text).to_string(), expected);
        }
        check("a\nb\u{1b}[31m", r"a\u{a}b\u{1b}[31m");
        check("\u{202e}a\u{2028}", r"\u{202e}a\u{2028}");
        check("it's \"e\u{301}\" \\", "it's \"e\u{301}\" \\");
    }
}
