//! Where in the manifest something is wrong.

use std::path::Path;

use crate::error::AppError;

/// Turns an error of the parser into ours: with line, column and the nearest key.
pub(super) fn error(file: &Path, text: &str, error: &toml::de::Error) -> AppError {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    let message = without_values(&error.message().trim().replace('\n', " "));
    let hint = nearest(&message);
    AppError::Manifest { file: file.to_owned(), line, column, message, hint }
}

/// An error about a word of the manifest, at its first place.
pub(super) fn at(file: &Path, text: &str, word: &str, message: String, hint: &str) -> AppError {
    let (line, column) = position(text, text.find(word).unwrap_or(0));
    AppError::Manifest { file: file.to_owned(), line, column, message, hint: Some(hint.to_owned()) }
}

/// The parser quotes what it found, which may be a URL with a password that stands
/// in the wrong place: whatever looks like one is left out.
fn without_values(message: &str) -> String {
    let is_suspect = |part: &str| part.contains("://") || part.contains('@');
    if !is_suspect(message) {
        return message.to_owned();
    }
    let shown: String = message
        .split_inclusive(['`', '"'])
        .map(|part| if is_suspect(part) { "…`" } else { part })
        .collect();
    if is_suspect(&shown) { "this value is not of the expected form".to_owned() } else { shown }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).map_or(0, |rest| rest.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

/// The parser says "unknown field `x`, expected one of `a`, `b`": the candidates
/// are all there.
fn nearest(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown") {
        return None;
    }
    let wrong = words.next()?;
    let best = words
        .max_by(|a, b| strsim::jaro_winkler(a, wrong).total_cmp(&strsim::jaro_winkler(b, wrong)))?;
    (strsim::jaro_winkler(best, wrong) > 0.7).then(|| format!("did you mean `{best}`?"))
}
