//! The built-in types that columns get, their values, and expressions over them.

use super::sketch::{Base, Column, Sketch, Ty};

/// What can be said of a type's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Whole,
    Number,
    Text,
    Other,
}

/// A built-in type: its name, modifiers, family, whether it has an order, and a value of it in
/// which `#` is a digit.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) modifiers: &'static [&'static str],
    pub(super) family: Family,
    pub(super) ordered: bool,
    pub(super) value: &'static str,
}

const fn builtin(
    name: &'static str,
    modifiers: &'static [&'static str],
    family: Family,
    ordered: bool,
    value: &'static str,
) -> Builtin {
    Builtin { name, modifiers, family, ordered, value }
}

pub(super) const BIGINT: usize = 0;
pub(super) const TEXT: usize = 2;

pub(super) const TYPES: &[Builtin] = &[
    builtin("bigint", &[], Family::Whole, true, "#"),
    builtin("integer", &[], Family::Whole, true, "#"),
    builtin("text", &[], Family::Text, true, "v#"),
    builtin("uuid", &[], Family::Other, true, "00000000-0000-0000-0000-00000000000#"),
    builtin("smallint", &[], Family::Whole, true, "#"),
    builtin("numeric", &["10", "2"], Family::Number, true, "#.25"),
    builtin("numeric", &["12", "4"], Family::Number, true, "#.2512"),
    builtin("numeric", &[], Family::Number, true, "#.5"),
    builtin("float8", &[], Family::Number, true, "#.5"),
    builtin("varchar", &["40"], Family::Text, true, "v#"),
    builtin("varchar", &["80"], Family::Text, true, "v#"),
    builtin("varchar", &[], Family::Text, true, "v#"),
    builtin("char", &["4"], Family::Text, true, "v#"),
    builtin("boolean", &[], Family::Other, true, "true"),
    builtin("date", &[], Family::Other, true, "2020-01-0#"),
    builtin("timestamp", &[], Family::Other, true, "2020-01-0# 10:00:00"),
    builtin("timestamptz", &["3"], Family::Other, true, "2020-01-0# 10:00:00+00"),
    builtin("timestamptz", &[], Family::Other, true, "2020-01-0# 10:00:00+00"),
    builtin("interval", &[], Family::Other, true, "# hours"),
    builtin("json", &[], Family::Other, false, "{\"a\": #}"),
    builtin("jsonb", &[], Family::Other, true, "{\"a\": #}"),
    builtin("bytea", &[], Family::Other, true, "\\x0#"),
    builtin("inet", &[], Family::Other, true, "10.0.0.#"),
    builtin("int4range", &[], Family::Other, true, "[#0,#5)"),
    builtin("bit", &["3"], Family::Other, true, "010"),
];

impl Sketch {
    /// The built-in type beneath, when there is one.
    pub(super) fn beneath(&self, ty: Ty) -> Option<&'static Builtin> {
        match ty.base {
            _ if ty.array => None,
            Base::Builtin(number) => TYPES.get(number),
            Base::Domain(id) => self.domain(id).and_then(|domain| TYPES.get(domain.it.base)),
            Base::Enum(_) | Base::Composite(_) => None,
        }
    }

    pub(super) fn family(&self, ty: Ty) -> Family {
        self.beneath(ty).map_or(Family::Other, |builtin| builtin.family)
    }

    /// Whether an index can have it in an order.
    pub(super) fn ordered(&self, ty: Ty) -> bool {
        match ty.base {
            Base::Builtin(number) => TYPES[number].ordered,
            Base::Domain(id) => self.domain(id).is_some_and(|domain| TYPES[domain.it.base].ordered),
            Base::Enum(_) => true,
            Base::Composite(_) => false,
        }
    }

    /// The name of a value of an enum.
    fn word(&self, ty: Ty, number: usize) -> Option<&str> {
        let Base::Enum(id) = ty.base else { return None };
        let values = &self.enums.iter().find(|one| one.head.id == id)?.it;
        values.get(number % values.len().max(1)).map(|(_, word)| word.as_str())
    }

    /// A value as SQL that says nothing of its type; none of what can not be written down.
    pub(super) fn value(&self, ty: Ty, number: usize) -> Option<String> {
        let plain = if let Some(word) = self.word(ty, number) {
            word.to_owned()
        } else {
            let of = self.beneath(Ty { array: false, ..ty })?;
            of.value.replace('#', &(number % 9 + 1).to_string())
        };
        let plain = if ty.array {
            format!("{{\"{}\"}}", plain.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            plain
        };
        Some(format!("'{}'", plain.replace('\'', "''")))
    }

    /// A default's expression.
    pub(super) fn default_of(&self, ty: Ty, number: usize) -> Option<String> {
        let beneath = self.beneath(ty);
        match beneath.map(|builtin| (builtin.name, builtin.family)) {
            Some((_, Family::Whole)) if number.is_multiple_of(3) => {
                Some(format!("1 + {}", number % 100))
            }
            Some((_, Family::Whole | Family::Number)) if number % 3 == 1 => {
                Some((number % 100).to_string())
            }
            Some(("timestamptz" | "timestamp" | "date", _)) if number.is_multiple_of(2) => {
                Some("now()".into())
            }
            Some(("uuid", _)) if number.is_multiple_of(2) => Some("gen_random_uuid()".into()),
            Some((_, Family::Text)) if number.is_multiple_of(4) => Some("'it''s'".into()),
            _ if ty.array => Some("'{}'".into()),
            _ => self.value(ty, number),
        }
    }

    /// Something that may be demanded of a column or value.
    pub(super) fn condition(&self, ty: Ty, name: &str, number: usize) -> String {
        if let (Some(word), false) = (self.word(ty, number), ty.array) {
            return format!("{name} <> '{}'", word.replace('\'', "''"));
        }
        match (self.family(ty), number % 6) {
            (Family::Whole | Family::Number, 0) => format!("{name} > -{number}"),
            (Family::Whole | Family::Number, 1) => format!("{name} >= 0 and {name} < 1000000"),
            (Family::Whole | Family::Number, 2) => format!("{name} not in (500, {})", 500 + number),
            (Family::Whole | Family::Number, 3) => format!("{name} between -5 and {}", 60 + number),
            (Family::Whole | Family::Number, 4) => format!("{name} > 2"),
            (Family::Text, 0) => format!("length({name}) < {}", 50 + number),
            (Family::Text, 1) => format!("{name} <> ''"),
            (Family::Text, 2) => format!("lower({name}) like 'v%' or {name} = 'it''s'"),
            (Family::Text, 3) => format!("{name} ~ '^[a-z]' or length({name}) > 0"),
            (_, 5) => format!("{name} is not null"),
            _ => format!("{name} is null or {number} > 0"),
        }
    }

    /// An expression over a column that an index can have.
    pub(super) fn expression(&self, column: &Column, name: &str) -> Option<String> {
        match self.family(column.ty) {
            Family::Whole => Some(format!("{name} + 1")),
            Family::Number => Some(format!("abs({name})")),
            Family::Text => Some(format!("lower({name})")),
            Family::Other => None,
        }
    }
}
