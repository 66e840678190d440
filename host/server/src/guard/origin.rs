//! Which web pages may call (the Fetch standard, "CORS protocol").
//!
//! A browser lets any page send simple requests and only keeps the answer from it. Where nobody has
//! to authenticate that would be enough to change data, so such requests are refused.

use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::problem::{Kind, Problem};

/// How long a browser may remember what is allowed.
const REMEMBER: Duration = Duration::from_mins(10);

/// The layer that tells browsers which pages may call; none when no page may.
pub(crate) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let named = |name: &'static str| HeaderName::from_static(name);
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            named("avenire-key"),
            named("avenire-timeout"),
            named("avenire-fresh"),
            named("traceparent"),
            named("tracestate"),
            named("x-request-id"),
        ])
        .expose_headers([
            header::ETAG,
            header::RETRY_AFTER,
            named("avenire-generation"),
            named("x-request-id"),
        ])
        .max_age(REMEMBER);
    Some(layer)
}

/// Whether a request comes from no page, from one of this server's own, or from an allowed one.
pub(crate) fn check<B>(request: &Request<B>, allowed: &[String]) -> Result<(), Problem> {
    let headers = request.headers();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_allowed = match (origins.next(), origins.next()) {
        // Browsers leave the origin out of simple reads, and say there what they are (Fetch Metadata).
        (None, _) => {
            let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
            let is_call = request.uri().path().starts_with("/v1/");
            !is_call || matches!(site, None | Some(b"none" | b"same-origin"))
        }
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| {
            allowed.iter().any(|known| known == origin) || is_own(request, origin)
        }),
        (Some(_), Some(_)) => false,
    };
    if is_allowed {
        return Ok(());
    }
    Err(Problem::new(Kind::Origin, "Web pages of this origin may not call.")
        .with_hint("list it in `server.cors.origins` if it may"))
}

/// Whether an origin is the very host that the request was sent to.
fn is_own<B>(request: &Request<B>, origin: &str) -> bool {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let origin = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    origin.is_some() && origin == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/v1/chat/get").header("host", "localhost:7700");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).expect("a request"), &["https://app.example".to_owned()]).is_ok()
    }

    #[test]
    fn only_allowed_pages_and_what_is_no_page_pass() {
        assert!(passes(&[]));
        assert!(passes(&[("origin", "https://app.example")]));
        assert!(passes(&[("origin", "http://localhost:7700")]));
        assert!(passes(&[("sec-fetch-site", "none")]));
        for origin in
            ["https://evil.example", "null", "https://app.example.evil", "localhost:7700", ""]
        {
            assert!(!passes(&[("origin", origin)]), "{origin}");
        }
        assert!(!passes(&[("origin", "https://app.example"), ("origin", "https://evil.example")]));
        assert!(!passes(&[("sec-fetch-site", "cross-site")]));
    }
}
