//! `/openapi.json`, and `/`: the same to read. The page is one document without scripts; nothing of it
//! comes from elsewhere, and nothing of the OpenAPI document is taken for markup.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::prepare;
use super::{Refusal, only_reads};
use crate::request::{self, Tag};
use crate::shared::Shared;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    code{font-family:ui-monospace,monospace}section{border-top:1px solid #8888;padding:.5rem 0}\
    h2{font-size:1rem;margin:.5rem 0}p{margin:.25rem 0}table{border-spacing:0}\
    td{padding:0 1rem 0 0;vertical-align:top}@media(prefers-color-scheme:dark){\
    body{background:#111;color:#eee}a{color:#8cf}}";

/// Methods of an OpenAPI path, in the order in which they are shown.
const METHODS: [&str; 2] = ["get", "post"];

/// The document of what serves at the moment.
pub(super) async fn openapi(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match allowed(&shared, &parts.method, &parts.headers).await {
        Ok(()) => document(&shared.backend.openapi(), &parts.headers),
        Err(refusal) => refusal.into_response(),
    }
}

/// The functions, to read by people.
pub(super) async fn page(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match allowed(&shared, &parts.method, &parts.headers).await {
        Ok(()) => html(&render(&shared.backend.openapi())),
        Err(refusal) => refusal.into_response(),
    }
}

async fn allowed(shared: &Shared, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    prepare::caller(shared, headers).await?;
    only_reads(method)
}

fn document(text: &Arc<str>, asked: &HeaderMap) -> Response {
    let tag = Tag::of(text.as_bytes());
    let mut response = if request::matches_tag(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        text.to_string().into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(tag) = tag.to_header() {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn html(page: &str) -> Response {
    let mut response = page.to_owned().into_response();
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn render(openapi: &str) -> String {
    let document: Value = serde_json::from_str(openapi).unwrap_or_default();
    let title = document.pointer("/info/title").and_then(Value::as_str).unwrap_or("avenire-db");
    let title = escaped(title);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><h1>{title}</h1>\
         <p>The functions that serve at the moment. For programs: <a href=\"/openapi.json\">OpenAPI</a>.</p>"
    );
    let paths = document.get("paths").and_then(Value::as_object);
    let mut count = 0_usize;
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                count += 1;
                render_operation(&mut page, method, path, operation);
            }
        }
    }
    if count == 0 {
        page.push_str("<p>There are none.</p>");
    }
    page
}

fn render_operation(page: &mut String, method: &str, path: &str, operation: &Value) {
    let method = method.to_ascii_uppercase();
    _ = write!(page, "<section><h2><code>{method} {}</code></h2>", escaped(path));
    for member in ["summary", "description"] {
        if let Some(text) = operation.get(member).and_then(Value::as_str) {
            _ = write!(page, "<p>{}</p>", escaped(text));
        }
    }
    let schema = operation.pointer("/requestBody/content/application~1json/schema/properties");
    let body = schema.and_then(Value::as_object).into_iter().flatten();
    let body = body.map(|(name, schema)| (name.as_str(), schema));
    let query = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let query = query.filter_map(|parameter| {
        Some((parameter.get("name")?.as_str()?, parameter.get("schema").unwrap_or(parameter)))
    });
    page.push_str("<table>");
    for (name, schema) in body.chain(query) {
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let cells = (escaped(name), escaped(kind), escaped(about));
        _ = write!(page, "<tr><td><code>{}</code><td>{}<td>{}", cells.0, cells.1, cells.2);
    }
    page.push_str("</table></section>");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_listed_with_their_parameters_and_nothing_becomes_markup() {
        let page = render(
            r#"{"info":{"title":"<b>"},"paths":{"/v1/chat/get-<i>":{"post":{
                "summary":"<script>alert(1)</script>",
                "requestBody":{"content":{"application/json":{"schema":{"properties":{
                    "chatId":{"type":"string","description":"\"which\""}}}}}}}}}}"#,
        );
        assert!(page.contains("POST /v1/chat/get-&lt;i&gt;"));
        assert!(page.contains("<td><code>chatId</code><td>string<td>&quot;which&quot;"));
        assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("<i>"));
    }

    #[test]
    fn a_document_of_another_form_is_an_empty_list() {
        for text in ["", "[]", r#"{"paths":7}"#, r#"{"paths":{"/a":7}}"#] {
            assert!(render(text).contains("There are none."), "{text}");
        }
    }
}
