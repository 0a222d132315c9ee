//! Reads the address of a request, host and path, out of its literal.

use proc_macro2::Span;
use syn::LitStr;

/// `https://api.example.com/users/{id}`, or a part of it.
#[derive(Clone)]
pub(super) struct Address {
    /// `https://api.example.com`, unless it is known at run time only.
    pub(super) host: Option<String>,
    /// `/users/{id}`, or nothing.
    pub(super) path: String,
    /// `id`, in the order of the path.
    pub(super) placeholders: Vec<String>,
    pub(super) span: Span,
}

impl Default for Address {
    fn default() -> Self {
        Self { host: None, path: String::new(), placeholders: Vec::new(), span: Span::call_site() }
    }
}

impl Address {
    pub(super) fn read(literal: &LitStr) -> syn::Result<Self> {
        let read = read(&literal.value());
        let (host, path, placeholders) =
            read.map_err(|text| syn::Error::new(literal.span(), text))?;
        Ok(Self { host, path, placeholders, span: literal.span() })
    }
}

type Pieces = (Option<String>, String, Vec<String>);

fn read(text: &str) -> Result<Pieces, String> {
    if text.contains(['?', '#']) {
        return Err("an address has no query and no fragment: write the query as fields, `#[request(query)] page: u32`".to_owned());
    }
    if let Some(odd) = text.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '\\') {
        return Err(format!("the address has {odd:?} in it, which is not part of any"));
    }
    let (host, path) = split(text)?;
    if let Some(dots) = path.split('/').find(|segment| matches!(*segment, "." | "..")) {
        return Err(format!(
            "the path has a segment `{dots}`, which means another path: write that one"
        ));
    }
    let placeholders = placeholders(path)?;
    Ok((host.map(str::to_owned), path.to_owned(), placeholders))
}

/// Host and path.
fn split(text: &str) -> Result<(Option<&str>, &str), String> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return if text.is_empty() || text.starts_with('/') {
            Ok((None, text))
        } else {
            Err(format!(
                "the address is {text:?}, expected one with `http://` or `https://`, or a path such as \"/users\" for a \
                 host that is known at run time"
            ))
        };
    };
    let host_chars = rest.find('/').unwrap_or(rest.len());
    let (host, path) = text.split_at(text.len() - rest.len() + host_chars);
    let name = &rest[..host_chars];
    if name.is_empty() {
        return Err("the address has no host: write `https://api.example.com`".to_owned());
    }
    if name.contains(['{', '}']) {
        let text = format!(
            "a host has no placeholders: write `#[request(.., {path:?})]`, and name the host where the request is sent, \
             `.send_to(base_url, &request)`"
        );
        return Err(text);
    }
    if name.contains('@') {
        return Err("a user or password has no place in the source: name the host where the request is sent, \
                    `.send_to(base_url, &request)`"
            .to_owned());
    }
    Ok((Some(host), path))
}

fn placeholders(path: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find(['{', '}']) {
        let after = &rest[at..];
        let name = after.strip_prefix('{').and_then(|after| Some(after.split_once('}')?.0));
        match name {
            Some("") => return Err("a placeholder has no name: write `{id}`".to_owned()),
            Some(name) if !name.contains(['{', '/']) => found.push(name.to_owned()),
            _ => return Err(format!("a brace in {path:?} has no other: write `{{id}}`")),
        }
        rest = &after[found.last().map_or(0, String::len) + 2..];
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_path_or_one_of_them_or_nothing() {
        #[track_caller]
        fn check(text: &str, host: Option<&str>, path: &str, placeholders: &[&str]) {
            let (found_host, found_path, found) = read(text).expect(text);
            assert_eq!((found_host.as_deref(), found_path.as_str()), (host, path), "{text}");
            assert_eq!(found, placeholders, "{text}");
        }
        check("https://h", Some("https://h"), "", &[]);
        check("http://h:81/", Some("http://h:81"), "/", &[]);
        check("https://h/a/{id}/b/{é}", Some("https://h"), "/a/{id}/b/{é}", &["id", "é"]);
        check("http://[::1]:81/a", Some("http://[::1]:81"), "/a", &[]);
        check("/a/v{major}.{minor}", None, "/a/v{major}.{minor}", &["major", "minor"]);
        check("/{id}{id}", None, "/{id}{id}", &["id", "id"]);
        check("", None, "", &[]);
    }

    #[test]
    fn what_is_no_address_is_told() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
        check("/a?b=1", "no query");
        check("/a#b", "no fragment");
        check("/a b", "' '");
        check("/a\\b", "'\\\\'");
        check("/a/../b", "`..`");
        check("users", "expected one with");
        check("ftp://h/a", "expected one with");
        check("https:///a", "has no host");
        check("https://{host}/a", "has no placeholders: write `#[request(.., \"/a\")]`");
        check("https://user:word@h/a", "password has no place");
        check("/a/{id", "no other");
        check("/a/id}", "no other");
        check("/a/{i{d}", "no other");
        check("/a/{i/d}", "no other");
        check("/a/{}", "no name");
    }
}
