//! Interprets the key `options`, which libpq passes to the server's command line
//! (PostgreSQL documentation, "Shared Library and Startup Options" of libpq's
//! parameter key words). Owns its syntax; never sends it as it is, since poolers
//! refuse it.

use super::error::UrlError;

/// What `options` asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Startup {
    /// Neon's `endpoint=…` or `project=…`.
    pub(super) routing: Option<String>,
    /// `-c name=value` and `--name=value`, in order.
    pub(super) settings: Vec<(String, String)>,
}

pub(super) fn interpret(options: &str) -> Result<Startup, UrlError> {
    let mut startup = Startup::default();
    let mut words = words(options).into_iter();
    while let Some(word) = words.next() {
        if word.starts_with("endpoint=") || word.starts_with("project=") {
            startup.routing = Some(word);
        } else if word == "-c" {
            startup.settings.push(setting(&words.next().unwrap_or_default())?);
        } else if let Some(pair) = word.strip_prefix("-c") {
            startup.settings.push(setting(pair)?);
        } else if let Some(pair) = word.strip_prefix("--") {
            startup.settings.push(setting(pair)?);
        } else {
            return Err(UrlError::Unsupported {
                key: "options".to_owned(),
                reason: "only `-c name=value`, `--name=value` and Neon's `endpoint=…` are understood",
            });
        }
    }
    Ok(startup)
}

fn setting(pair: &str) -> Result<(String, String), UrlError> {
    let (name, value) = pair
        .split_once('=')
        .filter(|(name, _)| is_setting(name))
        .ok_or(UrlError::Value { key: "options".to_owned(), expected: "`-c name=value`" })?;
    // The server's command line takes dashes for underscores in `--name`.
    Ok((name.replace('-', "_"), value.to_owned()))
}

/// Names go into `SET` statements, so nothing but names passes.
fn is_setting(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Splits at white space; a backslash keeps the next character.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_default().extend(characters.next()),
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_routing_are_told_apart() {
        let startup =
            interpret(r"endpoint=ep-x -c statement_timeout=5s -csearch_path=a,\ b --work-mem=1MB")
                .unwrap();
        assert_eq!(startup.routing.as_deref(), Some("endpoint=ep-x"));
        let settings: Vec<_> =
            startup.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            settings,
            [("statement_timeout", "5s"), ("search_path", "a, b"), ("work_mem", "1MB")]
        );
    }

    #[test]
    fn names_that_are_no_names_and_other_flags_are_refused() {
        for options in ["-c", "-c x", "-c x;drop=1", "-B 5", "--=1", "nonsense"] {
            assert!(interpret(options).is_err(), "{options}");
        }
    }
}
