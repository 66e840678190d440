//! Headers of this interface's own, and the key that calls are routed by.

use std::time::Duration;

use http::HeaderMap;

use crate::problem::{Kind, Problem};

/// The longest routing key, in bytes.
const LONGEST_KEY: usize = 255;

/// `Avenire-Key`: 1 to 255 visible characters.
pub(crate) fn routing_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(text) = single(headers, "avenire-key")? else { return Ok(None) };
    if !is_key(text) {
        return Err(refused("Avenire-Key", "send 1 to 255 visible ASCII characters"));
    }
    Ok(Some(text.to_owned()))
}

/// Whether a text can be a routing key.
pub(crate) fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_KEY && text.bytes().all(|b| b.is_ascii_graphic())
}

/// `Avenire-Timeout`: whole milliseconds from 1 on.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(text) = single(headers, "avenire-timeout")? else { return Ok(None) };
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(millis) if is_number && millis > 0 => Ok(Some(Duration::from_millis(millis))),
        _ => Err(refused("Avenire-Timeout", "send whole milliseconds, at least 1")),
    }
}

/// `Avenire-Fresh: true`: the caller has to see what it wrote before.
pub(crate) fn fresh(headers: &HeaderMap) -> Result<bool, Problem> {
    match single(headers, "avenire-fresh")? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(refused("Avenire-Fresh", "send `true` or `false`")),
    }
}

/// A header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| refused(name, "send visible ASCII characters"))
        }
        (Some(_), Some(_)) => Err(refused(name, "send it once")),
    }
}

fn refused(name: &str, hint: &str) -> Problem {
    Problem::new(Kind::Request, format!("The header {name} is not as expected.")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    #[test]
    fn times_are_whole_milliseconds() {
        let of = |text: &str| timeout(&headers("avenire-timeout", &[text])).ok().flatten();
        assert_eq!(of("250"), Some(Duration::from_millis(250)));
        for text in ["0", "", "-1", "+5", "1.5", "1s", "99999999999999999999"] {
            assert_eq!(of(text), None, "{text:?}");
        }
        assert!(timeout(&headers("avenire-timeout", &["1", "2"])).is_err());
    }

    #[test]
    fn keys_are_visible_and_bounded() {
        let of = |text: &str| routing_key(&headers("avenire-key", &[text]));
        assert_eq!(of("a-1"), Ok(Some("a-1".into())));
        assert!(of("").is_err() && of("a b").is_err() && of(&"x".repeat(256)).is_err());
        assert_eq!(routing_key(&HeaderMap::new()), Ok(None));
    }
}
