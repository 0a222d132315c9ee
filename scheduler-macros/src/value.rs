//! Reads what stands behind the `=` of an option, and says of a wrong value what would be right.
//!
//! Every message names the option, shows the value and what was expected, and ends with the form to
//! write: the value itself in its right form where that can be told, else an example.

use std::ops::RangeInclusive;
use std::time::Duration;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Lit, LitInt, LitStr};

use crate::duration;
use crate::known::{Known, LONGEST};
use crate::nearest::nearest;

/// What a duration of an option may be at least, unless the option says more.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// A value as it is written.
pub(crate) enum Value {
    Text(LitStr),
    /// With its suffix, as in `30s`.
    Whole(LitInt),
    /// Anything else.
    Other(TokenStream),
}

impl Value {
    /// Reads the value out of what follows the option's key: `= "30s"`.
    pub(crate) fn read(known: &Known, key: &Ident, rest: TokenStream) -> syn::Result<Self> {
        let Known { name, form, .. } = known;
        let mut tokens = rest.clone().into_iter();
        match tokens.next() {
            Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {}
            Some(_) => {
                return Err(mistake(rest, format!("expected `=` after `{name}`: write `{form}`")));
            }
            None => return Err(mistake(key, format!("`{name}` needs a value: write `{form}`"))),
        }
        let value: TokenStream = tokens.collect();
        if value.is_empty() {
            return Err(mistake(rest, format!("`{name}` needs a value: write `{form}`")));
        }
        let read = |input: ParseStream<'_>| Ok((input.parse::<Lit>()?, input.parse()?));
        let (literal, rest): (Lit, TokenStream) = match read.parse2(value.clone()) {
            Ok(read) => read,
            Err(_) => return Ok(Self::Other(value)),
        };
        match (&literal, rest.clone().into_iter().next()) {
            (Lit::Str(text), None) => Ok(Self::Text(text.clone())),
            (Lit::Int(number), None) => Ok(Self::Whole(number.clone())),
            // Where a word follows, it is the next option rather than a part of this value.
            (_, Some(TokenTree::Ident(_))) => {
                let value = literal.to_token_stream();
                let text =
                    format!("expected `,` before `{rest}`: write `{name} = {value}, {rest}`");
                Err(mistake(rest, text))
            }
            _ => Ok(Self::Other(value)),
        }
    }

    fn seconds_or_text(&self) -> Option<Duration> {
        match self {
            Self::Text(text) => duration::parse(&text.value()),
            Self::Whole(_) => self.whole().map(Duration::from_secs),
            Self::Other(_) => None,
        }
    }

    /// The number; what is too large for its type is out of every range as well.
    fn whole(&self) -> Option<u64> {
        match self {
            Self::Whole(number) if number.suffix().is_empty() => {
                Some(number.base10_parse().unwrap_or(u64::MAX))
            }
            _ => None,
        }
    }

    /// What stands in the quotes, or would if there were any.
    fn unquoted(&self) -> String {
        match self {
            Self::Text(text) => text.value(),
            Self::Whole(number) => number.to_string(),
            Self::Other(tokens) => as_written(tokens),
        }
    }

    /// As a message shows it.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{:?}", text.value()),
            Self::Whole(number) => number.to_string(),
            Self::Other(tokens) => format!("`{}`", as_written(tokens)),
        }
    }

    /// The mistake that this value is not what `known` expects.
    fn wrong(&self, known: &Known, expected: &str, form: &str) -> syn::Error {
        let text =
            format!("`{}` is {}, expected {expected}: write `{form}`", known.name, self.shown());
        mistake(self, text)
    }
}

impl ToTokens for Value {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Whole(number) => number.to_tokens(tokens),
            Self::Other(other) => other.to_tokens(tokens),
        }
    }
}

impl Known {
    /// The form to write in place of `value`: the same in quotes, if that is right.
    fn form_of(&self, value: &Value, is_right: impl FnOnce(&str) -> bool) -> String {
        let unquoted = value.unquoted();
        if is_right(&unquoted) {
            format!("{} = {unquoted:?}", self.name)
        } else {
            self.form.to_owned()
        }
    }
}

