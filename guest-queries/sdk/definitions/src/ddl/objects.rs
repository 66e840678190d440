//! Objects, which are SQL as it is.

use super::{Out, Step};
use crate::syntax::Object;

pub(super) fn object(object: &Object, out: &mut Out<'_>) {
    out.at = object.name.at;
    for statement in &object.create {
        let sql = statement.trim().trim_end_matches(';');
        out.push(Step::Object(object.name.text.clone()), format!("object {}", object.name), sql);
    }
}
