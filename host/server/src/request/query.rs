//! Arguments in a query string: texts as they stand, everything else as JSON.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::backend::Parameter;
use crate::json;
use crate::names;
use crate::problem::{Kind, Problem};

/// Reads `name=value&…` as HTML forms write it (the URL standard, section 5.1).
pub(crate) fn arguments(
    query: &str,
    parameters: &[Parameter],
    depth: usize,
) -> Result<Map<String, Value>, Problem> {
    let mut arguments = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        let parameter = parameters.iter().find(|known| known.name == name);
        let parameter = parameter.ok_or_else(|| unknown(&name, parameters))?;
        let value = if parameter.is_text {
            Value::String(value.into_owned())
        } else {
            json::read(value.as_bytes(), depth).map_err(|error| {
                let detail = format!("{}: {error}", parameter.name);
                Problem::new(Kind::Arguments, detail).with_hint("write its value as JSON")
            })?
        };
        if arguments.insert(parameter.name.clone(), value).is_some() {
            let detail = format!("The argument {} is there twice.", parameter.name);
            return Err(Problem::new(Kind::Arguments, detail).with_hint("give each argument once"));
        }
    }
    Ok(arguments)
}

/// The problem with a name that no parameter has.
pub(crate) fn unknown(name: &str, parameters: &[Parameter]) -> Problem {
    let known = parameters.iter().map(|parameter| parameter.name.as_str());
    let problem =
        Problem::new(Kind::Arguments, format!("There is no parameter {}.", names::shown(name)));
    match names::nearest(name, known.clone()) {
        Some(nearest) => problem.with_hint(format!("did you mean {nearest}?")),
        None if parameters.is_empty() => problem.with_hint("the function has no parameters"),
        None => problem.with_hint(format!("there are {}", known.collect::<Vec<_>>().join(", "))),
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, Problem> {
    let refused = |_| {
        Problem::new(Kind::Request, "The query string is not UTF-8.")
            .with_hint("percent-encode it as UTF-8")
    };
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map_err(refused)?;
        return Ok(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().map_err(refused)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: &str) -> Result<Value, Kind> {
        let parameter = |name: &str, is_text| Parameter { name: name.into(), is_text };
        let parameters = [parameter("chatId", true), parameter("limit", false)];
        arguments(query, &parameters, 8).map(Value::Object).map_err(|problem| problem.kind)
    }

    #[test]
    fn texts_stand_for_themselves_and_others_are_json() {
        assert_eq!(read("chatId=7&limit=20"), Ok(json!({"chatId": "7", "limit": 20})));
        assert_eq!(read("chatId=a%26b+c%2Bd"), Ok(json!({"chatId": "a&b c+d"})));
        assert_eq!(read("limit=%7B%22a%22%3A1%7D&"), Ok(json!({"limit": {"a": 1}})));
        assert_eq!(read("chatId"), Ok(json!({"chatId": ""})));
        assert_eq!(read(""), Ok(json!({})));
    }

    #[test]
    fn what_is_unknown_twice_or_malformed_is_refused() {
        for query in
            ["chatid=7", "limit=a", "limit=1&limit=1", "limit=", "limit=%7B%22a%22:1,%22a%22:1%7D"]
        {
            assert_eq!(read(query), Err(Kind::Arguments), "{query}");
        }
        assert_eq!(read("chatId=%ff"), Err(Kind::Request));
    }

    #[test]
    fn the_nearest_parameter_is_named() {
        let parameters = [Parameter { name: "chatId".into(), is_text: true }];
        let problem = unknown("chatid", &parameters);
        assert_eq!(problem.hint.as_deref(), Some("did you mean chatId?"));
    }
}
