//! Strings as users paste them.

use super::*;

fn parse(url: &str) -> Endpoint {
    Endpoint::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn error(url: &str) -> UrlError {
    Endpoint::parse(url).err().unwrap_or_else(|| panic!("{url} was accepted"))
}

/// `user@servers/database`, TLS mode and pooling of a string.
fn check(url: &str, redacted: &str, mode: TlsMode, is_pooled: bool) {
    let endpoint = parse(url);
    assert_eq!(endpoint.redacted(), format!("postgres://{redacted}"), "{url}");
    assert_eq!(endpoint.tls.mode, mode, "{url}");
    assert_eq!(endpoint.is_pooled(), is_pooled, "{url}");
}

/// String, what it means, TLS mode, whether a pooler stands in between.
type Case = (&'static str, &'static str, TlsMode, bool);

const PASTED: &[Case] = &[
    // Neon
    (
        "postgresql://u:npg_x@ep-cool-1-pooler.us-east-2.aws.neon.tech/neondb?sslmode=require&channel_binding=require",
        "u@ep-cool-1-pooler.us-east-2.aws.neon.tech:5432/neondb",
        TlsMode::VerifyFull,
        true,
    ),
    (
        "postgresql://u:npg_x@ep-cool-1.us-east-2.aws.neon.tech/neondb?sslmode=require",
        "u@ep-cool-1.us-east-2.aws.neon.tech:5432/neondb",
        TlsMode::VerifyFull,
        false,
    ),
    (
        "psql 'postgresql://u:p@ep-cool-1.us-east-2.aws.neon.tech/neondb?sslmode=require'",
        "u@ep-cool-1.us-east-2.aws.neon.tech:5432/neondb",
        TlsMode::VerifyFull,
        false,
    ),
    (
        "postgres://u:p@ep-x.neon.tech/d?options=endpoint%3Dep-x&sslnegotiation=direct",
        "u@ep-x.neon.tech:5432/d",
        TlsMode::VerifyFull,
        false,
    ),
    // Supabase
    (
        "postgresql://postgres.ref:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true",
        "postgres.ref@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
        TlsMode::VerifyFull,
        true,
    ),
    (
        "postgresql://postgres.ref:p@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        "postgres.ref@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        TlsMode::VerifyFull,
        false,
    ),
    (
        "postgres://postgres:p@db.ref.supabase.co:6543/postgres?supa=base-pooler.x",
        "postgres@db.ref.supabase.co:6543/postgres",
        TlsMode::VerifyFull,
        true,
    ),
    // RDS and its proxy
    (
        "postgres://app:p@my.abc.eu-west-1.rds.amazonaws.com:5432/app?sslmode=verify-full&sslrootcert=/etc/rds.pem",
        "app@my.abc.eu-west-1.rds.amazonaws.com:5432/app",
        TlsMode::VerifyFull,
        false,
    ),
    (
        "postgres://app:p@my.proxy-abc.eu-west-1.rds.amazonaws.com/app",
        "app@my.proxy-abc.eu-west-1.rds.amazonaws.com:5432/app",
        TlsMode::VerifyFull,
        true,
    ),
    // Prisma, drivers, wrappings
    (
        "postgresql://u:p@h:5432/d?schema=public&connection_limit=5&pool_timeout=10",
        "u@h:5432/d",
        TlsMode::VerifyFull,
        false,
    ),
    ("postgresql+asyncpg://u:p@h/d", "u@h:5432/d", TlsMode::VerifyFull, false),
    (
        "jdbc:postgresql://h:5433/d?user=u&password=p&ApplicationName=x",
        "u@h:5433/d",
        TlsMode::VerifyFull,
        false,
    ),
    ("DATABASE_URL=\"postgres://u:p@h/d\"", "u@h:5432/d", TlsMode::VerifyFull, false),
    ("export DATABASE_URL='postgres://u:p@h/d'\n", "u@h:5432/d", TlsMode::VerifyFull, false),
    // Modes of TLS
    ("postgres://u@h/d?sslmode=disable", "u@h:5432/d", TlsMode::Disabled, false),
    ("postgres://u@h/d?sslmode=prefer", "u@h:5432/d", TlsMode::VerifyFull, false),
    ("postgres://u@h/d?sslmode=allow", "u@h:5432/d", TlsMode::VerifyFull, false),
    ("postgres://u@h/d?sslmode=verify-ca", "u@h:5432/d", TlsMode::VerifyCa, false),
    ("postgres://u@h/d?sslmode=no-verify", "u@h:5432/d", TlsMode::Unverified, false),
    (
        "postgres://u@h/d?sslmode=require&uselibpqcompat=true",
        "u@h:5432/d",
        TlsMode::Unverified,
        false,
    ),
    ("postgres://u@h/d?ssl=true", "u@h:5432/d", TlsMode::VerifyFull, false),
    ("postgres://u@h/d?ssl=false", "u@h:5432/d", TlsMode::Disabled, false),
    ("postgres://u@h/d?sslaccept=accept_invalid_certs", "u@h:5432/d", TlsMode::Unverified, false),
    ("postgres://u@localhost/d", "u@localhost:5432/d", TlsMode::Opportunistic, false),
    ("postgres://u@127.0.0.1/d?sslmode=require", "u@127.0.0.1:5432/d", TlsMode::VerifyFull, false),
    ("postgres://u@[::1]:5433/d", "u@[::1]:5433/d", TlsMode::Opportunistic, false),
    (
        "postgres://u@localhost/d?sslnegotiation=direct",
        "u@localhost:5432/d",
        TlsMode::VerifyFull,
        false,
    ),
    // Sockets
    (
        "postgres://u@/d?host=/var/run/postgresql",
        "u@/var/run/postgresql/.s.PGSQL.5432/d",
        TlsMode::Disabled,
        false,
    ),
    (
        "postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/d",
        "u@/var/run/postgresql/.s.PGSQL.5433/d",
        TlsMode::Disabled,
        false,
    ),
    (
        "host=/tmp user=u dbname=d sslmode=require",
        "u@/tmp/.s.PGSQL.5432/d",
        TlsMode::Disabled,
        false,
    ),
    // Lists
    (
        "host=h port=5433 user=u dbname='my db' password='it\\'s'",
        "u@h:5433/my db",
        TlsMode::VerifyFull,
        false,
    ),
    ("host = h user=u", "u@h:5432/u", TlsMode::VerifyFull, false),
    (
        "host=name.test hostaddr=127.0.0.1 user=u dbname=d",
        "u@name.test:5432/d",
        TlsMode::Opportunistic,
        false,
    ),
    (
        "postgres://u@a:1,b,c:3/d?target_session_attrs=read-write",
        "u@a:1, b:5432, c:3/d",
        TlsMode::VerifyFull,
        false,
    ),
    (
        "postgres://u@a,b:5432/d?load_balance_hosts=random",
        "u@a:5432, b:5432/d",
        TlsMode::VerifyFull,
        false,
    ),
    // Poolers of unknown make
    ("postgres://u@h:6432/d", "u@h:6432/d", TlsMode::VerifyFull, true),
    ("postgres://u@h:6432/d?pgbouncer=false", "u@h:6432/d", TlsMode::VerifyFull, false),
    ("postgres://u@h/d?pgbouncer=true", "u@h:5432/d", TlsMode::VerifyFull, true),
];

#[test]
fn what_providers_hand_out_is_understood() {
    for (url, redacted, mode, is_pooled) in PASTED {
        check(url, redacted, *mode, *is_pooled);
    }
}

#[test]
fn passwords_are_decoded_and_never_shown() {
    for (url, password) in [
        ("postgres://u:p%40ss%2Fw%25rd@h/d", "p@ss/w%rd"),
        ("postgres://u:p@ss@h/d", "p@ss"),
        ("postgres://u:a:b@h/d", "a:b"),
        ("postgres://u:p#x@h/d", "p#x"),
        ("postgres://u:endpoint=ep-x;secret@h/d", "endpoint=ep-x;secret"),
        ("host=h user=u password='a b'", "a b"),
    ] {
        let endpoint = parse(url);
        assert_eq!(endpoint.password(), Some(password), "{url}");
        let shown = format!("{endpoint:?} {} {:?}", endpoint.redacted(), endpoint.explain());
        assert!(!shown.contains(password), "{shown}");
    }
    assert_eq!(parse("postgres://u@h/d").password(), None);
}

#[test]
fn what_is_wrong_is_named() {
    for (url, expected) in [
        ("", "the connection string is empty"),
        ("  '' ", "the connection string is empty"),
        ("nonsense", "neither a postgres:// URL"),
        ("mysql://u@h/d", "`mysql://` is not a Postgres URL"),
        ("prisma+postgres://accelerate.x/?api_key=k", "`prisma+postgres://` is not"),
        ("postgres://u@h/d?sslmod=require", "did you mean `sslmode`?"),
        ("postgres://u@h/d?conection_limit=1", "did you mean `connection_limit`?"),
        ("postgres://u@h/d?frobnicate=1", "unknown option `frobnicate`"),
        ("postgres://u@h/d?sslmode=full", "option `sslmode` expects disable, allow"),
        ("postgres://u@h/d?connect_timeout=soon", "option `connect_timeout` expects a number"),
        ("postgres://u@h/d?pgbouncer=maybe", "option `pgbouncer` expects true or false"),
        ("postgres://u@h/d?sslmode", "an option after `?` has no `=`"),
        ("postgres://u@h:0/d", "`0` is not a port"),
        ("postgres://u@h:54321234/d", "is not a port"),
        ("postgres://u:p%4@h/d", "the password has a malformed percent escape"),
        ("postgres://u:100%@h/d", "the password has a malformed percent escape"),
        ("postgres://u:p%ff@h/d", "the password has a malformed percent escape"),
        ("postgres://u:p%00@h/d", "the password has a malformed percent escape"),
        ("postgres://u:pa/ss@h/d", "cut short by an unescaped `/`"),
        ("postgres://u:pa?ss@h/d", "cut short by an unescaped `?`"),
        ("postgres://u@[::1/d", "an IPv6 address lacks its `]`"),
        ("host=h user='x", "a quote is not closed"),
        ("host=a,b,c port=1,2 user=u", "different lengths"),
        ("host=h user=u service=x", "option `service` is not supported"),
        ("postgres://u@h/d?options=-B%205", "option `options` is not supported"),
        ("postgres://u@h/d?sslcert=/a", "option `sslcert` expects `sslkey`"),
        ("postgres://u@h/d?sslmode=disable&channel_binding=require", "`require` needs TLS"),
        ("postgres://u@h/d?gssencmode=require", "option `gssencmode` is not supported"),
        ("postgres://u@h/d?client_encoding=latin1", "option `client_encoding` expects utf8"),
    ] {
        let message = error(url).to_string();
        assert!(message.contains(expected), "{url}: {message}");
    }
}

#[test]
fn an_error_never_shows_a_password() {
    for url in [
        "postgres://u:hunter2/x@h/d",
        "postgres://u:hunter2%@h/d",
        "postgres://u:hunter2?x@h/d",
        "postgres://u:hunter2@h:99999/d",
        "postgres://u:hunter2@h/d?sslmod=1",
        "host=h user=u password='hunter2",
        "host=h user=u password=hunter2 oops",
    ] {
        let error = error(url);
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn settings_of_the_url_are_kept_apart_from_the_startup_message() {
    let endpoint = parse(
        "postgres://u@h/d?schema=app&options=-c%20statement_timeout%3D5s%20-c%20work_mem%3D1MB",
    );
    let names: Vec<&str> = endpoint.settings().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["search_path", "statement_timeout", "work_mem"]);
    assert_eq!(endpoint.startup_options, None);
    // The host's name says the endpoint already, so that nothing needs to be sent.
    assert_eq!(
        parse("postgres://u@ep-x-pooler.neon.tech/d?options=endpoint%3Dep-x").startup_options,
        None
    );
    let other = parse("postgres://u@proxy.test/d?options=endpoint%3Dep-x");
    assert_eq!(other.startup_options.as_deref(), Some("endpoint=ep-x"));
}

#[test]
fn cancel_requests_are_kept_from_poolers_of_unknown_make() {
    assert!(parse("postgres://u@h/d").accepts_cancel());
    assert!(parse("postgres://u@ep-x-pooler.neon.tech/d").accepts_cancel());
    assert!(!parse("postgres://u@h:6432/d").accepts_cancel());
}

#[test]
fn credentials_and_database_can_be_replaced() {
    let endpoint =
        parse("postgres://u:p@h/d").with_credentials("other", Some("q")).with_database("e");
    assert_eq!(endpoint.redacted(), "postgres://other@h:5432/e");
    assert_eq!(endpoint.password(), Some("q"));
    assert_eq!(endpoint.with_credentials("x", None).password(), None);
}

#[test]
fn limits_and_times_are_read() {
    let endpoint = parse("postgres://u@h/d?connection_limit=7&pool_timeout=3&connect_timeout=4");
    assert_eq!(endpoint.connection_limit(), Some(7));
    assert_eq!(endpoint.pool_timeout(), Some(Duration::from_secs(3)));
    assert_eq!(endpoint.connect_timeout(), Some(Duration::from_secs(4)));
    assert_eq!(parse("postgres://u@h/d?connect_timeout=0").connect_timeout(), None);
}
