//! Puts the expansion together: the function as written, then its registration or its mistakes.
//!
//! For `#[job("send_report")] async fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult`
//! the registration reads, paths shortened:
//!
//! ```ignore
//! const _: () = {
//!     fn __run(invocation: Invocation) -> JobFuture {
//!         Box::pin(async move {
//!             let Invocation { task_key, args, context } = invocation;
//!             let task_key = <&str as FromTaskKey>::from_task_key(&task_key);
//!             let args = <Args as FromArgs>::from_args(&args)?;
//!             let context = <Context as FromContext>::from_context(context);
//!             let outcome = send_report(task_key, args, context).await;
//!             IntoJobResult::into_job_result(outcome)
//!         })
//!     }
//!     inventory::submit! { JobDescriptor { name: "send_report", run: __run, .. } }
//! };
//! ```

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, ItemFn, LitStr, ReturnType};

use crate::mistakes::Mistakes;
use crate::signature::ParameterTypes;
use crate::{name, signature};

/// The whole expansion of `#[job(<brackets>)] <item>`.
pub(crate) fn expand(brackets: TokenStream, item: TokenStream) -> TokenStream {
    let (name, mut mistakes) = name::read(brackets);
    let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
        mistakes.add(
            Span::call_site(),
            "`#[job]` belongs on a function: write `#[job(\"send_report\")] async fn \
             send_report(task_key: &str, args: Args, ctx: Context) -> JobResult { .. }`",
        );
        let mistakes = mistakes.into_compile_errors();
        return quote! { #item #mistakes };
    };
    let (types, signature_mistakes) = signature::read(&function);
    mistakes.merge(signature_mistakes);

    let registration = match (name, types) {
        (Some(name), Some(types)) if mistakes.is_empty() => register(&name, &function, &types),
        (_, Some(types)) => check_types_only(&function, &types, mistakes),
        (_, None) => mistakes.into_compile_errors(),
    };
    quote! { #item #registration }
}

fn register(name: &LitStr, function: &ItemFn, types: &ParameterTypes<'_>) -> TokenStream {
    let conditions = conditions(function);
    let run = run(function, types);
    let ident = &function.sig.ident;
    let path_end = format!("::{ident}");
    let args = types.args;
    let check_args = quote_spanned! {args.span()=>
        ::scheduler_core::__private::check_args::<#args>
    };
    // At the function's own place: `line!()` answers for the place where its tokens stand.
    let file = quote_spanned! {ident.span()=> ::std::file!() };
    let line = quote_spanned! {ident.span()=> ::std::line!() };
    quote! {
        #(#conditions)*
        const _: () = {
            #run

            ::scheduler_core::__private::inventory::submit! {
                ::scheduler_core::job::JobDescriptor {
                    name: #name,
                    function: ::std::concat!(::std::module_path!(), #path_end),
                    file: #file,
                    line: #line,
                    run: __run,
                    check_args: #check_args,
                }
            }
        };
    }
}

fn run(function: &ItemFn, types: &ParameterTypes<'_>) -> TokenStream {
    let ident = &function.sig.ident;
    let ParameterTypes {
        task_key,
        args,
        context,
    } = types;
    let to_task_key = quote_spanned! {task_key.span()=>
        <#task_key as ::scheduler_core::job::FromTaskKey<'_>>::from_task_key
    };
    let to_args = quote_spanned! {args.span()=>
        <#args as ::scheduler_core::job::FromArgs>::from_args
    };
    let to_context = quote_spanned! {context.span()=>
        <#context as ::scheduler_core::job::FromContext>::from_context
    };
    let returned = match &function.sig.output {
        ReturnType::Default => Span::mixed_site(),
        ReturnType::Type(_, type_) => type_.span(),
    };
    let to_result = quote_spanned! {returned=>
        ::scheduler_core::job::IntoJobResult::into_job_result
    };
    // Mixed site: these variables are not the user's, even if the function is called `args`.
    quote_spanned! {Span::mixed_site()=>
        fn __run(
            invocation: ::scheduler_core::job::Invocation,
        ) -> ::scheduler_core::job::JobFuture {
            ::std::boxed::Box::pin(async move {
                let ::scheduler_core::job::Invocation { task_key, args, context } = invocation;
                let task_key = #to_task_key(&task_key);
                let args = #to_args(&args)?;
                let context = #to_context(context);
                let outcome = #ident(task_key, args, context).await;
                #to_result(outcome)
            })
        }
    }
}

/// The mistakes, and the question whether the types fit, so that all is answered at once.
fn check_types_only(
    function: &ItemFn,
    types: &ParameterTypes<'_>,
    mistakes: Mistakes,
) -> TokenStream {
    let conditions = conditions(function);
    let mistakes = mistakes.into_compile_errors();
    let ParameterTypes {
        task_key,
        args,
        context,
    } = types;
    let task_key = quote_spanned! {task_key.span()=>
        ::scheduler_core::__private::require_task_key::<#task_key>();
    };
    let args = quote_spanned! {args.span()=>
        ::scheduler_core::__private::require_args::<#args>();
    };
    let context = quote_spanned! {context.span()=>
        ::scheduler_core::__private::require_context::<#context>();
    };
    quote! {
        #mistakes
        #(#conditions)*
        const _: fn() = || { #task_key #args #context };
    }
}

/// The `#[cfg]` attributes below `#[job]`: a function left out leaves its registration out.
fn conditions(function: &ItemFn) -> Vec<&Attribute> {
    let is_condition = |attribute: &&Attribute| attribute.path().is_ident("cfg");
    function.attrs.iter().filter(is_condition).collect()
}
