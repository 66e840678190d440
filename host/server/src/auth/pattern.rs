//! What a scope or a rule is about: functions by name, or one of the server's own words.
//! Never: knows which functions there are.

/// The words that are no functions.
const WORDS: [&str; 1] = ["metrics"];

/// `slot.function` with `*` for any run of characters in each half, `*` for everything, or a word of
/// the server's own (`metrics`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Everything,
    Functions { slot: String, function: String },
    Word(String),
}

impl Pattern {
    pub(crate) const HINT: &str =
        "write `slot.function`, `slot.*`, `*` for everything, or `metrics`";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everything);
        }
        if WORDS.contains(&text) {
            return Some(Self::Word(text.to_owned()));
        }
        let (slot, function) = text.split_once('.')?;
        let is_name = |name: &str| {
            let is_known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*');
            !name.is_empty() && name.len() <= 128 && name.bytes().all(is_known)
        };
        (is_name(slot) && is_name(function)).then(|| Self::Functions {
            slot: slot.into(),
            function: crate::names::kebab_case(function),
        })
    }

    pub(crate) fn is_word(&self) -> bool {
        matches!(self, Self::Word(_))
    }

    /// Whether a function, named as in WIT, is meant.
    pub(crate) fn covers(&self, slot: &str, function: &str) -> bool {
        match self {
            Self::Everything => true,
            // Half by half, so that a dot in a name can not move the border between them.
            Self::Functions { slot: s, function: f } => fits(s, slot) && fits(f, function),
            Self::Word(_) => false,
        }
    }

    /// Whether a word of the server's own is meant.
    pub(crate) fn covers_word(&self, word: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Functions { .. } => false,
            Self::Word(own) => own == word,
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any run of characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        // The earliest place leaves most for what follows.
        let Some(at) = name.find(part) else { return false };
        name = name.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, slot: &str, function: &str) -> bool {
        Pattern::parse(pattern).expect(pattern).covers(slot, function)
    }

    #[test]
    fn functions_are_meant_by_name_or_with_stars() {
        assert!(covers("chat.*", "chat", "get-chat"));
        assert!(covers("chat.get-*", "chat", "get-chat"));
        assert!(covers("chat.getChat", "chat", "get-chat"));
        assert!(covers("*.get-*-by-*", "chat", "get-chat-by-id"));
        assert!(covers("*", "chat", "get-chat"));
        assert!(!covers("chat.get-*", "chat", "save-chat"));
        assert!(!covers("chat.get", "chat", "get-chat"));
        assert!(!covers("chat.*-by-id", "chat", "get-chat-by-id-and-name"));
        assert!(!covers("chat.*", "chats", "get"));
    }

    #[test]
    fn a_dot_in_a_name_of_the_caller_does_not_move_the_border() {
        assert!(!covers("chat.*", "chat.x", "get"));
        assert!(!covers("metrics", "metrics", ""));
    }

    #[test]
    fn words_are_no_functions_and_stars_cover_them_only_alone() {
        assert!(Pattern::parse("metrics").expect("word").covers_word("metrics"));
        assert!(Pattern::Everything.covers_word("metrics"));
        assert!(!Pattern::parse("*.*").expect("pattern").covers_word("metrics"));
        for text in ["", "chat", ".", "chat.", ".get", "chat.get chat", "a.b.c"] {
            assert_eq!(Pattern::parse(text), None, "{text:?}");
        }
    }
}
