//! `comment on …`

use super::{Out, Step, literal};

/// `target` is what the statement names, such as `table "public"."chat"`.
pub(super) fn comment(out: &mut Out<'_>, target: &str, text: Option<&str>) {
    if let Some(text) = text {
        let sql = format!("comment on {target} is {}", literal(text));
        out.push(Step::Comment, format!("comment on {}", target.replace('"', "")), sql);
    }
}
