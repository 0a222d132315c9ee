//! Reads the name of a job, which stands first in the brackets.

use proc_macro2::{Span, TokenStream};
use syn::LitStr;
use syn::parse::{ParseStream, Parser};

use crate::mistakes::Mistakes;
use crate::options;

/// `task.execute_func` is a `varchar(255)`, which counts characters, not bytes.
const MAX_CHARS: usize = 255;

/// Takes the name out of the pieces of the brackets; what is left are the options.
pub(crate) fn take(pieces: &mut Vec<TokenStream>, mistakes: &mut Mistakes) -> Option<LitStr> {
    let Some(first) = pieces.first() else {
        mistakes.add_at(Span::call_site(), "a job needs a name: write `#[job(\"send_report\")]`");
        return None;
    };
    let Some((name, rest)) = literal(first) else {
        return take_elsewhere(pieces, mistakes);
    };
    pieces.remove(0);
    check(&name, mistakes);
    if !rest.is_empty() {
        let text = name.value();
        let option = if options::is_known(&rest) {
            rest.to_string()
        } else {
            "timeout = \"30s\"".to_owned()
        };
        let text = format!("expected `,` before `{rest}`: write `#[job({text:?}, {option})]`");
        mistakes.add(rest, text);
    }
    Some(name)
}

/// The name is not first: it may follow, be missing, or be something else than a literal.
fn take_elsewhere(pieces: &mut Vec<TokenStream>, mistakes: &mut Mistakes) -> Option<LitStr> {
    let first = pieces[0].clone();
    let follows = pieces
        .iter()
        .position(|piece| matches!(literal(piece), Some((_, rest)) if rest.is_empty()));
    if let Some((name, _)) = follows.and_then(|at| literal(&pieces.remove(at))) {
        let text = name.value();
        mistakes.add(
            &name,
            format!("the name of a job comes first: write `#[job({text:?}, {first})]`"),
        );
        return Some(name);
    }
    if options::is_known(&first) {
        mistakes
            .add(&first, format!("a job needs a name: write `#[job(\"send_report\", {first})]`"));
    } else {
        pieces.remove(0);
        mistakes.add(
            first,
            "the name of a job is a string literal and comes first: write `#[job(\"send_report\")]`",
        );
    }
    None
}

/// The string that a piece begins with, and what follows it.
fn literal(piece: &TokenStream) -> Option<(LitStr, TokenStream)> {
    let read = |input: ParseStream<'_>| Ok((input.parse()?, input.parse()?));
    read.parse2(piece.clone()).ok()
}

fn check(name: &LitStr, mistakes: &mut Mistakes) {
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
