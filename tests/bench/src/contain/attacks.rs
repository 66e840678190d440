//! The attacks: what each sends, and under which name it is measured.

use serde_json::{Value, json};

/// One attack.
pub(super) struct Attack {
    /// Name of its figure.
    pub(super) figure: &'static str,
    pub(super) meaning: &'static str,
    /// The function of the hostile component.
    pub(super) function: &'static str,
    /// Its arguments in the call of that number.
    pub(super) arguments: fn(u64) -> Value,
}

macro_rules! attacks {
    ($($name:literal: $meaning:literal, $function:literal, $arguments:expr;)+) => {
        /// Every attack that is measured.
        pub(super) const ATTACKS: &[Attack] = &[$(Attack {
            figure: concat!("neighbour-p99-ratio-", $name),
            meaning: concat!("beside eight callers whose calls ", $meaning),
            function: $function,
            arguments: $arguments,
        }),+];
    };
}

attacks! {
    "loop": "loop", "loop-forever", |_| json!({});
    "hammer": "send refused statements for ever", "hammer-forever", |_| json!({});
    "allocate": "allocate beyond their memory", "allocate-forever", |_| json!({});
    "recurse": "recurse beyond their stack", "recurse-forever", |_| json!({});
    "panic": "panic", "panic", |_| json!({"message": "no"});
    "log": "log without an end", "log-flood", |_| json!({"messages": 10_000, "bytes": 8_000});
    "result": "return too much", "huge-result", |_| json!({"bytes": 8 << 20});
    "leak": "leave transactions and cursors open", "run", |_| leaks();
    "forge": "use handles that they do not have", "run",
        |_| json!({"steps": ["use-invented-transaction"]});
    "malformed": "send malformed parameters", "bad-parameters", |_| json!({"flaw": "length-too-large"});
    "huge-sql": "send 10 MB of SQL", "huge-statement", |_| json!({"bytes": 10 << 20});
    "role": "try to change role", "run-batch", |_| refused();
    "cursors": "open cursors without an end", "run", |_| cursors();
    "locks": "keep a lock", "run", |_| locks();
    "sleep": "sleep in SQL", "sleep-in-sql", |_| json!({"seconds": 600});
    "rows": "read rows without an end", "run-sql",
        |_| json!({"sql": "select generate_series(1, 1000000000)"});
    "discarded": "let rows without an end be thrown away", "execute-sql",
        |_| json!({"sql": "select repeat('x', 1000), generate_series(1, 1000000000)"});
    "row": "read a row of 100 MB", "run-sql", |_| json!({"sql": "select repeat('x', 100000000)"});
    "statements": "send statements that are all different", "run-batch", different;
    "recursive-sql": "compute in SQL without an end", "run-sql", |_| json!({"sql":
        "with recursive a as (select 1 as n union all select n + 1 from a) select count(*) from a"});
}

fn leaks() -> Value {
    let open = json!({"tag": "transaction-open-cursor", "val": "select generate_series(1, 9)"});
    json!({"steps": ["begin", open, "forget-cursor", "forget-transaction"]})
}

fn refused() -> Value {
    let statements = [
        "set role postgres",
        "select set_config('role', 'postgres', false)",
        "listen news",
        "copy prey to program 'id'",
        "select rolpassword from pg_authid",
        "set statement_timeout = 0",
        "deallocate all",
    ];
    json!({"statements": statements})
}

fn cursors() -> Value {
    let open = json!({"tag": "transaction-open-cursor", "val": "select generate_series(1, 9)"});
    let mut steps = vec![json!("begin")];
    for _ in 0..10_000 {
        steps.extend([open.clone(), json!("forget-cursor")]);
    }
    json!({"steps": steps})
}

fn locks() -> Value {
    let lock = json!({"tag": "transaction-execute",
        "val": "lock table prey in access exclusive mode"});
    let sleep = json!({"tag": "transaction-query", "val": "select pg_sleep(600)"});
    json!({"steps": ["begin", lock, sleep]})
}

fn different(call: u64) -> Value {
    let statements: Vec<String> =
        (0..100).map(|number| format!("select {number} as a{call}")).collect();
    json!({"statements": statements})
}
