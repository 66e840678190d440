//! What Postgres does to a table when the type of a column changes.
//! Source: PostgreSQL documentation, ALTER TABLE, Notes (a rewrite is not needed when the old type
//! is binary coercible to the new one), `pg_cast` of the built-in types, and the support functions
//! that know a cast to a wider modifier to change nothing.

/// A type apart from its modifier: `character varying(10)[]` is `character varying`, 10, array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Without modifier and brackets.
    pub(super) base: String,
    /// What stands in parentheses.
    modifier: Vec<i64>,
    /// Whether it has brackets.
    array: bool,
}

/// Takes a type apart that `format_type` printed.
pub(super) fn shape(data_type: &str) -> Shape {
    let array = data_type.ends_with("[]");
    let element = data_type.trim_end_matches("[]");
    let Some((before, rest)) = element.split_once('(').filter(|_| !element.starts_with('"')) else {
        return Shape { base: element.to_owned(), modifier: Vec::new(), array };
    };
    let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
    let modifier = inside.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    // As in `timestamp(3) with time zone`.
    Shape { base: format!("{}{after}", before.trim_end()), modifier, array }
}

/// Whether a type is the other one with more room, so that rows and readers stay as they are.
pub(crate) fn is_grown(from: &str, to: &str) -> bool {
    shape(from).base == shape(to).base && !rewrites(from, to)
}

/// Whether the rows have to be written anew.
pub(super) fn rewrites(from: &str, to: &str) -> bool {
    let (old, new) = (shape(from), shape(to));
    if old.array != new.array {
        return true;
    }
    let (was, is) = (old.modifier.as_slice(), new.modifier.as_slice());
    if old.base == new.base {
        return !grows(&old.base, was, is);
    }
    let text = |base: &str| matches!(base, "text" | "character varying");
    match (old.base.as_str(), new.base.as_str()) {
        (old, new) if text(old) && text(new) => !is.is_empty(),
        ("cidr", "inet") | ("bit", "bit varying") if is.is_empty() => false,
        ("bit", "bit varying") => !grows("bit varying", was, is),
        _ => true,
    }
}

/// Whether every value of the old modifier is one of the new, as it is stored.
fn grows(base: &str, was: &[i64], is: &[i64]) -> bool {
    if was == is || is.is_empty() {
        // `character` without a length is one of 1, which `format_type` does not print.
        return !matches!(base, "character" | "bit") || was == is;
    }
    match (base, was, is) {
        ("character varying" | "bit varying" | "numeric", [was], [is])
        | ("numeric", [was], [is, 0])
        | ("numeric", [was, 0], [is]) => was <= is,
        ("numeric", [was, scale], [is, new_scale]) => was <= is && scale == new_scale,
        _ if base.starts_with("time") || base.starts_with("interval") => match (was, is) {
            ([was], [is]) => was <= is,
            // Without a precision it is 6.
            ([], [is]) => *is >= 6,
            _ => false,
        },
        _ => false,
    }
}

/// Whether every value of the one is a value of the other, though it is stored differently.
pub(super) fn is_widened(from: &str, to: &str) -> bool {
    const NUMBERS: [&str; 4] = ["smallint", "integer", "bigint", "numeric"];
    let (old, new) = (shape(from), shape(to));
    let place = |base: &str| NUMBERS.iter().position(|one| *one == base);
    let text = is_text(&new.base) && new.modifier.is_empty() && new.base != "character";
    let numbers = place(&old.base).zip(place(&new.base)).is_some_and(|(old, new)| old < new);
    old.array == new.array && new.modifier.is_empty() && (text || numbers)
}

/// Whether Postgres casts it without being told how: an assignment cast exists.
pub(super) fn is_assignable(from: &str, to: &str) -> bool {
    let (old, new) = (shape(from), shape(to));
    if old.array != new.array {
        return is_text(&new.base) && !new.array;
    }
    old.base == new.base || (is_text(&new.base) && !new.array) || family(&old.base, &new.base)
}

fn is_text(base: &str) -> bool {
    matches!(base, "text" | "character varying" | "character")
}

/// Types between which there are casts that an assignment may use, in both directions.
fn family(old: &str, new: &str) -> bool {
    const FAMILIES: [&[&str]; 6] = [
        &["smallint", "integer", "bigint", "numeric", "real", "double precision"],
        &["text", "character varying", "character"],
        &["date", "timestamp without time zone", "timestamp with time zone"],
        &["json", "jsonb"],
        &["inet", "cidr"],
        &["bit", "bit varying"],
    ];
    FAMILIES.iter().any(|family| family.contains(&old) && family.contains(&new))
}

