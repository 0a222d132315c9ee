//! `#[derive(Request)]`: what a struct says of a request becomes `scheduler_core::http::Request`.
//!
//! For `#[request(POST, "https://api.example.com/users/{id}/mails", answer = Sent)]` the expansion reads, paths
//! shortened:
//!
//! ```ignore
//! impl Request for SendMail<'_> {
//!     type Answer = Sent;
//!     const METHOD: Method = Method::POST;
//!     const PATH: &'static str = "/users/{id}/mails";
//!     const TIMEOUT: Option<Duration> = None;
//!     const IS_IDEMPOTENT: bool = false;
//!     fn write(&self, parts: &mut Parts) -> Result<(), FieldError> {
//!         parts.path("id", &self.id)?;
//!         parts.query("dry_run", self.dry_run.as_ref())?;
//!         parts.json("to", Some(&self.recipients))?;
//!         Ok(())
//!     }
//!     fn read(response: Response) -> Result<Sent, HttpError> {
//!         response.json()
//!     }
//! }
//! impl Addressed for SendMail<'_> {
//!     const HOST: &'static str = "https://api.example.com";
//! }
//! ```
//!
//! Where something is wrong, `write` has nothing in it, so that what uses the struct is no second mistake.

mod address;
mod check;
mod declared;
mod field;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields, GenericParam, Generics, parse_quote};

use self::declared::Declared;
use self::field::{Field, Place};
use crate::mistakes::Mistakes;

/// The whole expansion of `#[derive(Request)]` on `input`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    let declared = Declared::read(&input, &mut mistakes);
    let fields = read_fields(&input, &mut mistakes);
    if let Some(declared) = &declared {
        let are_all_read = fields.len() == fields_of(&input);
        check::check(declared, &fields, are_all_read, &mut mistakes);
    }
    let writes = if mistakes.is_empty() { fields.iter().map(write).collect() } else { Vec::new() };
    let implementation = declared.map(|declared| implement(&input, &declared, &writes));
    let mistakes = mistakes.into_compile_errors();
    quote! { #mistakes #implementation }
}

fn read_fields(input: &DeriveInput, mistakes: &mut Mistakes) -> Vec<Field> {
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(_) | Data::Union(_) => {
            mistakes.add(&input.ident, "a request is a struct with named fields");
            return Vec::new();
        }
    };
    match fields {
        Fields::Named(fields) => {
            fields.named.iter().filter_map(|field| Field::read(field, mistakes)).collect()
        }
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            mistakes.add(
                fields,
                "the fields of a request have names: write `{ #[request(path)] id: u64 }`",
            );
            Vec::new()
        }
    }
}

/// How many there are, readable or not.
fn fields_of(input: &DeriveInput) -> usize {
    match &input.data {
        Data::Struct(data) => data.fields.len(),
        Data::Enum(_) | Data::Union(_) => usize::MAX,
    }
}

/// The line of `write` for a field. At the place of its type: there the compiler says that serde cannot write it.
fn write(field: &Field) -> TokenStream {
    let Field { ident, ty, name, place, .. } = field;
    let method = place.ident(ty.span());
    let value = match (place, field.is_option()) {
        (Place::Path, _) => quote_spanned! {ty.span()=> &self.#ident },
        (_, true) => quote_spanned! {ty.span()=> self.#ident.as_ref() },
        (_, false) => quote_spanned! {ty.span()=> ::std::option::Option::Some(&self.#ident) },
    };
    let name = name.value();
    quote_spanned! {ty.span()=> parts.#method(#name, #value)?; }
}

fn implement(input: &DeriveInput, declared: &Declared, writes: &[TokenStream]) -> TokenStream {
    let Declared { method, address, answer, timeout, is_idempotent, .. } = declared;
    let ident = &input.ident;
    let generics = with_bounds(&input.generics);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let path = &address.path;
    let timeout = match timeout {
        Some(timeout) => quote! { ::std::option::Option::Some(#timeout) },
        None => quote! { ::std::option::Option::None },
    };
    let (answer, read) = match answer {
        Some(answer) => (quote! { #answer }, quote_spanned! {answer.span()=> response.json() }),
        None => (
            quote! { ::scheduler_core::http::Response },
            quote! { ::std::result::Result::Ok(response) },
        ),
    };
    let parts = if writes.is_empty() {
        quote! { _ }
    } else {
        quote! { parts }
    };
    let addressed = address.host.as_ref().map(|host| {
        quote! {
            impl #impl_generics ::scheduler_core::http::Addressed for #ident #type_generics #where_clause {
                const HOST: &'static str = #host;
            }
        }
    });
    quote! {
        impl #impl_generics ::scheduler_core::http::Request for #ident #type_generics #where_clause {
            type Answer = #answer;
            const METHOD: ::scheduler_core::http::Method = ::scheduler_core::http::Method::#method;
            const PATH: &'static str = #path;
            const TIMEOUT: ::std::option::Option<::std::time::Duration> = #timeout;
            const IS_IDEMPOTENT: bool = #is_idempotent;

            fn write(
                &self,
                #parts: &mut ::scheduler_core::http::Parts,
            ) -> ::std::result::Result<(), ::scheduler_core::http::FieldError> {
                #(#writes)*
                ::std::result::Result::Ok(())
            }

            fn read(
                response: ::scheduler_core::http::Response,
            ) -> ::std::result::Result<Self::Answer, ::scheduler_core::http::HttpError> {
                #read
            }
        }

        #addressed
    }
}

/// Each type parameter can be written by serde, as under `#[derive(Serialize)]`.
fn with_bounds(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in &mut generics.params {
        if let GenericParam::Type(parameter) = parameter {
            parameter.bounds.push(parse_quote!(::scheduler_core::__private::serde::Serialize));
        }
    }
    generics
}
