//! The types that Postgres is born with, and how it prints them.

use crate::syntax::{Type, TypeName};

/// Short names and SQL names on the left, on the right what `format_type` prints (PostgreSQL
/// documentation, "Data Types", Table 8.1, and `pg_type`).
const ALIASES: &[(&str, &str)] = &[
    ("bit", "bit"),
    ("bool", "boolean"),
    ("bpchar", "bpchar"),
    ("char", "character"),
    ("dec", "numeric"),
    ("decimal", "numeric"),
    ("float", "double precision"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int", "integer"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("time", "time without time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("timetz", "time with time zone"),
    ("varbit", "bit varying"),
    ("varchar", "character varying"),
];

/// Types that `format_type` prints by the name they have.
const PLAIN: &[&str] = &[
    "aclitem",
    "bigint",
    "boolean",
    "box",
    "bytea",
    "character",
    "cid",
    "cidr",
    "circle",
    "date",
    "datemultirange",
    "daterange",
    "gtsvector",
    "inet",
    "int2vector",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "integer",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "real",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "smallint",
    "text",
    "tid",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "uuid",
    "xid",
    "xid8",
    "xml",
];

/// Types that well-known extensions bring (their documentation).
const OF_EXTENSIONS: &[(&str, &[&str])] = &[
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("hstore", &["hstore"]),
    ("intarray", &["query_int"]),
    ("ltree", &["ltree", "lquery", "ltxtquery"]),
    ("postgis", &["geometry", "geography", "box2d", "box3d"]),
    ("postgis_raster", &["raster"]),
    ("seg", &["seg"]),
    ("vector", &["vector", "halfvec", "sparsevec"]),
];

/// What `format_type` prints for a built-in type without modifiers, such as
/// `timestamp with time zone` for `timestamptz`; nothing when there is no such type.
pub(crate) fn base(name: &str) -> Option<&'static str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, base)| *base);
    alias.or_else(|| PLAIN.iter().find(|plain| **plain == name).copied())
}

/// All names of types, short ones first.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|(name, _)| *name).chain(PLAIN.iter().copied())
}

/// The extension that brings a type, as far as it is well known.
pub(crate) fn extension_of(name: &str) -> Option<&'static str> {
    OF_EXTENSIONS.iter().find(|(_, types)| types.contains(&name)).map(|(extension, _)| *extension)
}

impl Type {
    /// The built-in type, as `format_type` prints it without modifiers and dimensions; none for a
    /// type of the application or an extension, or one that is written as SQL.
    pub fn builtin(&self) -> Option<&'static str> {
        match &self.name {
            TypeName::Plain { schema: None, name } => base(name),
            TypeName::Plain { schema: Some(schema), name } if schema == "pg_catalog" => base(name),
            _ => None,
        }
    }

    /// What `format_type` prints for a built-in type, such as `timestamp(3) with time zone` for
    /// `timestamptz(3)`; for others what SQL accepts, `public.mood` in full.
    pub fn canonical(&self) -> String {
        let mut text = match (&self.name, self.builtin()) {
            (TypeName::Sql(text), _) => return text.clone(),
            (_, Some(base)) => with_modifiers(base, &self.modifiers),
            (TypeName::Plain { schema, name }, None) => {
                let schema = schema.as_deref().unwrap_or("public");
                let name = format!("{}.{}", printed(schema), printed(name));
                with_modifiers(&name, &self.modifiers)
            }
        };
        if self.dimensions > 0 {
            text.push_str("[]");
        }
        text
    }

    /// The type that `format_type` prints so, by its short name where it has one. What is not
    /// understood is kept as SQL.
    pub fn from_canonical(text: &str) -> Self {
        let (element, dimensions) = match text.strip_suffix("[]") {
            Some(element) => (element, 1),
            None => (text, 0),
        };
        match plain(element) {
            Some(read) => Self { dimensions, nullable_elements: dimensions > 0, ..read },
            None => Self::sql(text),
        }
    }
}

