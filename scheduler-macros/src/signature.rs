//! Reads the function under `#[job]`: what can be told wrong from its text alone.
//!
//! Whether a type implements the trait of its place is not told here; see [`crate::expand`].

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, ItemFn, ReturnType, Safety, Signature, Type};

use crate::mistakes::Mistakes;
use crate::options::BodyKind;

/// What a job takes, as it is shown in messages.
const PARAMETERS: &str = "(task_key: &str, args: Args, ctx: Context)";

/// Which of them is `args`.
const ARGS: usize = 1;

/// The types in the signature. A type is left out if it is missing or wrong, and where naming it
/// again outside of the function would mean something else.
#[derive(Default)]
pub(crate) struct Types<'f> {
    pub(crate) task_key: Option<&'f Type>,
    pub(crate) args: Option<&'f Type>,
    pub(crate) context: Option<&'f Type>,
    /// Left out for a function that returns nothing, too.
    pub(crate) returned: Option<&'f Type>,
}

/// The types and everything that is wrong with the signature.
///
/// Types are given even if something else is wrong, so that the compiler reports a wrong type
/// together with it.
pub(crate) fn read(function: &ItemFn, body: BodyKind) -> (Types<'_>, Mistakes) {
    let signature = &function.sig;
    let mut mistakes = Mistakes::default();
    check_modifiers(signature, body, &mut mistakes);
    let is_free = check_free(signature, body, &mut mistakes);
    let mut types = read_parameters(signature, &mut mistakes);
    types.returned = read_return(signature, &mut mistakes);
    (if is_free { types } else { Types::default() }, mistakes)
}

/// The first line of a right function of this name.
fn form(signature: &Signature, body: BodyKind) -> String {
    format!("{} {}{PARAMETERS} -> JobResult", keywords(body), signature.ident)
}

fn keywords(body: BodyKind) -> &'static str {
    match body {
        BodyKind::Async => "async fn",
        BodyKind::Blocking => "fn",
    }
}

fn check_modifiers(signature: &Signature, body: BodyKind, mistakes: &mut Mistakes) {
    let (name, keywords) = (&signature.ident, keywords(body));
    match (&signature.asyncness, body) {
        (None, BodyKind::Async) => mistakes.add(
            signature.fn_token,
            format!(
                "a job is async: write `{}`, or keep the plain `fn` and say that it blocks its \
                 thread: `#[job(\"..\", blocking)]`",
                form(signature, body)
            ),
        ),
        (Some(keyword), BodyKind::Blocking) => mistakes.add(
            keyword,
            format!("a `blocking` job is a plain `fn`: write `{}`", form(signature, body)),
        ),
        (Some(_), BodyKind::Async) | (None, BodyKind::Blocking) => {}
    }
    if let Safety::Unsafe(keyword) = &signature.safety {
        mistakes.add(keyword, format!("a job is a safe function: write `{keywords} {name}`"));
    }
    if let Some(abi) = &signature.abi {
        mistakes.add(abi, format!("a job is a plain Rust function: write `{keywords} {name}`"));
    }
}

/// Whether the function stands on its own: not in an `impl`, and without generic parameters.
fn check_free(signature: &Signature, body: BodyKind, mistakes: &mut Mistakes) -> bool {
    let form = form(signature, body);
    let is_generic = !signature.generics.params.is_empty();
    if is_generic {
        mistakes.add(
            &signature.generics,
            format!(
                "a job has no generic parameters, since a row of `task` cannot choose them: \
                 write `{form}`"
            ),
        );
    }
    let receiver = signature.receiver();
    if let Some(receiver) = receiver {
        mistakes.add(
            receiver,
            format!("a job is a free function, not a method: write `{form}` outside of the `impl`"),
        );
    }
    !is_generic && receiver.is_none()
}

fn read_parameters<'f>(signature: &'f Signature, mistakes: &mut Mistakes) -> Types<'f> {
    let types: Vec<&Type> = signature.inputs.iter().filter_map(type_of).collect();
    let check = |index: usize, type_| {
        check_type(type_).and_then(|()| if index == ARGS { check_owned(type_) } else { Ok(()) })
    };
    let right: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(index, type_)| mistakes.keep(check(index, type_)).map(|()| *type_))
        .collect();
    if let [task_key, args, context] = right[..] {
        return Types { task_key, args, context, returned: None };
    }
    let text = format!(
        "a job takes three parameters, this one takes {}: write `{PARAMETERS}`",
        types.len()
    );
    match types.get(3) {
        Some(first_extra) => mistakes.add(first_extra, text),
        None => mistakes.add_at(signature.paren_token.span.join(), text),
    }
    Types::default()
}

fn type_of(parameter: &FnArg) -> Option<&Type> {
    match parameter {
        FnArg::Receiver(_) => None,
        FnArg::Typed(parameter) => Some(&parameter.ty),
    }
}

fn check_type(type_: &Type) -> syn::Result<()> {
    let text = match type_ {
        Type::ImplTrait(_) => format!(
            "a job has no generic parameters, and `impl Trait` is one: write `{PARAMETERS}`"
        ),
        Type::Reference(reference) => match &reference.lifetime {
            Some(lifetime) if lifetime.ident == "static" => {
                let short = reference.elem.to_token_stream();
                return Err(syn::Error::new_spanned(
                    lifetime,
                    format!("a job borrows for the time of one run: write `&{short}`"),
                ));
            }
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    Err(syn::Error::new_spanned(type_, text))
}

/// Whether the type of `args` borrows nothing: asked here, since of a lifetime the compiler speaks in riddles.
fn check_owned(type_: &Type) -> syn::Result<()> {
    // A lifetime with a name of its own is a generic parameter, and said there.
    let borrows = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() == '&',
        TokenTree::Ident(word) => word == "_",
        _ => false,
    };
    if !has_token(type_.to_token_stream(), &borrows) {
        return Ok(());
    }
    let text = "the `args` of a job are owned: write `String` for `&str`, `Vec<T>` for `&[T]`, `Args` for `&Args`, \
                and a struct without a lifetime";
    Err(syn::Error::new_spanned(type_, text))
}

fn read_return<'f>(signature: &'f Signature, mistakes: &mut Mistakes) -> Option<&'f Type> {
    let ReturnType::Type(_, type_) = &signature.output else { return None };
    if matches!(**type_, Type::Never(_)) {
        mistakes.add(type_, "a job comes to an end: write `-> JobResult`, or return nothing");
        return None;
    }
    if has_impl(type_.to_token_stream()) {
        mistakes.add(
            type_,
            "what a job returns is written out, not `impl Trait`: write `-> JobResult`, or \
             another `Result<(), E>`",
        );
        return None;
    }
    Some(type_)
}

/// Whether `impl Trait` is in a type, at any depth.
fn has_impl(type_: TokenStream) -> bool {
    has_token(type_, &|token| matches!(token, TokenTree::Ident(word) if word == "impl"))
}

/// Whether one of the tokens is the wanted one, at any depth.
fn has_token(tokens: TokenStream, is_wanted: &dyn Fn(&TokenTree) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => has_token(group.stream(), is_wanted),
        token => is_wanted(&token),
    })
}
