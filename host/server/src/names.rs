//! Names of slots, functions and arguments as callers write them.
//! Never: decides whether something of that name exists.

/// The longest name of a slot or function that is looked up, in bytes.
pub(crate) const LONGEST: usize = 128;

/// `getChatById` → `get-chat-by-id`. What has no capital letter, or a hyphen, is taken as it stands.
pub(crate) fn kebab_case(name: &str) -> String {
    if name.contains('-') || !name.contains(|c: char| c.is_ascii_uppercase()) {
        return name.to_owned();
    }
    let mut kebab = String::with_capacity(name.len() + 8);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

/// The most similar of some names, when one is similar at all.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(name, wrong), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// A name of the caller's, safe to show: no control characters, at most 64 characters.
pub(crate) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_function_mean_the_same() {
        assert_eq!(kebab_case("getChatById"), "get-chat-by-id");
        assert_eq!(kebab_case("get-chat-by-id"), "get-chat-by-id");
        assert_eq!(kebab_case("ping"), "ping");
        assert_eq!(kebab_case("get-URL"), "get-URL");
        assert_eq!(kebab_case("Ping"), "-ping");
    }

    #[test]
    fn the_nearest_name_is_similar_or_none() {
        let names = ["chatId", "userId"];
        assert_eq!(nearest("chatid", names.into_iter()), Some("chatId"));
        assert_eq!(nearest("zzz", names.into_iter()), None);
    }
}
