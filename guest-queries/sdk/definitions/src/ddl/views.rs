//! Views and materialized views.

use super::comments::comment;
use super::parts::{indexes, triggers};
use super::{Out, Step, object_name, options};
use crate::syntax::View;

pub(super) fn view(view: &View, out: &mut Out<'_>) {
    out.at = view.name.at;
    let kind = if view.materialized { "materialized view" } else { "view" };
    let name = object_name(&view.name);
    let mut sql = format!("create {kind} {name}");
    if !view.options.is_empty() {
        sql.push_str(&format!(" with ({})", options(&view.options)));
    }
    sql.push_str(&format!(" as {}", view.query));
    out.push(Step::View, format!("{kind} {}", view.name), sql);
    comment(out, &format!("{kind} {name}"), view.comment.as_deref());
    indexes(&view.indexes, &view.name, &Step::ViewIndex, out);
    triggers(&view.triggers, &name, out);
}
