//! Reads the options of a job and puts together the `JobOptions` they become.
//!
//! `known` lists them, `value` reads what stands behind the `=` of one.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};

use crate::known::{KNOWN, Kind, Known};
use crate::mistakes::Mistakes;
use crate::nearest::nearest;
use crate::value::{self, Value};

/// How the function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// It is an `async fn`.
    Async,
    /// It is a plain `fn` under `blocking`.
    Blocking,
}

/// The options that were given.
pub(crate) struct Options {
    pub(crate) body: BodyKind,
    /// `timeout: Some(..),` and so on: the fields of `JobOptions` that are not `None`.
    fields: TokenStream,
    /// How many of them there are.
    count: usize,
}

impl Options {
    /// Reads the pieces that follow the name.
    pub(crate) fn read(pieces: Vec<TokenStream>, mistakes: &mut Mistakes) -> Self {
        let mut options = Self { body: BodyKind::Async, fields: TokenStream::new(), count: 0 };
        let mut given = Vec::new();
        for piece in pieces {
            let Some((key, rest)) = mistakes.keep(split(piece)) else { continue };
            let Some(known) = mistakes.keep(find(&key)) else { continue };
            if given.contains(&known.name) {
                mistakes
                    .add(key, format!("option `{}` is given twice: keep one of them", known.name));
                continue;
            }
            given.push(known.name);
            options.add(known, &key, rest, mistakes);
        }
        options
    }

    fn add(&mut self, known: &Known, key: &Ident, rest: TokenStream, mistakes: &mut Mistakes) {
        if matches!(known.kind, Kind::Bare) {
            // Also if its form is wrong: a plain `fn` below is then no second mistake.
            self.body = BodyKind::Blocking;
            if !rest.is_empty() {
                let name = known.name;
                mistakes.add(rest, format!("`{name}` takes no value: write `{name}`"));
            }
            return;
        }
        let value = Value::read(known, key, rest).and_then(|value| known.field(&value));
        if let Some(value) = mistakes.keep(value) {
            let field = format_ident!("{}", known.name);
            self.fields.extend(quote! { #field: ::std::option::Option::Some(#value), });
            self.count += 1;
        }
    }

    /// The `JobOptions` of the descriptor.
    pub(crate) fn expand(&self) -> TokenStream {
        let fields = &self.fields;
        let options = quote! { ::scheduler_core::job::JobOptions };
        // All but `blocking` are fields. To take none from `NONE` would be a lint in the user's code.
        match self.count {
            0 => quote! { #options::NONE },
            count if count == KNOWN.len() - 1 => quote! { #options { #fields } },
            _ => quote! { #options { #fields ..#options::NONE } },
        }
    }
}

impl Known {
    /// The value of the option's field in `JobOptions`.
    fn field(&self, value: &Value) -> syn::Result<TokenStream> {
        match self.kind {
            Kind::Duration { shortest } => value::duration(self, value, shortest),
            Kind::Backoff => value::backoff(self, value),
            Kind::Count { least, most } => value::count(self, value, least..=most),
            Kind::Word { of, words } => value::word(self, value, of, words),
            Kind::Bare => Ok(TokenStream::new()),
        }
    }
}

/// Whether a piece of the brackets is an option, right or wrong.
pub(crate) fn is_known(piece: &TokenStream) -> bool {
    split(piece.clone()).is_ok_and(|(key, _)| find(&key).is_ok())
}

/// The key of an option, and what follows it.
fn split(piece: TokenStream) -> syn::Result<(Ident, TokenStream)> {
    let found = piece.clone();
    let read = |input: ParseStream<'_>| Ok((input.call(Ident::parse_any)?, input.parse()?));
    read.parse2(piece).map_err(|_| {
        let text = format!("expected an option such as `timeout = \"30s\"`, found `{found}`");
        syn::Error::new_spanned(found, text)
    })
}

/// What only a row says.
const OF_ROWS: [&str; 2] = ["coalesce", "timezone"];

fn find(key: &Ident) -> syn::Result<&'static Known> {
    if let Some(known) = KNOWN.iter().find(|known| key == known.name) {
        return Ok(known);
    }
    if OF_ROWS.iter().any(|name| key == name) {
        let text = format!("`{key}` is no option of a job: a row says it, in its `extra`");
        return Err(syn::Error::new_spanned(key, text));
    }
    let names = KNOWN.iter().map(|known| known.name);
    let text = match nearest(&key.to_string(), names.clone()) {
        Some(name) => format!("unknown option `{key}`, did you mean `{name}`?"),
        None => {
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            format!("unknown option `{key}`, known are {}", names.join(", "))
        }
    };
    Err(syn::Error::new_spanned(key, text))
}
