//! What must hold between the parts of a request.

use std::collections::HashSet;

use super::declared::Declared;
use super::field::{Field, Place};
use crate::mistakes::Mistakes;
use crate::nearest::nearest;

/// Adds whatever does not fit together. A field that could not be read may be the one that seems to be missing.
pub(super) fn check(
    declared: &Declared,
    fields: &[Field],
    are_all_read: bool,
    mistakes: &mut Mistakes,
) {
    check_path(declared, fields, are_all_read, mistakes);
    check_body(declared, fields, mistakes);
    check_names(fields, mistakes);
}

/// Each placeholder has a field, each field of the path a placeholder, and a value.
fn check_path(declared: &Declared, fields: &[Field], are_all_read: bool, mistakes: &mut Mistakes) {
    let address = &declared.address;
    let fields: Vec<&Field> = fields.iter().filter(|field| field.place == Place::Path).collect();
    let names: Vec<String> = fields.iter().map(|field| field.name.value()).collect();
    let mut told = HashSet::new();
    for placeholder in &address.placeholders {
        if are_all_read && !names.contains(placeholder) && told.insert(placeholder) {
            let hint = match nearest(placeholder, names.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{{{name}}}`?"),
                None => format!("add `#[request(path)] {placeholder}: u64`"),
            };
            mistakes.add_at(
                address.span,
                format!("no field goes to the placeholder `{{{placeholder}}}`: {hint}"),
            );
        }
    }
    for (field, name) in fields.iter().zip(&names) {
        if !address.placeholders.contains(name) {
            let text = format!("the path has no placeholder `{{{name}}}` for this field");
            mistakes.add(&field.ident, text);
        }
        if field.is_option() || field.is_list() {
            let text = format!(
                "a path needs exactly one value for `{{{name}}}`: write one type, such as `u64` or `&str`"
            );
            mistakes.add(&field.ty, text);
        }
    }
}

/// A body is JSON or a form, and the method may have one.
fn check_body(declared: &Declared, fields: &[Field], mistakes: &mut Mistakes) {
    let mut bodies = fields.iter().filter(|field| matches!(field.place, Place::Json | Place::Form));
    let Some(first) = bodies.next() else { return };
    let method = &declared.method;
    if ["GET", "HEAD", "OPTIONS"].iter().any(|bare| method == bare) {
        let text =
            format!("a {method} request has no body: write `#[request(query)]`, or another method");
        mistakes.add(&first.ident, text);
    }
    if let Some(other) = bodies.find(|field| field.place != first.place) {
        let text = format!(
            "a body is JSON or a form, and `{}` makes it `{}`: write `#[request({})]`",
            first.ident,
            first.place.name(),
            first.place.name(),
        );
        mistakes.add(&other.ident, text);
    }
}

/// No two values have one name in one place.
fn check_names(fields: &[Field], mistakes: &mut Mistakes) {
    let mut taken = HashSet::new();
    for field in fields {
        let name = field.name.value();
        let key = if field.place == Place::Header { name.to_lowercase() } else { name.clone() };
        if !taken.insert((field.place.name(), key)) {
            let text =
                format!("two fields are called {name:?} in the {}: rename one", field.place.name());
            mistakes.add(&field.ident, text);
        }
    }
}
