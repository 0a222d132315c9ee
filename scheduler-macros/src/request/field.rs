//! Reads `#[request(json, name = "to")]` above a field.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{LitStr, Token, Type};

use super::declared::is_ours;
use crate::mistakes::Mistakes;
use crate::nearest::nearest;

/// Where a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Json,
    Form,
    Header,
}

const PLACES: [(&str, Place); 5] = [
    ("path", Place::Path),
    ("query", Place::Query),
    ("json", Place::Json),
    ("form", Place::Form),
    ("header", Place::Header),
];

impl Place {
    /// As it is written, and as the method of `Parts` is called.
    pub(super) fn name(self) -> &'static str {
        PLACES.iter().find(|(_, place)| *place == self).expect("each has a name").0
    }

    pub(super) fn ident(self, span: Span) -> Ident {
        Ident::new(self.name(), span)
    }
}

/// A field whose value goes somewhere.
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) place: Place,
    /// What it is called there.
    pub(super) name: LitStr,
}

impl Field {
    /// `None`, and a mistake, if it cannot be told where the value goes.
    pub(super) fn read(field: &syn::Field, mistakes: &mut Mistakes) -> Option<Self> {
        let ident = field.ident.clone().expect("the fields have names");
        let mut attributes = field.attrs.iter().filter(|attribute| is_ours(attribute));
        let Some(first) = attributes.next() else {
            let text = format!(
                "it is not said where `{ident}` goes: write `#[request(path)]`, or `query`, `json`, `form`, `header`"
            );
            mistakes.add(&ident, text);
            return None;
        };
        let read = first.parse_args_with(|input: ParseStream<'_>| parse(input, &ident));
        let read = mistakes.keep(read);
        for more in attributes {
            mistakes.add(more, format!("`{ident}` goes to one place: keep one `#[request(..)]`"));
        }
        let (place, name) = read?;
        Some(Self { ident, ty: field.ty.clone(), place, name })
    }

    /// Whether it is left out when there is no value. The name is all that a macro sees of a type.
    pub(super) fn is_option(&self) -> bool {
        is_called(&self.ty, "Option")
    }

    pub(super) fn is_list(&self) -> bool {
        is_called(&self.ty, "Vec")
            || matches!(&self.ty, Type::Slice(_) | Type::Array(_))
            || matches!(&self.ty, Type::Reference(to) if matches!(*to.elem, Type::Slice(_) | Type::Array(_)))
    }
}

fn is_called(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

fn parse(input: ParseStream<'_>, ident: &Ident) -> syn::Result<(Place, LitStr)> {
    let place = place(input)?;
    let mut name = None;
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            break;
        }
        let key = input.call(Ident::parse_any)?;
        if PLACES.iter().any(|(word, _)| key == word) {
            return Err(syn::Error::new(
                key.span(),
                format!("`{ident}` goes to one place: keep one of them"),
            ));
        }
        if key != "name" || name.is_some() {
            let text = format!("expected nothing more, or `name = \"..\"` once, found `{key}`");
            return Err(syn::Error::new(key.span(), text));
        }
        input.parse::<Token![=]>()?;
        let given: LitStr = input.parse()?;
        check_name(&given, place)?;
        name = Some(given);
    }
    let own = || {
        let own = ident.unraw().to_string();
        LitStr::new(&if place == Place::Header { own.replace('_', "-") } else { own }, ident.span())
    };
    Ok((place, name.unwrap_or_else(own)))
}

fn place(input: ParseStream<'_>) -> syn::Result<Place> {
    let Ok(word) = input.call(Ident::parse_any) else {
        return Err(input.error("expected `path`, `query`, `json`, `form` or `header`"));
    };
    if let Some((_, place)) = PLACES.iter().find(|(name, _)| word == name) {
        return Ok(*place);
    }
    let text = match nearest(&word.to_string(), PLACES.iter().map(|(name, _)| *name)) {
        Some(name) => format!("unknown place `{word}`, did you mean `{name}`?"),
        None => {
            format!("unknown place `{word}`, known are `path`, `query`, `json`, `form`, `header`")
        }
    };
    Err(syn::Error::new(word.span(), text))
}

fn check_name(name: &LitStr, place: Place) -> syn::Result<()> {
    let text = name.value();
    // RFC 9110, section 5.6.2: a token.
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.is_empty() {
        return Err(syn::Error::new(
            name.span(),
            "the name is empty, expected at least one character",
        ));
    }
    if place == Place::Header && !text.chars().all(is_token) {
        let text = format!("{text:?} cannot be the name of a header: write `name = \"x-api-key\"`");
        return Err(syn::Error::new(name.span(), text));
    }
    Ok(())
}
