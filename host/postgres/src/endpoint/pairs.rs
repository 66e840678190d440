//! Takes a connection string apart into keys and values. Owns the two syntaxes
//! (URL and `key=value`, PostgreSQL documentation, "Connection Strings") and what
//! people paste around them. Never judges what a key means.

use percent_encoding::percent_decode_str;

use super::error::UrlError;

/// One `key=value`, decoded.
pub(super) type Pair = (String, String);

/// Splits a connection string.
pub(super) fn split(text: &str) -> Result<Vec<Pair>, UrlError> {
    let text = without_wrapping(text);
    if text.is_empty() {
        return Err(UrlError::Empty);
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && is_scheme(scheme)
    {
        return if is_postgres(scheme) {
            split_url(rest)
        } else {
            Err(UrlError::Scheme { scheme: scheme.to_ascii_lowercase() })
        };
    }
    if text.contains('=') { split_list(text) } else { Err(UrlError::Unrecognized) }
}

/// Takes off what is copied along: `psql '…'`, `DATABASE_URL=…`, `export …`,
/// quotes and white space.
fn without_wrapping(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let before = text;
        for command in ["psql ", "export "] {
            text = text.strip_prefix(command).map_or(text, str::trim_start);
        }
        if let Some((name, rest)) = text.split_once('=')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        {
            text = rest.trim();
        }
        for quote in ['"', '\'', '`'] {
            let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            text = inner.map_or(text, str::trim);
        }
        if text == before {
            return text;
        }
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c))
}

/// `postgres`, `postgresql`, with a driver (`postgresql+asyncpg`) or `jdbc:` too.
fn is_postgres(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    let scheme = scheme.strip_prefix("jdbc:").unwrap_or(&scheme);
    let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme);
    matches!(scheme, "postgres" | "postgresql")
}

fn split_url(rest: &str) -> Result<Vec<Pair>, UrlError> {
    let mut pairs = Vec::new();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // Passwords with an unescaped `@` are common, hosts never have one: the last counts.
    let hosts = match authority.rsplit_once('@') {
        Some((userinfo, hosts)) => {
            let (user, password) = match userinfo.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (userinfo, None),
            };
            push(&mut pairs, "user", user)?;
            push(&mut pairs, "password", password.unwrap_or_default())?;
            hosts
        }
        None => authority,
    };
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    check_for_cut_password(authority, path, tail)?;
    split_hosts(hosts, &mut pairs)?;
    push(&mut pairs, "dbname", path.strip_prefix('/').unwrap_or(path))?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or(UrlError::Malformed { problem: "an option after `?` has no `=`" })?;
        let key = decode(key, "options")?;
        let value = decode(value, &format!("option `{key}`"))?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// `postgres://user:pa/ss@host/db`: without this the message would be about a
/// strange port, and would show half of the password.
fn check_for_cut_password(authority: &str, path: &str, tail: &str) -> Result<(), UrlError> {
    let before_query = if path.is_empty() { tail } else { path };
    if !authority.contains('@') && authority.contains(':') && before_query.contains('@') {
        let character = tail.chars().next().unwrap_or('/');
        return Err(UrlError::UnescapedPassword { character });
    }
    Ok(())
}

fn split_hosts(hosts: &str, pairs: &mut Vec<Pair>) -> Result<(), UrlError> {
    if hosts.is_empty() {
        return Ok(());
    }
    let mut names = Vec::new();
    let mut ports = Vec::new();
    for host in hosts.split(',') {
        let (name, port) = match host.strip_prefix('[') {
            Some(rest) => {
                let (name, after) = rest
                    .split_once(']')
                    .ok_or(UrlError::Malformed { problem: "an IPv6 address lacks its `]`" })?;
                (name, after.strip_prefix(':').unwrap_or(after))
            }
            None => host.split_once(':').unwrap_or((host, "")),
        };
        names.push(decode(name, "host")?);
        ports.push(port.to_owned());
    }
    pairs.push(("host".to_owned(), names.join(",")));
    if ports.iter().any(|port| !port.is_empty()) {
        pairs.push(("port".to_owned(), ports.join(",")));
    }
    Ok(())
}

fn push(pairs: &mut Vec<Pair>, part: &str, encoded: &str) -> Result<(), UrlError> {
    if !encoded.is_empty() {
        pairs.push((part.to_owned(), decode(encoded, part)?));
    }
    Ok(())
}

/// Percent-decodes strictly: a stray `%` is an error that names the part.
fn decode(text: &str, part: &str) -> Result<String, UrlError> {
    let wrong = || UrlError::PercentEncoding { part: part.to_owned() };
    for (at, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(at + 1..at + 3).ok_or_else(wrong)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(wrong());
        }
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| wrong())?;
    if decoded.contains('\0') { Err(wrong()) } else { Ok(decoded.into_owned()) }
}

/// libpq's `key = 'value'` list: quotes, and backslashes before quotes and
/// backslashes.
fn split_list(text: &str) -> Result<Vec<Pair>, UrlError> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once('=').ok_or(UrlError::Malformed { problem: "a word has no `=`" })?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(UrlError::Malformed { problem: "a key is missing or has spaces" });
        }
        let (value, after) = list_value(after.trim_start())?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

fn list_value(text: &str) -> Result<(String, &str), UrlError> {
    let (quoted, text) = match text.strip_prefix('\'') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped)) => value.push(escaped),
                None => return Err(UrlError::Malformed { problem: "it ends with a backslash" }),
            },
            '\'' if quoted => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            space if !quoted && space.is_whitespace() => {
                return Ok((value, text.get(at..).unwrap_or_default()));
            }
            other => value.push(other),
        }
    }
    if quoted {
        return Err(UrlError::Malformed { problem: "a quote is not closed" });
    }
    Ok((value, ""))
}
