//! Reads the function under `#[job]`: what can be told wrong from its text alone.
//!
//! Whether a type implements the trait of its place is not told here; see [`crate::expand`].

use quote::ToTokens;
use syn::{FnArg, ItemFn, Safety, Signature, Type};

use crate::mistakes::Mistakes;

/// What a job takes, as it is shown in messages.
const PARAMETERS: &str = "(task_key: &str, args: Args, ctx: Context)";

/// The types of the three parameters, in their order.
pub(crate) struct ParameterTypes<'f> {
    pub(crate) task_key: &'f Type,
    pub(crate) args: &'f Type,
    pub(crate) context: &'f Type,
}

/// The parameter types and everything that is wrong with the signature.
///
/// The types are given wherever naming them again outside the function means the same, even if
/// something else is wrong, so that a wrong type is reported together with it.
pub(crate) fn read(function: &ItemFn) -> (Option<ParameterTypes<'_>>, Mistakes) {
    let signature = &function.sig;
    let mut mistakes = Mistakes::default();
    check_modifiers(signature, &mut mistakes);

    let mut shape = Mistakes::default();
    check_generics(signature, &mut shape);
    let types = read_parameters(signature, &mut shape);
    let types = types.filter(|_| shape.is_empty());
    mistakes.merge(shape);
    (types, mistakes)
}

fn check_modifiers(signature: &Signature, mistakes: &mut Mistakes) {
    let name = &signature.ident;
    if signature.asyncness.is_none() {
        mistakes.add(
            signature.fn_token,
            format!("a job is async: write `async fn {name}{PARAMETERS} -> JobResult`"),
        );
    }
    if let Safety::Unsafe(keyword) = &signature.safety {
        mistakes.add(keyword, format!("a job is a safe function: write `async fn {name}`"));
    }
    if let Some(abi) = &signature.abi {
        mistakes.add(abi, format!("a job is a plain Rust function: write `async fn {name}`"));
    }
}

fn check_generics(signature: &Signature, mistakes: &mut Mistakes) {
    let name = &signature.ident;
    if !signature.generics.params.is_empty() {
        mistakes.add(
            &signature.generics,
            format!(
                "a job has no generic parameters, since a row of `task` cannot choose them: \
                 write `async fn {name}{PARAMETERS} -> JobResult`"
            ),
        );
    }
}

fn read_parameters<'f>(
    signature: &'f Signature,
    mistakes: &mut Mistakes,
) -> Option<ParameterTypes<'f>> {
    let mut types = Vec::new();
    for parameter in &signature.inputs {
        match parameter {
            FnArg::Receiver(receiver) => mistakes.add(
                receiver,
                format!(
                    "a job is a free function, not a method: write `async fn {}{PARAMETERS} -> \
                     JobResult` outside of the `impl`",
                    signature.ident
                ),
            ),
            FnArg::Typed(parameter) => types.push(&*parameter.ty),
        }
    }
    for type_ in &types {
        check_type(type_, mistakes);
    }
    if let [task_key, args, context] = types[..] {
        return Some(ParameterTypes { task_key, args, context });
    }
    let text = format!(
        "a job takes three parameters, this one takes {}: write `{PARAMETERS}`",
        types.len()
    );
    match types.get(3) {
        Some(first_extra) => mistakes.add(first_extra, text),
        None => mistakes.add_at(signature.paren_token.span.join(), text),
    }
    None
}

fn check_type(type_: &Type, mistakes: &mut Mistakes) {
    match type_ {
        Type::ImplTrait(_) => mistakes.add(
            type_,
            format!(
                "a job has no generic parameters, and `impl Trait` is one: write `{PARAMETERS}`"
            ),
        ),
        Type::Reference(reference) => {
            if let Some(lifetime) = reference.lifetime.as_ref().filter(|l| l.ident == "static") {
                let short = reference.elem.to_token_stream();
                mistakes.add(
                    lifetime,
                    format!("a job borrows for the time of one run: write `&{short}`"),
                );
            }
        }
        _ => {}
    }
}
