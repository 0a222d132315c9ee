//! Reads `#[request(POST, "https://…", answer = Sent, timeout = "5s", idempotent)]` above the struct.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Attribute, DeriveInput, Lit, LitStr, Token, Type};

use super::address::Address;
use crate::known::KNOWN;
use crate::mistakes::Mistakes;
use crate::nearest::nearest;
use crate::value::{self, SHORTEST, Value};

/// How the attribute is written, for messages.
const FORM: &str = "#[request(GET, \"https://api.example.com/users/{id}\", answer = User)]";

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const OPTIONS: [&str; 3] = ["answer", "timeout", "idempotent"];

/// What is said of the request as a whole.
pub(super) struct Declared {
    pub(super) method: Ident,
    pub(super) address: Address,
    pub(super) answer: Option<Type>,
    /// An expression that is a `Duration`.
    pub(super) timeout: Option<TokenStream>,
    pub(super) is_idempotent: bool,
}

impl Declared {
    /// `None` if method or address are missing or cannot be read.
    pub(super) fn read(input: &DeriveInput, mistakes: &mut Mistakes) -> Option<Self> {
        let mut attributes = input.attrs.iter().filter(|attribute| is_ours(attribute));
        let Some(first) = attributes.next() else {
            mistakes.add_at(
                Span::call_site(),
                format!("a request needs its method and address: write `{FORM}`"),
            );
            return None;
        };
        for more in attributes {
            mistakes.add(more, "`#[request(..)]` is given twice: keep one of them");
        }
        let read = first.parse_args_with(|input: ParseStream<'_>| Self::parse(input, mistakes));
        mistakes.keep(read).flatten()
    }

    fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<Self>> {
        let method = method(input)?;
        input.parse::<Token![,]>().map_err(|_| {
            input.error(format!("expected the address after the method: write `{FORM}`"))
        })?;
        let address: LitStr = input
            .parse()
            .map_err(|_| input.error(format!("the address is a string literal: write `{FORM}`")))?;
        let address = mistakes.keep(Address::read(&address));
        let mut declared = Self {
            method,
            address: address.clone().unwrap_or_default(),
            answer: None,
            timeout: None,
            is_idempotent: false,
        };
        let mut given = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key = input.call(Ident::parse_any)?;
            if given.contains(&key) {
                return Err(syn::Error::new(
                    key.span(),
                    format!("option `{key}` is given twice: keep one of them"),
                ));
            }
            declared.parse_option(&key, input)?;
            given.push(key);
        }
        Ok(address.map(|_| declared))
    }

    fn parse_option(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match key.to_string().as_str() {
            "answer" => {
                input.parse::<Token![=]>()?;
                self.answer = Some(input.parse()?);
            }
            "timeout" => {
                input.parse::<Token![=]>()?;
                self.timeout = Some(timeout(input.parse()?)?);
            }
            "idempotent" => self.is_idempotent = true,
            other => {
                let text = match nearest(other, OPTIONS) {
                    Some(name) => format!("unknown option `{other}`, did you mean `{name}`?"),
                    None => format!(
                        "unknown option `{other}`, known are `answer = Type`, `timeout = \"5s\"`, `idempotent`"
                    ),
                };
                return Err(syn::Error::new(key.span(), text));
            }
        }
        Ok(())
    }
}

/// Whether an attribute is `#[request(..)]`.
pub(super) fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().is_ident("request")
}

fn method(input: ParseStream<'_>) -> syn::Result<Ident> {
    let expected = "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS";
    let Ok(method) = input.call(Ident::parse_any) else {
        return Err(input.error(format!("the method comes first, {expected}: write `{FORM}`")));
    };
    let (written, upper) = (method.to_string(), method.to_string().to_uppercase());
    if METHODS.contains(&written.as_str()) {
        return Ok(method);
    }
    let text = if METHODS.contains(&upper.as_str()) {
        format!("a method is written in capitals: write `{upper}`")
    } else {
        format!("`{written}` is no method of a request, expected {expected}")
    };
    Err(syn::Error::new(method.span(), text))
}

fn timeout(literal: Lit) -> syn::Result<TokenStream> {
    let known = KNOWN.iter().find(|known| known.name == "timeout").expect("a job has it, too");
    let value = match literal {
        Lit::Str(text) => Value::Text(text),
        Lit::Int(number) => Value::Whole(number),
        other => Value::Other(quote::ToTokens::into_token_stream(other)),
    };
    value::duration(known, &value, SHORTEST)
}
