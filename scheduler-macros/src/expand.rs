//! Puts the expansion together: the function as written, then its registration or its mistakes.
//!
//! For `#[job("send_report", retries = 3)] async fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult`
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
//!             let returned = send_report(task_key, args, context).await;
//!             <JobResult as JobReturn>::ASKED;
//!             (&&&&&&Returned::of(&returned)).job_result(returned)
//!         })
//!     }
//!     fn __check_args(args: &Args) -> Result<(), ArgsError> {
//!         <Args as FromArgs>::from_args(args).map(drop)
//!     }
//!     inventory::submit! {
//!         JobDescriptor {
//!             name: "send_report",
//!             options: JobOptions { retries: Some(3), ..JobOptions::NONE },
//!             body: Body::Async(__run),
//!             ..
//!         }
//!     }
//! };
//! ```
//!
//! Under `blocking`, `__run` returns a `JobResult`, and neither boxes nor awaits.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemFn, Token};

use crate::brackets::{self, Brackets};
use crate::mistakes::Mistakes;
use crate::options::BodyKind;
use crate::signature::{self, Types};

/// The whole expansion of `#[job(<brackets>)] <item>`.
pub(crate) fn expand(brackets: TokenStream, item: &TokenStream) -> TokenStream {
    let (brackets, mut mistakes) = brackets::read(brackets);
    let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
        mistakes.add_at(
            Span::call_site(),
            "`#[job]` belongs on a function: write `#[job(\"send_report\")] async fn \
             send_report(task_key: &str, args: Args, ctx: Context) -> JobResult { .. }`",
        );
        let mistakes = mistakes.into_compile_errors();
        return quote! { #item #mistakes };
    };
    let body = brackets.options.body;
    let (types, signature_mistakes) = signature::read(&function, body);
    mistakes.merge(signature_mistakes);
    if mistakes.is_empty() {
        let registration = register(&brackets, &function, &types);
        return quote! { #item #registration };
    }
    let mistakes = check_types_only(&types, mistakes);
    match body {
        BodyKind::Async => {
            let function = made_async(function);
            quote! { #function #mistakes }
        }
        BodyKind::Blocking => quote! { #item #mistakes },
    }
}

/// The function with the `async` that may be missing, so that an `.await` in it is no mistake more.
fn made_async(mut function: ItemFn) -> ItemFn {
    let signature = &mut function.sig;
    // A function that is both `const` and `async` is a mistake of its own.
    if signature.constness.is_none() {
        let span = signature.fn_token.span;
        signature.asyncness.get_or_insert(Token![async](span));
    }
    function
}

fn register(brackets: &Brackets, function: &ItemFn, types: &Types<'_>) -> TokenStream {
    let functions = functions(function, brackets.options.body, &Questions::of(types));
    let Brackets { name, options } = brackets;
    let ident = &function.sig.ident;
    let path_end = format!("::{ident}");
    let args = written(types.args);
    let body = match options.body {
        BodyKind::Async => quote! { ::scheduler_core::job::Body::Async },
        BodyKind::Blocking => quote! { ::scheduler_core::job::Body::Blocking },
    };
    let options = options.expand();
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
                    options: #options,
                    body: #body(__run),
                    check_args: __check_args,
                }
            }
        };
    }
}

/// A type as people write it: tokens print with blanks between them.
fn written(type_: impl ToTokens) -> String {
    let blanks = [(" < ", "<"), (" >", ">"), (" ,", ","), (" :: ", "::"), ("& ", "&")];
    blanks.iter().fold(type_.to_token_stream().to_string(), |text, (with, without)| {
        text.replace(with, without)
    })
}

/// `__run` and `__check_args`.
fn functions(function: &ItemFn, body: BodyKind, questions: &Questions) -> TokenStream {
    // At the function's name: there the compiler says that its future is not `Send`.
    let place = place(function);
    let args = &questions.args;
    let call = call(function, body, questions);
    let run = match body {
        BodyKind::Async => quote_spanned! {place=>
            -> ::scheduler_core::job::JobFuture { ::std::boxed::Box::pin(async move { #call }) }
        },
        BodyKind::Blocking => quote_spanned! {place=>
            -> ::scheduler_core::job::JobResult { #call }
        },
    };
    quote_spanned! {place=>
        fn __run(invocation: ::scheduler_core::job::Invocation) #run

        fn __check_args(
            args: &::scheduler_core::job::Args,
        ) -> ::std::result::Result<(), ::scheduler_core::job::ArgsError> {
            #args(args).map(::std::mem::drop)
        }
    }
}

/// From the invocation to the function's result.
fn call(function: &ItemFn, body: BodyKind, questions: &Questions) -> TokenStream {
    let ident = &function.sig.ident;
    let Questions { task_key, args, context, returned: question } = questions;
    let awaited = match body {
        BodyKind::Async => Some(quote! { .await }),
        BodyKind::Blocking => None,
    };
    quote_spanned! {place(function)=>
        let ::scheduler_core::job::Invocation { task_key, args, context } = invocation;
        let task_key = #task_key(&task_key);
        let args = #args(&args)?;
        let context = #context(context);
        let returned = #ident(task_key, args, context)#awaited;
        #question;
        {
            use ::scheduler_core::__private::{JobResultByRank as _, Returned};
            // One reference for each rank.
            (&&&&&&Returned::of(&returned)).job_result(returned)
        }
    }
}

/// At the function's name. Variables are not the user's there, even if the function is called `args`.
fn place(function: &ItemFn) -> Span {
    Span::mixed_site().located_at(function.sig.ident.span())
}

/// The mistakes, and the question whether the types fit, so that all is answered at once.
fn check_types_only(types: &Types<'_>, mistakes: Mistakes) -> TokenStream {
    let mistakes = mistakes.into_compile_errors();
    let Questions { task_key, args, context, returned } = Questions::of(types);
    let questions: Vec<_> = [task_key, args, context, returned].into_iter().flatten().collect();
    // A method has none, and may not stand beside a `const _`.
    if questions.is_empty() {
        return mistakes;
    }
    quote! {
        #mistakes
        const _: fn() = || {
            #(let _ = #questions;)*
        };
    }
}

/// For each type of the signature an expression that compiles only if the type may stand there. For
/// a parameter it is the function that makes the type of what the runtime has.
///
/// Each stands at the place of the type. What names one twice does so with these same tokens, and
/// the compiler then reports a wrong type once.
struct Questions {
    task_key: Option<TokenStream>,
    args: Option<TokenStream>,
    context: Option<TokenStream>,
    returned: Option<TokenStream>,
}

impl Questions {
    fn of(types: &Types<'_>) -> Self {
        let Types { task_key, args, context, returned } = types;
        Self {
            task_key: task_key.map(|task_key| {
                quote_spanned! {task_key.span()=>
                    <#task_key as ::scheduler_core::job::FromTaskKey<'_>>::from_task_key
                }
            }),
            args: args.map(|args| {
                quote_spanned! {args.span()=>
                    <#args as ::scheduler_core::job::FromArgs>::from_args
                }
            }),
            context: context.map(|context| {
                quote_spanned! {context.span()=>
                    <#context as ::scheduler_core::job::FromContext>::from_context
                }
            }),
            returned: returned.map(|returned| {
                quote_spanned! {returned.span()=>
                    <#returned as ::scheduler_core::job::JobReturn>::ASKED
                }
            }),
        }
    }
}
