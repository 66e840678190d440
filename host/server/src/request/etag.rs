//! Strong entity tags, and whether a caller has the answer already (RFC 9110, sections 8.8.3, 13.1.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

/// A strong entity tag: the digest of a body.
pub(crate) struct Tag(String);

impl Tag {
    pub(crate) fn of(body: &[u8]) -> Self {
        let digest = Sha256::digest(body);
        // 132 bits: nobody finds two bodies for one.
        let text: String = URL_SAFE_NO_PAD.encode(digest).chars().take(22).collect();
        Self(format!("\"{text}\""))
    }

    pub(crate) fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

/// Whether `If-None-Match` has the tag, or a star. Compared weakly, as the standard says.
pub(crate) fn matches(headers: &HeaderMap, tag: &Tag) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_one_body_and_found_among_others() {
        let tag = Tag::of(b"[1]");
        assert_eq!(tag.0.len(), 24);
        assert_ne!(tag.0, Tag::of(b"[2]").0);
        let has = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(text).expect("a header"));
            matches(&headers, &tag)
        };
        assert!(has(&tag.0) && has(&format!("\"x\", W/{}", tag.0)) && has("*"));
        assert!(!has("\"x\"") && !has(""));
    }
}
