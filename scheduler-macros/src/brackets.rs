//! Reads the brackets of `#[job("name", timeout = "30s", ..)]`: pieces between commas, of which the
//! first is the name and each other an option.
//!
//! Every piece is read on its own, so a mistake in one hides none in another.

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

use crate::mistakes::Mistakes;
use crate::name;
use crate::options::Options;

/// What stands in the brackets, as far as it could be read.
pub(crate) struct Brackets {
    pub(crate) name: Option<LitStr>,
    pub(crate) options: Options,
}

/// The name, if there is one, the options, and everything that is wrong in the brackets.
pub(crate) fn read(brackets: TokenStream) -> (Brackets, Mistakes) {
    let mut mistakes = Mistakes::default();
    let mut pieces = split(brackets, &mut mistakes);
    let name = name::take(&mut pieces, &mut mistakes);
    let options = Options::read(pieces, &mut mistakes);
    (Brackets { name, options }, mistakes)
}

/// What stands between the commas. One comma may follow the last piece.
fn split(brackets: TokenStream, mistakes: &mut Mistakes) -> Vec<TokenStream> {
    let mut pieces = Vec::new();
    let mut piece = TokenStream::new();
    for token in brackets {
        if !matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            piece.extend([token]);
        } else if piece.is_empty() {
            mistakes.add(token, "nothing stands before this comma: remove it");
        } else {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of all mistakes in `#[job(<brackets>)]`, in their order.
    #[track_caller]
    fn check(brackets: &str, expected: &[&str]) {
        let tokens = brackets.parse().expect("the brackets hold Rust tokens");
        read(tokens).1.check(expected);
    }

    #[test]
    fn a_name_has_between_1_and_255_characters() {
        check("\"\"", &["is empty"]);
        check("\"a\"", &[]);
        check(&format!("{:?}", "é".repeat(255)), &[]);
        check(&format!("{:?}", "é".repeat(256)), &["256 characters, expected 1 to 255"]);
    }

    #[test]
    fn a_name_has_neither_blanks_around_it_nor_control_characters() {
        check("\"send report\"", &[]);
        check("\" a\"", &["blanks around it"]);
        check("\"a\\n\"", &["blanks around it"]);
        check("\"   \"", &["is empty"]);
        check("\"a\\u{7f}b\"", &["control character"]);
    }

    #[test]
    fn one_comma_may_follow_the_last_piece() {
        check("\"a\",", &[]);
        check("\"a\", retries = 3,", &[]);
        check("\"a\",,", &["before this comma"]);
        check("\"a\",, retries = 3", &["before this comma"]);
    }

    #[test]
    fn the_name_is_a_string_and_comes_first() {
        check("", &["needs a name"]);
        check("name = \"a\"", &["is a string literal and comes first"]);
        check("a, retries = 3", &["is a string literal and comes first"]);
        check("retries = 3", &["write `#[job(\"send_report\", retries = 3)]`"]);
        check("retries = 3, \"a\"", &["comes first: write `#[job(\"a\", retries = 3)]`"]);
        check("\"a\" \"b\"", &["expected `,` before `\"b\"`"]);
    }

    #[test]
    fn every_mistake_in_the_brackets_is_reported() {
        check(
            "\" a\", retry = 3, queue(\"x\"), timeout, overlap = 3",
            &["blanks around", "option `retry`", "option `queue`", "`timeout`", "`overlap`"],
        );
        check("a, retries = 1001, timeout = \"x\"", &["string literal", "`retries`", "`timeout`"]);
    }
}
