//! How names and documentation are written in TypeScript, whatever they contain.

/// A comment with this documentation, each line indented by `indent`, or nothing without any.
pub(super) fn comment(docs: &str, indent: &str) -> String {
    // Nothing in it may end the comment, and no line may begin a tag of TSDoc.
    let docs = docs.replace("*/", "*\\/").replace(['\r', '\u{2028}', '\u{2029}'], " ");
    let line = |line: &str| match line.trim_start().strip_prefix('@') {
        Some(_) => line.replacen('@', "\\@", 1),
        None => line.to_owned(),
    };
    let lines: Vec<String> = docs.trim().lines().map(line).collect();
    match lines.as_slice() {
        [] => String::new(),
        [one] => format!("{indent}/** {one} */\n"),
        many => {
            let mut text = format!("{indent}/**\n");
            for line in many {
                text.push_str(format!("{indent} * {line}").trim_end());
                text.push('\n');
            }
            text + &format!("{indent} */\n")
        }
    }
}

/// The name of a property: as it is where it is an identifier, which reserved words are too.
pub(super) fn property(name: &str) -> String {
    let letter = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$');
    let is_identifier =
        name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit());
    if is_identifier { name.to_owned() } else { quoted(name) }
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A name for each of a list that no two share: a later one of the same gets underscores.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for mut name in names {
        // An object with a function of this name would be taken for a promise.
        if name == "then" {
            name.push('_');
        }
        while list.contains(&name) {
            name.push('_');
        }
        list.push(name);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::{comment, distinct, property};

    #[test]
    fn documentation_can_not_end_its_comment_nor_begin_a_tag() {
        let text = comment("one */ alert(1) /*\n@deprecated two\r\u{2028}", "  ");
        assert_eq!(text, "  /**\n   * one *\\/ alert(1) /*\n   * \\@deprecated two\n   */\n");
        assert_eq!(comment("one line", ""), "/** one line */\n");
        assert_eq!(comment(" \n", ""), "");
    }

    #[test]
    fn names_that_are_no_identifiers_are_quoted() {
        assert_eq!(property("delete"), "delete");
        assert_eq!(property("a b\""), "\"a b\\\"\"");
        assert_eq!(property(""), "\"\"");
        assert_eq!(property("1a"), "\"1a\"");
    }

    #[test]
    fn names_that_became_the_same_are_told_apart_and_no_object_is_a_promise() {
        let names = ["sha256", "sha256", "then"].map(str::to_owned).into_iter();
        assert_eq!(distinct(names), ["sha256", "sha256_", "then_"]);
    }
}