/// Whether a foreign key can connect columns of these types, so that it may stay while one of
/// them changes from the one to the other.
pub(super) fn is_comparable(old: &str, new: &str) -> bool {
    let (old, new) = (shape(old), shape(new));
    old.base == new.base || family(&old.base, &new.base)
}

/// What stands after `using`; none when it is not needed. Where there is no cast, the text of the
/// one is read as the other, which Postgres allows between any two types.
pub(super) fn using(column: &str, from: &str, to: &str) -> Option<String> {
    if is_assignable(from, to) {
        return None;
    }
    let (old, new) = (shape(from), shape(to));
    let direct = is_text(&old.base) || has_explicit_cast(&old.base, &new.base);
    Some(match (old.array, new.array) {
        (false, true) if old.base == new.base => format!("array[{column}]::{to}"),
        (false, true) => format!("array[{column}]::text[]::{to}"),
        (false, false) | (true, true) if direct => format!("{column}::{to}"),
        (true, true) => format!("{column}::text[]::{to}"),
        (_, false) => format!("{column}::text::{to}"),
    })
}

/// Casts that only `::` may use, where the text of the one is no text of the other.
fn has_explicit_cast(old: &str, new: &str) -> bool {
    const NUMBERS: [&str; 6] =
        ["smallint", "integer", "bigint", "numeric", "real", "double precision"];
    match (old, new) {
        ("integer", "boolean")
        | ("boolean", "integer")
        | ("integer" | "bigint", "bit")
        | ("bit", "integer" | "bigint")
        | ("timestamp with time zone", "time with time zone") => true,
        ("jsonb", new) => new == "boolean" || NUMBERS.contains(&new),
        (old, "time without time zone") => old.starts_with("timestamp") || old == "interval",
        _ => false,
    }
}

/// The storage that a type gives its columns (`pg_type.typstorage`), for the servers that do not
/// know `set storage default`. Only types of variable length can have another one.
pub(super) fn usual_storage(data_type: &str) -> &'static str {
    match shape(data_type) {
        Shape { array: true, .. } => "extended",
        Shape { base, .. } if matches!(base.as_str(), "numeric" | "inet" | "cidr") => "main",
        _ => "extended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_grows_does_not_rewrite() {
        for (from, to) in [
            ("character varying(10)", "character varying(20)"),
            ("character varying(10)", "character varying"),
            ("character varying(10)", "text"),
            ("text", "character varying"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("numeric(10,2)", "numeric"),
            ("timestamp(3) with time zone", "timestamp with time zone"),
            ("timestamp(3) without time zone", "timestamp(6) without time zone"),
            ("bit varying(3)", "bit varying(5)"),
            ("cidr", "inet"),
            ("character varying(10)[]", "character varying(20)[]"),
        ] {
            assert!(!rewrites(from, to), "{from} → {to}");
        }
    }

    #[test]
    fn a_type_that_shrinks_or_is_another_rewrites() {
        for (from, to) in [
            ("character varying(20)", "character varying(10)"),
            ("text", "character varying(10)"),
            ("character(3)", "character(5)"),
            ("character(3)", "text"),
            ("numeric(10,2)", "numeric(12,3)"),
            ("numeric", "numeric(10,2)"),
            ("integer", "bigint"),
            ("inet", "cidr"),
            ("text", "text[]"),
            ("timestamp without time zone", "timestamp with time zone"),
            ("timestamp with time zone", "timestamp(3) with time zone"),
            ("public.mood", "text"),
        ] {
            assert!(rewrites(from, to), "{from} → {to}");
        }
    }

    #[test]
    fn a_cast_is_spelled_out_where_there_is_none_for_assignments() {
        assert_eq!(using("c", "integer", "bigint"), None);
        assert_eq!(using("c", "public.mood", "text"), None);
        assert_eq!(using("c", "text", "uuid").as_deref(), Some("c::uuid"));
        assert_eq!(using("c", "text[]", "uuid[]").as_deref(), Some("c::uuid[]"));
        assert_eq!(using("c", "bigint", "boolean").as_deref(), Some("c::text::boolean"));
    }

    #[test]
    fn what_has_no_cast_goes_by_way_of_its_text() {
        for (from, to, expected) in [
            ("timestamp with time zone", "jsonb", "c::text::jsonb"),
            ("interval", "integer", "c::text::integer"),
            ("integer", "bytea", "c::text::bytea"),
            ("jsonb", "uuid", "c::text::uuid"),
            ("jsonb", "integer", "c::integer"),
            ("text[]", "integer", "c::text::integer"),
            ("integer", "integer[]", "array[c]::integer[]"),
            ("integer", "uuid[]", "array[c]::text[]::uuid[]"),
            ("integer[]", "uuid[]", "c::text[]::uuid[]"),
        ] {
            assert_eq!(using("c", from, to).as_deref(), Some(expected), "{from} → {to}");
        }
    }
}
