//! Names in Rust for what has a name in the database. Never: knows of
//! what they name.

use std::borrow::Cow;

/// Words that can not be names of modules, columns or fields (The Rust Reference, "Keywords").
const KEYWORDS: &[&str] = &[
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue",
    "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that generated code uses: crates, the types that come without a name in front, and what
/// `diesel::table!` puts beside the columns (`q` is a local variable of it, which a column of that
/// name would turn into a pattern).
const USED: &[&str] = &[
    "all_columns",
    "alloc",
    "avenire_values",
    "bool",
    "char",
    "columns",
    "core",
    "diesel",
    "dsl",
    "f32",
    "f64",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "isize",
    "q",
    "sql_types",
    "star",
    "std",
    "str",
    "table",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
];

/// Names of types that code from Diesel's derives and from ours uses without a path.
const USED_TYPES: &[&str] = &["Option", "Result", "Self", "String", "Vec"];

/// Whether a word can be the name of a type or an enum's variant as it is. Diesel's derives take
/// only ASCII.
pub fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&word)
}

/// Whether a name is a word of Rust as it is, which a schema's must be for Diesel's `table!`.
pub fn is_word(name: &str) -> bool {
    syn::parse_str::<syn::Ident>(name).is_ok_and(|word| word == name)
}

/// The name as a word in lower case with underscores: `userId` is `user_id`, `Weird Name` is
/// `weird_name`, `type` is `type_`, `größe` is `groesse`.
pub fn identifier(name: &str) -> String {
    let word = snake_case(name);
    let taken = KEYWORDS.contains(&word.as_str()) || USED.contains(&word.as_str());
    if taken { format!("{word}_") } else { word }
}

/// The same without regard to words that are taken.
pub(crate) fn snake_case(name: &str) -> String {
    let mut word = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for c in ascii(name).chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && after_small {
                word.push('_');
            }
            word.extend(c.to_lowercase());
            after_small = c.is_lowercase() || c.is_numeric();
        } else {
            if !word.is_empty() && !word.ends_with('_') || c == '_' {
                word.push('_');
            }
            after_small = false;
        }
    }
    if word.is_empty() || word.chars().all(|c| c == '_') || word.starts_with(char::is_numeric) {
        word.insert_str(0, "n_");
    }
    word
}

/// The name in camel case: `user_settings` is `UserSettings`, `very happy` is `VeryHappy`. What is
/// empty, as a value of an enum may be, is `Empty`.
pub fn camel_case(name: &str) -> String {
    if name.is_empty() {
        return "Empty".to_owned();
    }
    let mut word = String::with_capacity(name.len());
    for part in ascii(name).split(|c: char| !c.is_alphanumeric()) {
        let mut letters = part.chars();
        if let Some(first) = letters.next() {
            word.extend(first.to_uppercase());
            word.push_str(letters.as_str());
        }
    }
    if word.is_empty() || word.starts_with(char::is_numeric) {
        word.insert(0, 'N');
    }
    if USED_TYPES.contains(&word.as_str()) { format!("{word}_") } else { word }
}

/// The text with letters and digits of ASCII only: others as people write them without, or as
/// their number in hexadecimal. What is neither stays, to part words.
fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii() || !c.is_alphanumeric() {
            out.push(c);
        } else if let Some((_, plain)) = LATIN.iter().find(|(letters, _)| letters.contains(c)) {
            out.push_str(plain);
        } else {
            out.push_str(&format!("u{:x}", u32::from(c)));
        }
    }
    Cow::Owned(out)
}

/// Letters of the Latin alphabets and what stands for them.
const LATIN: &[(&str, &str)] = &[
    ("àáâãåāăą", "a"),
    ("ä", "ae"),
    ("æ", "ae"),
    ("çćĉċč", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņň", "n"),
    ("òóôõøōŏő", "o"),
    ("ö", "oe"),
    ("œ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ţťŧț", "t"),
    ("ùúûũūŭůűų", "u"),
    ("ü", "ue"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
    ("þ", "th"),
    ("ÀÁÂÃÅĀĂĄ", "A"),
    ("Ä", "Ae"),
    ("Æ", "Ae"),
    ("ÇĆĈĊČ", "C"),
    ("ĎĐÐ", "D"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("ĜĞĠĢ", "G"),
    ("ĤĦ", "H"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("Ĵ", "J"),
    ("Ķ", "K"),
    ("ĹĻĽĿŁ", "L"),
    ("ÑŃŅŇ", "N"),
    ("ÒÓÔÕØŌŎŐ", "O"),
    ("Ö", "Oe"),
    ("Œ", "Oe"),
    ("ŔŖŘ", "R"),
    ("ŚŜŞŠȘ", "S"),
    ("ẞ", "SS"),
    ("ŢŤŦȚ", "T"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("Ü", "Ue"),
    ("Ŵ", "W"),
    ("ÝŸŶ", "Y"),
    ("ŹŻŽ", "Z"),
    ("Þ", "Th"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words_of_ascii() {
        for (name, field, variant) in [
            ("Größe", "groesse", "Groesse"),
            ("Ñandú", "nandu", "Nandu"),
            ("日", "u65e5", "U65e5"),
            ("", "n_", "Empty"),
            ("-", "n_", "N"),
            ("²", "ub2", "Ub2"),
            ("1st", "n_1st", "N1st"),
            ("q", "q_", "Q"),
            ("Option", "option", "Option_"),
            ("userId", "user_id", "UserId"),
        ] {
            assert_eq!((identifier(name).as_str(), camel_case(name).as_str()), (field, variant));
            assert!(is_name(&identifier(name)) && is_name(&camel_case(name)), "{name}");
        }
    }

    #[test]
    fn words_that_are_used_are_no_names() {
        for word in KEYWORDS.iter().chain(USED).filter(|word| !["_", "Self"].contains(word)) {
            assert_eq!(identifier(word), format!("{word}_"));
        }
        assert!(!is_name("type") && !is_name("größe") && !is_name("1") && is_name("Type"));
    }
}
