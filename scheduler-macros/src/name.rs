//! Reads the brackets of `#[job("name")]`: a name, and no options yet.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Meta, Token};

use crate::mistakes::Mistakes;

/// `task.execute_func` is a `varchar(255)`, which counts characters, not bytes.
const MAX_CHARS: usize = 255;

/// The name, if there is one, and everything that is wrong in the brackets.
pub(crate) fn read(brackets: TokenStream) -> (Option<LitStr>, Mistakes) {
    let mut mistakes = Mistakes::default();
    let read = |input: ParseStream<'_>| {
        let name = read_name(input, &mut mistakes)?;
        if let Some(name) = &name {
            check_name(name, &mut mistakes);
            read_options(name, input, &mut mistakes)?;
        }
        // syn refuses what is left over, with a text of its own.
        input.parse::<TokenStream>()?;
        Ok(name)
    };
    let name = read.parse2(brackets).unwrap_or_else(|error| {
        mistakes.add_at(error.span(), error);
        None
    });
    (name, mistakes)
}

fn read_name(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<LitStr>> {
    if input.is_empty() {
        mistakes.add_at(Span::call_site(), "a job needs a name: write `#[job(\"send_report\")]`");
        return Ok(None);
    }
    if !input.peek(LitStr) {
        mistakes.add_at(
            input.span(),
            "the name of a job is a string literal and comes first: write `#[job(\"send_report\")]`",
        );
        return Ok(None);
    }
    input.parse().map(Some)
}

fn check_name(name: &LitStr, mistakes: &mut Mistakes) {
    let text = name.value();
    let length = text.chars().count();
    if text.trim().is_empty() {
        mistakes.add(name, "the name of a job is empty: write `#[job(\"send_report\")]`");
        return;
    }
    if text.trim() != text {
        let trimmed = text.trim();
        mistakes.add(
            name,
            format!("the name of a job has blanks around it: write `#[job({trimmed:?})]`"),
        );
    }
    if text.trim().chars().any(char::is_control) {
        mistakes
            .add(name, "the name of a job has a control character in it, expected printable text");
    }
    if length > MAX_CHARS {
        mistakes.add(
            name,
            format!("the name of a job has {length} characters, expected 1 to {MAX_CHARS}"),
        );
    }
}

fn read_options(name: &LitStr, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<()> {
    let form = format!("write `#[job({:?})]`", name.value().trim());
    while !input.is_empty() {
        if !input.peek(Token![,]) {
            mistakes.add_at(input.span(), format!("nothing may follow the name of a job: {form}"));
            return Ok(());
        }
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            return Ok(());
        }
        let start = input.span();
        let Ok(option) = input.parse::<Meta>() else {
            mistakes.add_at(start, format!("nothing may follow the name of a job: {form}"));
            return Ok(());
        };
        let key = option.path();
        mistakes.add(
            key,
            format!(
                "unknown option `{}`: a job has a name and no options yet, {form}",
                key.to_token_stream()
            ),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of all mistakes in `#[job(<brackets>)]`.
    #[track_caller]
    fn check(brackets: &str, expected: &[&str]) {
        let tokens = brackets.parse().expect("the brackets hold Rust tokens");
        let (_, mistakes) = read(tokens);
        let found = mistakes.into_compile_errors().to_string();
        assert_eq!(found.matches("compile_error").count(), expected.len(), "{found}");
        for text in expected {
            assert!(found.contains(text), "{text:?} is not in {found}");
        }
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
    fn a_trailing_comma_is_no_option() {
        check("\"a\",", &[]);
    }

    #[test]
    fn every_mistake_in_the_brackets_is_reported() {
        check("", &["needs a name"]);
        check("name = \"a\"", &["a string literal"]);
        check("\"a\" \"b\"", &["nothing may follow"]);
        check("\"a\", 3", &["nothing may follow"]);
        check(
            "\" a\", retry = 3, queue(\"x\")",
            &["blanks around", "option `retry`", "option `queue`"],
        );
    }
}
