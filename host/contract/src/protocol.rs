//! Words of the HTTP interface that the server and its clients share. The TypeScript client has
//! the same ones; a test compares.

/// Begins the path of every call: `/v1/{slot}/{function}`.
pub const CALLS_PATH: &str = "/v1";

/// Where several calls are sent at once.
///
/// The body is an array of `{"slot": …, "function": …, "arguments": {…}}`; the answer, in the
/// same order, one of `{"result": …}` and `{"problem": {…}}`.
pub const BATCH_PATH: &str = "/v1/batch";

/// Media type of arguments and results.
pub const JSON: &str = "application/json";

/// Media type of failures (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Media type of streamed results: one JSON value a line, each line ended by a line feed. Asked
/// for with `Accept`.
pub const NDJSON: &str = "application/x-ndjson";

/// The one member of the last line of a stream that failed midway; its value is the problem
/// document. No streamed element is an object with this key: lists of JSON documents, which
/// could be, are not streamed.
pub const STREAM_PROBLEM: &str = "$problem";

/// `type` of the problem document that carries a component's own failure in `failure`.
pub const FAILURE_TYPE: &str = "urn:avenire:failure";

/// Status of a component's own failure.
pub const FAILURE_STATUS: u16 = 422;

/// Header with what a call is about, such as a tenant: calls of one key go to one generation
/// while there is a canary.
pub const KEY_HEADER: &str = "Avenire-Key";

/// Header that asks, with `true`, to read what the caller wrote before: no replica, no cache.
pub const FRESH_HEADER: &str = "Avenire-Fresh";

/// Header with the milliseconds within which the caller wants its answer.
pub const TIMEOUT_HEADER: &str = "Avenire-Timeout";

/// Header with the id of the request, in both directions.
pub const REQUEST_ID_HEADER: &str = "X-Request-Id";

/// The path of one function.
pub fn call_path(slot: &str, function: &str) -> String {
    format!("{CALLS_PATH}/{slot}/{function}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typescript_client_has_the_same_words() {
        let client = crate::typescript(&[]);
        let words = [
            ("CALLS_PATH", CALLS_PATH),
            ("BATCH_PATH", BATCH_PATH),
            ("JSON_TYPE", JSON),
            ("NDJSON", NDJSON),
            ("STREAM_PROBLEM", STREAM_PROBLEM),
            ("FAILURE_TYPE", FAILURE_TYPE),
            ("KEY_HEADER", KEY_HEADER),
            ("FRESH_HEADER", FRESH_HEADER),
            ("REQUEST_ID_HEADER", REQUEST_ID_HEADER),
        ];
        for (name, word) in words {
            let line = format!("const {name} = \"{word}\";");
            assert!(client.contains(&line), "{line}");
        }
    }
}