fn plain(text: &str) -> Option<Type> {
    let (before, rest) = text.split_once('(').unwrap_or((text, ""));
    let (modifiers, after) = match rest.split_once(')') {
        Some((inside, after)) => (inside.split(',').map(str::trim).collect(), after),
        None => (Vec::new(), ""),
    };
    let numbers = modifiers.iter().all(|m| !m.is_empty() && m.chars().all(|c| c.is_ascii_digit()));
    if !numbers || rest.is_empty() != modifiers.is_empty() {
        return None;
    }
    let base = format!("{}{after}", before.trim_end());
    let name = if let Some((alias, _)) = preferred(&base) {
        TypeName::Plain { schema: None, name: alias.to_owned() }
    } else if PLAIN.contains(&base.as_str()) {
        TypeName::Plain { schema: None, name: base }
    } else {
        let (schema, name) = base.split_once('.').filter(|_| after.is_empty())?;
        if !is_word(schema) || !is_word(name) {
            return None;
        }
        // A type of the application that is called as a built-in one needs its schema.
        let unqualified = schema == "public" && self::base(name).is_none();
        let schema = if unqualified { None } else { Some(schema.to_owned()) };
        TypeName::Plain { schema, name: name.to_owned() }
    };
    let modifiers = modifiers.into_iter().map(str::to_owned).collect();
    let read = Type { modifiers, ..Type::of(name) };
    // `bpchar` without a length is not `char`, whose length is one.
    (read.canonical() == text).then_some(read)
}

/// The short name that people write for what `format_type` prints in several words.
fn preferred(base: &str) -> Option<(&'static str, &'static str)> {
    ["varchar", "char", "varbit", "timestamptz", "timestamp", "timetz", "time", "float8", "bit"]
        .into_iter()
        .filter_map(|alias| self::base(alias).map(|full| (alias, full)))
        .find(|(_, full)| *full == base)
        .or_else(|| (base == "bpchar").then_some(("bpchar", "bpchar")))
}

fn with_modifiers(base: &str, modifiers: &[String]) -> String {
    match (base, modifiers) {
        ("character" | "bit", []) => format!("{base}(1)"),
        (_, []) => base.to_owned(),
        ("numeric", [precision]) => format!("numeric({precision},0)"),
        _ => {
            let inside = modifiers.join(",");
            // The modifier of points in time stands before their last words.
            match base.find(" with") {
                Some(middle) => {
                    let (first, last) = base.split_at(middle);
                    format!("{first}({inside}){last}")
                }
                None => format!("{base}({inside})"),
            }
        }
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

pub(crate) fn printed(name: &str) -> String {
    if is_word(name) { name.to_owned() } else { crate::ddl::quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, modifiers: &[&str], dimensions: usize) -> Type {
        let modifiers = modifiers.iter().map(|&m| m.to_owned()).collect();
        Type { modifiers, dimensions, ..Type::plain(name) }
    }

    #[test]
    fn short_names_become_what_postgres_prints() {
        for (name, modifiers, dimensions, printed) in [
            ("int", &[][..], 0, "integer"),
            ("varchar", &["255"], 0, "character varying(255)"),
            ("char", &[], 0, "character(1)"),
            ("timestamptz", &["3"], 0, "timestamp(3) with time zone"),
            ("timestamp", &[], 2, "timestamp without time zone[]"),
            ("numeric", &["10"], 0, "numeric(10,0)"),
            ("numeric", &["10", "2"], 1, "numeric(10,2)[]"),
            ("mood", &[], 0, "public.mood"),
        ] {
            assert_eq!(written(name, modifiers, dimensions).canonical(), printed);
        }
    }

    #[test]
    fn what_postgres_prints_is_read_back() {
        for printed in [
            "integer",
            "bigint[]",
            "character varying",
            "character varying(255)[]",
            "character(3)",
            "bpchar",
            "bit(1)",
            "bit varying(5)",
            "timestamp(3) with time zone",
            "time without time zone",
            "numeric(10,2)",
            "double precision",
            "public.mood[]",
            "auth.mood",
            "public.\"Mood\"",
            "interval day to second",
            "interval(3)",
            "\"char\"",
            "public.geometry(Point,4326)",
            "public.date",
        ] {
            assert_eq!(Type::from_canonical(printed).canonical(), printed);
        }
        assert_eq!(Type::from_canonical("timestamp with time zone"), Type::plain("timestamptz"));
        assert_eq!(Type::from_canonical("public.mood"), Type::plain("mood"));
    }
}
