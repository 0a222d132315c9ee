//! Turns the error or the panic of a job into text that is safe to store, log and show.
//!
//! A job may fail with any text at all: megabytes, NUL, escape sequences of a terminal. Writing its
//! outcome must succeed all the same, so the text leaves here bounded and without control
//! characters other than the line feed.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// 8 KiB: enough for a chain of causes, and small beside the 64 KiB of the column `extra`, also
/// after JSON has escaped it. The note about what was cut is included.
pub const MAX_FAILURE_BYTES: usize = 8 * 1024;

/// Room for the note, whose number has at most 20 digits.
const NOTE_BYTES: usize = 48;

/// The error and its causes, `outer: cause: cause of the cause`, at most
/// [`MAX_FAILURE_BYTES`] long. A cause that its parent has quoted at its end already is left out.
///
/// Control characters other than `\n` are escaped as in Rust, NUL is removed. What is too long ends
/// on a whole character with a note such as `… (1040384 bytes cut)`, counted after escaping. Never
/// panics, even if the error does while it is printed.
pub fn error_chain(error: &anyhow::Error) -> String {
    let mut text = BoundedText::default();
    // The error's own `Display` is the user's code and runs outside of the job here.
    let printed = catch_unwind(AssertUnwindSafe(|| {
        error.chain().try_for_each(|cause| text.push_cause(cause))
    }));
    match printed {
        Ok(Ok(())) => {}
        Ok(Err(fmt::Error)) => text.push_text(" (the error could not be printed)"),
        Err(payload) => {
            discard(payload);
            text.push_text(" (the error panicked while it was printed)");
        }
    }
    text.finish()
}

/// The text of a panic, bounded and escaped as that of [`error_chain`].
///
/// A payload that is no text, as `std::panic::panic_any` makes one, is described. Never panics,
/// even if the payload does while it is dropped.
pub fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let mut text = BoundedText::default();
    if let Some(message) = payload.downcast_ref::<&str>() {
        text.push_text(message);
    } else if let Some(message) = payload.downcast_ref::<String>() {
        text.push_text(message);
    } else {
        text.push_text("panicked with a value that is not text");
    }
    discard(payload);
    text.finish()
}

/// Drops a panic's payload, which is the user's value and may panic in turn.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Leaked: each further drop could panic again.
        let _ = Box::leak(second);
    }
}

/// Text that grows to [`MAX_FAILURE_BYTES`] and from there on only counts.
#[derive(Default)]
struct BoundedText {
    kept: String,
    /// Bytes of the escaped text, including those that were not kept.
    whole_bytes: usize,
    /// Where to cut if a note must follow: the last whole character that leaves room for it.
    cut_at: usize,
}

impl BoundedText {
    /// Adds an error behind what it caused.
    fn push_cause(&mut self, cause: &(dyn Error + 'static)) -> fmt::Result {
        let Self { whole_bytes, cut_at, .. } = *self;
        if whole_bytes > 0 {
            self.push_text(": ");
        }
        let from = self.kept.len();
        write!(self, "{cause}")?;
        let (told, cause) = (&self.kept[..whole_bytes.min(from)], &self.kept[from..]);
        let is_whole = self.whole_bytes == self.kept.len();
        if is_whole && told.ends_with(cause) {
            self.kept.truncate(whole_bytes);
            (self.whole_bytes, self.cut_at) = (whole_bytes, cut_at);
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\0' => {}
                '\n' => self.push_piece("\n"),
                _ if character.is_control() => {
                    self.push_piece(&character.escape_default().to_string());
                }
                _ => self.push_piece(character.encode_utf8(&mut [0; 4])),
            }
        }
    }

    /// Adds what may not be torn apart: a character or an escape sequence.
    fn push_piece(&mut self, piece: &str) {
        self.whole_bytes += piece.len();
        if self.whole_bytes > MAX_FAILURE_BYTES {
            return;
        }
        self.kept.push_str(piece);
        if self.whole_bytes <= MAX_FAILURE_BYTES - NOTE_BYTES {
            self.cut_at = self.whole_bytes;
        }
    }

