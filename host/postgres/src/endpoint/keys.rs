//! The keys of connection strings by name: which are understood, which are refused
//! with a reason, which are passed over. Never gives one a meaning.

use super::error::UrlError;

/// Keys that are understood, for the nearest name of a typo.
const KNOWN: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "connection_limit",
    "currentSchema",
    "dbname",
    "fallback_application_name",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "pgbouncer",
    "pool_timeout",
    "port",
    "schema",
    "search_path",
    "ssl",
    "sslaccept",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "statement_timeout",
    "supa",
    "target_session_attrs",
    "tcp_user_timeout",
    "uselibpqcompat",
    "user",
];

/// Keys that exist elsewhere and can not be honoured here.
const REFUSED: &[(&str, &str)] = &[
    ("service", "connection service files are not read; write the parameters out"),
    ("servicefile", "connection service files are not read; write the parameters out"),
    ("passfile", "password files are not read; put the password into the URL"),
    (
        "sslpassword",
        "decrypt the key: openssl pkcs8 -topk8 -nocrypt -in client.key -out client.pk8",
    ),
    ("sslidentity", "use `sslcert` and `sslkey` with PEM files"),
    ("sslcrl", "revocation lists are not checked"),
    ("sslcrldir", "revocation lists are not checked"),
    ("requirepeer", "the owner of a Unix socket is not checked"),
    ("require_auth", "use `channel_binding=require` to insist on a strong login"),
    ("replication", "replication connections are not used"),
    ("socket", "use `host` with the folder of the socket"),
];

/// Keys without influence here, accepted because they are pasted along.
const IGNORED: &[&str] = &[
    "fallback_application_name",
    "supa",
    "statement_cache_size",
    "sslcompression",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "min_protocol_version",
    "max_protocol_version",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "sslsni",
    "sslcertmode",
    "socket_timeout",
    "single_use_connections",
    "prepareThreshold",
];

/// What a key that has no meaning here leads to: nothing, a reason, or the nearest name.
pub(super) fn unknown(key: &str) -> Result<(), UrlError> {
    if IGNORED.contains(&key) {
        return Ok(());
    }
    if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == key) {
        return Err(UrlError::Unsupported { key: key.to_owned(), reason });
    }
    let nearest = KNOWN
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&key.to_ascii_lowercase(), known), *known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known);
    Err(UrlError::UnknownKey { key: key.chars().take(64).collect(), nearest })
}
