//! In which form an answer is wanted (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

/// In which form an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/json`.
    Json,
    /// `application/x-ndjson`: a value a line, as they come.
    Lines,
}

/// The form that the headers ask for; nothing when it can not be given. Without the header, JSON.
/// Lines are given only when they are named and not less wanted than JSON.
pub(crate) fn form(headers: &HeaderMap) -> Option<Form> {
    if !headers.contains_key(header::ACCEPT) {
        return Some(Form::Json);
    }
    let mut json = None;
    let mut lines = None;
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let (name, weight) = weighed(range);
            match name.as_str() {
                "application/x-ndjson" => lines = Some(weight),
                // The most exact range counts, whatever its place.
                "application/json" => json = Some((3, weight)),
                "application/*" if json.is_none_or(|(rank, _)| rank <= 2) => {
                    json = Some((2, weight));
                }
                "*/*" if json.is_none_or(|(rank, _)| rank <= 1) => json = Some((1, weight)),
                _ => {}
            }
        }
    }
    let json = json.map_or(0, |(_, weight)| weight);
    match lines.unwrap_or(0) {
        weight if weight > 0 && weight >= json => Some(Form::Lines),
        _ if json > 0 => Some(Form::Json),
        _ => None,
    }
}

/// Name and weight in thousandths of one range.
fn weighed(range: &str) -> (String, u16) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .map_or(1000, thousandths);
    (name, weight)
}

/// `0.25` → 250; what is no weight counts as 0 (section 12.4.2).
fn thousandths(text: &str) -> u16 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    let part: u16 = format!("{part:0<3}").parse().unwrap_or(0);
    match whole {
        "0" => part,
        "1" if part == 0 => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn lines_are_given_when_named_and_json_otherwise() {
        for (text, wanted) in [
            ("*/*", Some(Form::Json)),
            ("application/json", Some(Form::Json)),
            ("application/x-ndjson", Some(Form::Lines)),
            ("Application/X-NDJSON; charset=utf-8", Some(Form::Lines)),
            ("application/x-ndjson, */*;q=0.1", Some(Form::Lines)),
            ("application/x-ndjson;q=0.5, application/json", Some(Form::Json)),
            ("application/x-ndjson;q=0, */*", Some(Form::Json)),
            ("application/json;q=0, */*", None),
            ("text/html, application/*;q=0.5", Some(Form::Json)),
            ("text/html", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(text).expect("a header"));
            assert_eq!(form(&headers), wanted, "{text}");
        }
        assert_eq!(form(&HeaderMap::new()), Some(Form::Json));
    }
}