/// A span of time from `shortest` to [`LONGEST`].
pub(crate) fn duration(
    known: &Known,
    value: &Value,
    shortest: Duration,
) -> syn::Result<TokenStream> {
    let Some(span) = value.seconds_or_text() else {
        let form = known.form_of(value, |unquoted| duration::parse(unquoted).is_some());
        let expected = "a duration such as \"250ms\", \"30s\" or \"1h30m\", or whole seconds";
        return Err(value.wrong(known, expected, &form));
    };
    if !(shortest..=LONGEST).contains(&span) {
        let shortest = humantime::format_duration(shortest);
        let expected = format!("{shortest} to 366d");
        return Err(value.wrong(known, &expected, known.form));
    }
    Ok(expand_duration(span))
}

/// The first wait and the longest; one value is both.
pub(crate) fn backoff(known: &Known, value: &Value) -> syn::Result<TokenStream> {
    let ends = match value {
        Value::Text(text) => read_ends(&text.value()),
        _ => value.seconds_or_text().map(|span| (span, span)),
    };
    let Some((from, to)) = ends else {
        let form = known.form_of(value, |unquoted| read_ends(unquoted).is_some());
        let expected = "one duration, or the first wait and the longest with `..` between";
        return Err(value.wrong(known, expected, &form));
    };
    if !(SHORTEST..=LONGEST).contains(&from) || !(SHORTEST..=LONGEST).contains(&to) {
        return Err(value.wrong(known, "waits of 1ms to 366d", known.form));
    }
    if from > to {
        let unquoted = value.unquoted();
        let (from, to) = unquoted.split_once("..").unwrap_or_default();
        let form = format!("{} = \"{}..{}\"", known.name, to.trim(), from.trim());
        return Err(value.wrong(known, "the first wait to be the shorter one", &form));
    }
    let (from, to) = (expand_duration(from), expand_duration(to));
    Ok(quote! { ::scheduler_core::job::Backoff { from: #from, to: #to } })
}

fn read_ends(text: &str) -> Option<(Duration, Duration)> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    Some((duration::parse(from)?, duration::parse(to)?))
}

fn expand_duration(span: Duration) -> TokenStream {
    let (secs, nanos) = (span.as_secs(), span.subsec_nanos());
    quote! { ::std::time::Duration::new(#secs, #nanos) }
}

/// A whole number in `range`.
pub(crate) fn count(
    known: &Known,
    value: &Value,
    range: RangeInclusive<u32>,
) -> syn::Result<TokenStream> {
    let in_range = |number: u64| u32::try_from(number).ok().filter(|count| range.contains(count));
    if let Some(count) = value.whole().and_then(in_range) {
        return Ok(quote! { #count });
    }
    let form = match value.unquoted().parse().ok().and_then(in_range) {
        Some(count) => format!("{} = {count}", known.name),
        None => known.form.to_owned(),
    };
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    Err(value.wrong(known, &expected, &form))
}

/// One of some words, each of which stands for a variant of the enum `of`.
pub(crate) fn word(
    known: &Known,
    value: &Value,
    of: &str,
    words: &[(&'static str, &'static str)],
) -> syn::Result<TokenStream> {
    let unquoted = value.unquoted();
    let found = words.iter().find(|(word, _)| *word == unquoted);
    if let (Value::Text(_), Some((_, variant))) = (value, found) {
        let (of, variant) = (format_ident!("{of}"), format_ident!("{variant}"));
        return Ok(quote! { ::scheduler_core::job::#of::#variant });
    }
    let expected = one_of(words.iter().map(|(word, _)| format!("{word:?}")).collect());
    let form = match nearest(&unquoted, words.iter().map(|(word, _)| *word)) {
        Some(word) => format!("{} = {word:?}", known.name),
        None => known.form.to_owned(),
    };
    Err(value.wrong(known, &expected, &form))
}

/// `a, b or c`.
fn one_of(mut words: Vec<String>) -> String {
    let last = words.pop().unwrap_or_default();
    format!("{} or {last}", words.join(", "))
}

/// Without the blanks that the compiler puts between all tokens.
fn as_written(tokens: &TokenStream) -> String {
    let is_word = |token: &TokenTree| matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
    let mut text = String::new();
    let mut follows_word = false;
    for token in tokens.clone() {
        if follows_word && is_word(&token) {
            text.push(' ');
        }
        follows_word = is_word(&token);
        text.push_str(&token.to_string());
    }
    text
}

fn mistake(place: impl ToTokens, text: String) -> syn::Error {
    syn::Error::new_spanned(place, text)
}