    fn finish(mut self) -> String {
        if self.whole_bytes > MAX_FAILURE_BYTES {
            self.kept.truncate(self.cut_at);
            let cut_bytes = self.whole_bytes - self.cut_at;
            self.kept.push_str(&format!("… ({cut_bytes} bytes cut)"));
        }
        self.kept
    }
}

impl Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_text(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[track_caller]
    fn check(message: String, expected: &str) {
        assert_eq!(error_chain(&anyhow!(message.clone())), expected);
        assert_eq!(panic_text(Box::new(message)), expected);
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = anyhow!("connection refused")
            .context("cannot reach the mail server")
            .context("report not sent");
        assert_eq!(
            error_chain(&error),
            "report not sent: cannot reach the mail server: connection refused"
        );
    }

    #[test]
    fn a_cause_that_its_parent_has_quoted_is_told_once() {
        let error = anyhow!("refused").context("no connection: refused").context("not sent");
        assert_eq!(error_chain(&error), "not sent: no connection: refused");
        let other = anyhow!("x").context("y").context("x");
        assert_eq!(error_chain(&other), "x: y: x");
    }

    #[test]
    fn control_characters_are_escaped_but_for_the_line_feed_and_nul_is_removed() {
        check("two\nlines".into(), "two\nlines");
        check("a\0b\r\n\tc".into(), "ab\\r\n\\tc");
        check("\u{1b}[31mred\u{7f}\u{9b}".into(), "\\u{1b}[31mred\\u{7f}\\u{9b}");
        check("</script> 🦀 测试".into(), "</script> 🦀 测试");
    }

    #[test]
    fn text_of_8_kib_is_kept_and_one_byte_more_is_cut_with_a_note() {
        let longest = "x".repeat(MAX_FAILURE_BYTES);
        check(longest.clone(), &longest);
        let kept = "x".repeat(MAX_FAILURE_BYTES - NOTE_BYTES);
        check("x".repeat(MAX_FAILURE_BYTES + 1), &format!("{kept}… (49 bytes cut)"));
    }

    #[test]
    fn a_cut_falls_between_characters_and_never_into_an_escape() {
        for (unit, escaped) in [("🦀", "🦀"), ("\u{1b}", "\\u{1b}"), ("a🦀", "a🦀")] {
            let text = panic_text(Box::new(unit.repeat(1024 * 1024)));
            assert!(text.len() <= MAX_FAILURE_BYTES, "{} bytes", text.len());
            let (kept, note) = text.split_once('…').unwrap();
            let rest = kept.replace(escaped, "");
            assert!(rest.is_empty() || escaped.starts_with(&rest), "{rest:?} is torn");
            let whole_bytes = escaped.len() * 1024 * 1024;
            assert_eq!(note, format!(" ({} bytes cut)", whole_bytes - kept.len()));
        }
    }

    #[test]
    fn the_note_has_room_for_the_largest_number() {
        assert!(format!("… ({} bytes cut)", usize::MAX).len() <= NOTE_BYTES);
    }

    #[test]
    fn a_panic_is_told_by_its_text_or_described() {
        assert_eq!(panic_text(Box::new("static text")), "static text");
        assert_eq!(panic_text(Box::new(String::from("owned"))), "owned");
        assert_eq!(panic_text(Box::new(42_i32)), "panicked with a value that is not text");
    }

    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            std::panic::panic_any(PanicsInDrop);
        }
    }

    #[test]
    fn a_payload_that_panics_while_it_is_dropped_harms_nobody() {
        let text = panic_text(Box::new(PanicsInDrop));
        assert_eq!(text, "panicked with a value that is not text");
    }

    #[derive(Debug)]
    struct PanicsInDisplay;

    impl fmt::Display for PanicsInDisplay {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("begun")?;
            std::panic::panic_any(PanicsInDrop);
        }
    }

    impl std::error::Error for PanicsInDisplay {}

    #[test]
    fn an_error_that_panics_while_it_is_printed_is_told_as_far_as_it_got() {
        let error = anyhow::Error::new(PanicsInDisplay).context("outer");
        assert_eq!(error_chain(&error), "outer: begun (the error panicked while it was printed)");
    }
}
