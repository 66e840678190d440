//! The id of a request: the caller's when it is well-formed, else a new one.

use http::{HeaderMap, HeaderName, HeaderValue};
use rand::RngExt as _;

/// Where it stands, both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST: usize = 128;

/// 1 to 128 of letters, digits, `-`, `_`, `.`, `:`: safe in logs, headers and URNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) const HEADER: HeaderName = HEADER;

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match given.filter(|text| is_well_formed(text)) {
            Some(text) => Self(text.to_owned()),
            None => Self(format!("{:032x}", rand::rng().random::<u128>())),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

fn is_well_formed(text: &str) -> bool {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_id_is_kept_and_another_one_replaced() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(text).expect("a header"));
            RequestId::of(&headers).0
        };
        assert_eq!(of("req-1.a:b_c"), "req-1.a:b_c");
        for text in ["", "a b", "a\tb", "\"><script>", &"x".repeat(129)] {
            let id = of(text);
            assert_eq!(id.len(), 32, "{text}");
            assert!(is_well_formed(&id));
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
