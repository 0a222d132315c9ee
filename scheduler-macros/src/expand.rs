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
//!     fn __check_args(args: &Args) -> Result<(), ArgsError> {
//!         <Args as FromArgs>::from_args(args).map(drop)
//!     }
//!     inventory::submit! { JobDescriptor { name: "send_report", run: __run, .. } }
//! };
//! ```

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemFn, LitStr, ReturnType};

use crate::mistakes::Mistakes;
use crate::signature::ParameterTypes;
use crate::{name, signature};

/// The whole expansion of `#[job(<brackets>)] <item>`.
pub(crate) fn expand(brackets: TokenStream, item: &TokenStream) -> TokenStream {
    let (name, mut mistakes) = name::read(brackets);
    let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
        mistakes.add_at(
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
        (_, Some(types)) => check_types_only(&types, mistakes),
        (_, None) => mistakes.into_compile_errors(),
    };
    quote! { #item #registration }
}

fn register(name: &LitStr, function: &ItemFn, types: &ParameterTypes<'_>) -> TokenStream {
    let functions = functions(function, &Readers::of(types));
    let ident = &function.sig.ident;
    let path_end = format!("::{ident}");
    let args = types.args.to_token_stream().to_string();
    // At the function's own place: `line!()` answers for the place where its tokens stand.
    let file = quote_spanned! {ident.span()=> ::std::file!() };
    let line = quote_spanned! {ident.span()=> ::std::line!() };
    quote! {
        const _: () = {
            #functions

            ::scheduler_core::__private::inventory::submit! {
                ::scheduler_core::job::JobDescriptor {
                    name: #name,
                    function: ::std::concat!(::std::module_path!(), #path_end),
                    file: #file,
                    line: #line,
                    args: #args,
                    options: ::scheduler_core::job::JobOptions::NONE,
                    body: ::scheduler_core::job::Body::Async(__run),
                    check_args: __check_args,
                }
            }
        };
    }
}

/// `__run` and `__check_args`.
fn functions(function: &ItemFn, readers: &Readers) -> TokenStream {
    let ident = &function.sig.ident;
    let Readers { task_key, args, context } = readers;
    // Mixed site: these variables are not the user's, even if the function is called `args`.
    let returned = match &function.sig.output {
        ReturnType::Default => Span::mixed_site(),
        ReturnType::Type(_, type_) => Span::mixed_site().located_at(type_.span()),
    };
    let result = quote_spanned! {returned=>
        ::scheduler_core::job::IntoJobResult::into_job_result(outcome)
    };
    quote_spanned! {Span::mixed_site().located_at(ident.span())=>
        fn __run(
            invocation: ::scheduler_core::job::Invocation,
        ) -> ::scheduler_core::job::JobFuture {
            ::std::boxed::Box::pin(async move {
                let ::scheduler_core::job::Invocation { task_key, args, context } = invocation;
                let task_key = #task_key(&task_key);
                let args = #args(&args)?;
                let context = #context(context);
                let outcome = #ident(task_key, args, context).await;
                #result
            })
        }

        fn __check_args(
            args: &::scheduler_core::job::Args,
        ) -> ::std::result::Result<(), ::scheduler_core::job::ArgsError> {
            #args(args).map(::std::mem::drop)
        }
    }
}

/// The mistakes, and the question whether the types fit, so that all is answered at once.
fn check_types_only(types: &ParameterTypes<'_>, mistakes: Mistakes) -> TokenStream {
    let mistakes = mistakes.into_compile_errors();
    let Readers { task_key, args, context } = Readers::of(types);
    quote! {
        #mistakes
        const _: fn() = || {
            let _ = (#task_key, #args, #context);
        };
    }
}

/// For each parameter the function that makes its type of what the runtime has.
///
/// Each stands at the place of the type. What names one twice does so with these same tokens, and
/// the compiler then reports a wrong type once.
struct Readers {
    task_key: TokenStream,
    args: TokenStream,
    context: TokenStream,
}

impl Readers {
    fn of(types: &ParameterTypes<'_>) -> Self {
        let ParameterTypes { task_key, args, context } = types;
        Self {
            task_key: quote_spanned! {task_key.span()=>
                <#task_key as ::scheduler_core::job::FromTaskKey<'_>>::from_task_key
            },
            args: quote_spanned! {args.span()=>
                <#args as ::scheduler_core::job::FromArgs>::from_args
            },
            context: quote_spanned! {context.span()=>
                <#context as ::scheduler_core::job::FromContext>::from_context
            },
        }
    }
}
