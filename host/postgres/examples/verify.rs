#![allow(warnings, clippy::all, clippy::pedantic)]
use avenire_postgres::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn dl(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}
const CAPS: Caps = Caps { rows: 10_000_000, bytes: 1 << 40 };
fn int4(v: i32) -> Parameters {
    let mut b = vec![1, 0];
    b.extend(23u32.to_le_bytes());
    b.push(1);
    b.extend(4i32.to_le_bytes());
    b.extend(v.to_be_bytes());
    Parameters::parse(b).unwrap()
}
fn rss() -> u64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines()
        .find(|l| l.starts_with("VmRSS"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}
#[derive(Debug)]
struct Out {
    cols: Vec<(u32, Option<(String, i32)>)>,
    rows: Vec<Vec<Option<Vec<u8>>>>,
}
fn unpack(p: &Packed) -> Out {
    let b = &p.bytes[..];
    let mut at = 0;
    let mut take = |n: usize| {
        let s = &b[at..at + n];
        at += n;
        s.to_vec()
    };
    let n = u16::from_le_bytes(take(2).try_into().unwrap());
    let kind = take(1)[0];
    let mut cols = vec![];
    for _ in 0..n {
        let oid = u32::from_le_bytes(take(4).try_into().unwrap());
        let d = if kind == 1 {
            let m = i32::from_le_bytes(take(4).try_into().unwrap());
            let l = u16::from_le_bytes(take(2).try_into().unwrap());
            Some((String::from_utf8(take(l as usize)).unwrap(), m))
        } else {
            None
        };
        cols.push((oid, d));
    }
    let r = u32::from_le_bytes(take(4).try_into().unwrap());
    let mut rows = vec![];
    for _ in 0..r {
        let mut row = vec![];
        for _ in 0..n {
            let l = i32::from_le_bytes(take(4).try_into().unwrap());
            row.push(if l < 0 { None } else { Some(take(l as usize)) });
        }
        rows.push(row);
    }
    assert_eq!(at, b.len());
    assert_eq!(r as u64, p.rows);
    Out { cols, rows }
}
fn i4(o: &Out) -> i32 {
    i32::from_be_bytes(o.rows[0][0].clone().unwrap().try_into().unwrap())
}
fn i8_(o: &Out) -> i64 {
    i64::from_be_bytes(o.rows[0][0].clone().unwrap().try_into().unwrap())
}
async fn idle(pool: &Pool) {
    for _ in 0..400 {
        let f = pool.figures();
        if f.in_use == 0 && f.in_flight == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not idle: {:?}", pool.figures());
}
macro_rules! ok { ($($t:tt)*) => { println!("ok   {}", format!($($t)*)) } }
macro_rules! check { ($c:expr, $($t:tt)*) => { if $c { println!("ok   {}", format!($($t)*)) } else { println!("FAIL {}", format!($($t)*)) } } }

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let admin_url = std::env::args().nth(2).unwrap_or(url.clone());
    let endpoint = Endpoint::parse(&url).unwrap();
    println!("{:?}", endpoint.explain());
    let admin = Session::connect(&Endpoint::parse(&admin_url).unwrap(), dl(20000)).await.unwrap();
    println!("server {}", admin.server_version());
    admin.batch("drop table if exists t, child, big cascade; drop type if exists mood cascade; create type mood as enum ('sad','ok'); create table t(id int primary key, m mood, s text); insert into t values (1,'ok','a'),(2,null,null); create table child(id int, t int references t deferrable initially deferred)").await.unwrap();
    let options =
        PoolOptions { statement_timeout: Some(Duration::from_secs(8)), ..PoolOptions::default() };
    let pool = Pool::new(endpoint.clone(), options.clone());
    let none = Parameters::none();

    // basics
    let p = pool
        .query("select id, m, s from t order by id", &none, Header::Described, CAPS, dl(20000))
        .await
        .unwrap();
    let o = unpack(&p);
    check!(
        o.rows.len() == 2
            && o.rows[0][1].as_deref() == Some(b"ok")
            && o.rows[1][2].is_none()
            && o.cols[2].1 == Some(("s".into(), -1)),
        "query, enum, null, described {:?}",
        o.cols
    );
    let p = pool
        .query("select id, m, s from t where id = $1", &int4(99), Header::Described, CAPS, dl(5000))
        .await
        .unwrap();
    let o = unpack(&p);
    check!(o.rows.is_empty() && o.cols.len() == 3, "empty result keeps header");
    let e = pool.execute("update t set s = 'x' where id = $1", &int4(2), dl(5000)).await.unwrap();
    check!(e == 1, "execute {e}");
    let e = pool.query("select $1::int4", &none, Header::Types, CAPS, dl(5000)).await.unwrap_err();
    check!(matches!(e, Error::Invalid { .. }), "count mismatch: {e}");
    let e = pool.query("selec 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap_err();
    check!(matches!(e, Error::Denied { .. }), "typo: {e}");
    let e = pool.query("select frm", &none, Header::Types, CAPS, dl(5000)).await.unwrap_err();
    check!(
        matches!(&e, Error::Database(d) if d.code=="42703" && d.position==Some(8)),
        "db error: {e} {e:?}"
    );
    let e =
        pool.query("select 1; select 2", &none, Header::Types, CAPS, dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("42601"), "two statements: {e}");
    let e = pool
        .query("insert into t values (1)", &none, Header::Types, CAPS, dl(5000))
        .await
        .unwrap_err();
    check!(
        matches!(&e, Error::Database(d) if d.code=="23505" && d.constraint.as_deref()==Some("t_pkey")),
        "unique: {e}"
    );
    let p = pool
        .query("select $1", &Parameters::texts(&["hi"]), Header::Types, CAPS, dl(5000))
        .await
        .unwrap();
    check!(unpack(&p).rows[0][0].as_deref() == Some(b"hi"), "inferred text");
    let p = pool
        .query("select $1::mood", &Parameters::texts(&["sad"]), Header::Types, CAPS, dl(5000))
        .await
        .unwrap();
    check!(unpack(&p).rows[0][0].as_deref() == Some(b"sad"), "enum param");
    let (a, b) = pool.lookup_type("mood", None, dl(5000)).await.unwrap();
    check!(a > 16383 && b != 0, "lookup {a} {b}");
    let x = pool.lookup_type("mood", Some("public"), dl(5000)).await.unwrap();
    check!(x == (a, b), "lookup schema");
    let e = pool.lookup_type("nope", None, dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("42704"), "{e}");
    // enum param with its own OID, binary
    let mut raw = vec![1, 0];
    raw.extend(a.to_le_bytes());
    raw.push(1);
    raw.extend(2i32.to_le_bytes());
    raw.extend(b"ok");
    let p = pool
        .query(
            "select count(*) from t where m = $1",
            &Parameters::parse(raw).unwrap(),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await
        .unwrap();
    check!(i8_(&unpack(&p)) == 1, "enum oid param");
    // caps
    let e = pool
        .query(
            "select generate_series(1,100)",
            &none,
            Header::Types,
            Caps { rows: 10, bytes: 1 << 20 },
            dl(5000),
        )
        .await
        .unwrap_err();
    check!(matches!(e, Error::RowLimit { maximum: 10 }), "{e}");
    let e = pool
        .query(
            "select generate_series(1,100)",
            &none,
            Header::Types,
            Caps { rows: 1000, bytes: 100 },
            dl(5000),
        )
        .await
        .unwrap_err();
    check!(matches!(e, Error::ByteLimit { .. }), "{e}");
    let c0 = pool.figures().connects;
    let before = rss();
    let t0 = Instant::now();
    let e = pool
        .query(
            "select repeat(chr(120),100) , generate_series(1,20000000)",
            &none,
            Header::Types,
            Caps { rows: 1000, bytes: 1 << 20 },
            dl(5000),
        )
        .await
        .unwrap_err();
    check!(
        matches!(e, Error::RowLimit { .. }) && t0.elapsed() < Duration::from_secs(2),
        "big over cap {e} {:?} rss +{}k",
        t0.elapsed(),
        rss() - before
    );
    let p = pool.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap();
    check!(i4(&unpack(&p)) == 1, "after cap");
    idle(&pool).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let busy = admin.rows("select count(*) from pg_stat_activity where state='active' and query like '%20000000%' and pid<>pg_backend_pid()", &[]).await.unwrap()[0].get::<_, i64>(0);
    check!(busy == 0, "over-cap statement was stopped ({busy})");
    let before = rss();
    let e = pool
        .query("select repeat('x', 500000000)", &none, Header::Types, CAPS, dl(20000))
        .await
        .unwrap_err();
    check!(
        matches!(e, Error::ByteLimit { .. }),
        "giant row: {e} rss +{}k",
        rss().saturating_sub(before)
    );
    let p = pool.query("select 2", &none, Header::Types, CAPS, dl(20000)).await.unwrap();
    check!(i4(&unpack(&p)) == 2, "after giant row, connects {} -> {}", c0, pool.figures().connects);
    // 64 concurrent
    let t0 = Instant::now();
    let mut hs = vec![];
    for i in 0..64i32 {
        let pool = pool.clone();
        hs.push(tokio::spawn(async move {
            for k in 0..200 {
                let v = i * 1000 + k;
                let p = pool
                    .query(
                        "select $1::int4 + 1, repeat('y', 20), id from t where id = 1",
                        &int4(v),
                        Header::Types,
                        CAPS,
                        dl(20000),
                    )
                    .await
                    .unwrap();
                assert_eq!(i4(&unpack(&p)), v + 1);
            }
        }));
    }
    for h in hs {
        h.await.unwrap();
    }
    ok!("64 x 200 concurrent in {:?} figures {:?}", t0.elapsed(), pool.figures());
    check!(pool.figures().shared <= 2, "shared bound");
    // timeouts on shared
    let t0 = Instant::now();
    let e =
        pool.query("select pg_sleep(3)", &none, Header::Types, CAPS, dl(300)).await.unwrap_err();
    check!(
        matches!(e, Error::Timeout { waiting_for: WaitingFor::Answer })
            && t0.elapsed() < Duration::from_millis(800),
        "timeout {e} {:?}",
        t0.elapsed()
    );
    let t0 = Instant::now();
    let p = pool.query("select 3", &none, Header::Types, CAPS, dl(5000)).await.unwrap();
    check!(
        i4(&unpack(&p)) == 3 && t0.elapsed() < Duration::from_secs(1),
        "after timeout {:?}",
        t0.elapsed()
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    let busy = admin.rows("select count(*) from pg_stat_activity where state='active' and query like '%pg_sleep(3)%' and pid<>pg_backend_pid()", &[]).await.unwrap()[0].get::<_, i64>(0);
    println!("     sleeping backends after timeout: {busy}");
    // stale statement
    let sel = "select * from t where id = $1";
    pool.query(sel, &int4(1), Header::Types, CAPS, dl(5000)).await.unwrap();
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    tx.query(sel, &int4(1), Header::Types, CAPS, dl(5000)).await.unwrap();
    tx.commit(dl(5000)).await.unwrap();
    admin.batch("alter table t add column extra int default 7").await.unwrap();
    let p = pool.query(sel, &int4(1), Header::Described, CAPS, dl(5000)).await;
    check!(
        p.as_ref().map(|p| unpack(p).cols.len()).unwrap_or(0) == 4,
        "stale statement retried {:?}",
        p.err()
    );
    admin.batch("alter table t add column extra2 int default 7").await.unwrap();
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    let r = tx.query(sel, &int4(1), Header::Types, CAPS, dl(5000)).await;
    check!(
        r.as_ref().map(|p| unpack(p).cols.len()).unwrap_or(0) == 5,
        "stale in first statement of tx {:?}",
        r.err()
    );
    tx.commit(dl(5000)).await.unwrap();
    // killed backend
    admin.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name='avenire-db' and pid<>pg_backend_pid() and usename <> 'pgb_admin'", &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let p = pool.query("select 4", &none, Header::Types, CAPS, dl(5000)).await;
    check!(p.is_ok(), "after terminate {:?}", p.err());
    let p2 = pool.clone();
    let h = tokio::spawn(async move {
        p2.query("select pg_sleep(2)", &Parameters::none(), Header::Types, CAPS, dl(5000)).await
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    admin.rows("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(2)%' and state='active' and pid<>pg_backend_pid()", &[]).await.unwrap();
    let e = h.await.unwrap().unwrap_err();
    check!(
        matches!(&e, Error::Unavailable(u) if u.execution==Execution::Unknown),
        "killed in flight: {e:?}"
    );
    let p = pool.query("select 5", &none, Header::Types, CAPS, dl(5000)).await;
    check!(p.is_ok(), "recovered {:?}", p.err());
    // transactions
    idle(&pool).await;
    let mut tx = pool
        .begin(
            TransactionOptions {
                isolation: Some(IsolationLevel::Serializable),
                ..Default::default()
            },
            dl(5000),
        )
        .await
        .unwrap();
    tx.execute("insert into t(id) values (10)", &none, dl(5000)).await.unwrap();
    tx.commit(dl(5000)).await.unwrap();
    let e = tx.rollback(dl(5000)).await.unwrap_err();
    check!(matches!(e, Error::Invalid { .. }), "rollback after commit: {e}");
    let tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    tx.execute("insert into t(id) values (11)", &none, dl(5000)).await.unwrap();
    drop(tx);
    idle(&pool).await;
    let count = |w: &'static str| {
        let pool = pool.clone();
        async move {
            i8_(&unpack(
                &pool.query(w, &Parameters::none(), Header::Types, CAPS, dl(5000)).await.unwrap(),
            ))
        }
    };
    check!(
        count("select count(*) from t where id in (10,11)").await == 1,
        "commit kept, drop rolled back"
    );
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    let e = tx.execute("insert into t(id) values (10)", &none, dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("23505"), "{e}");
    let e = tx.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("25P02"), "{e}");
    let e = tx.commit(dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("25P02"), "commit failed: {e}");
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    tx.savepoint(dl(5000)).await.unwrap();
    tx.execute("insert into t(id) values (20)", &none, dl(5000)).await.unwrap();
    tx.savepoint(dl(5000)).await.unwrap();
    let e = tx.execute("insert into t(id) values (20)", &none, dl(5000)).await.unwrap_err();
    tx.rollback_to_savepoint(dl(5000)).await.unwrap();
    tx.release_savepoint(dl(5000)).await.unwrap();
    let e = tx.release_savepoint(dl(5000)).await.unwrap_err();
    check!(matches!(e, Error::Invalid { .. }), "{e}");
    tx.commit(dl(5000)).await.unwrap();
    check!(count("select count(*) from t where id = 20").await == 1, "savepoints");
    let tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    for _ in 0..64 {
        tx.savepoint(dl(5000)).await.unwrap();
    }
    check!(tx.savepoint(dl(5000)).await.is_err(), "65th savepoint");
    drop(tx);
    let mut tx = pool
        .begin(TransactionOptions { access: AccessMode::ReadOnly, ..Default::default() }, dl(5000))
        .await
        .unwrap();
    let e = tx.execute("insert into t(id) values (30)", &none, dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("25006"), "{e}");
    tx.rollback(dl(5000)).await.unwrap();
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    tx.execute("insert into child values (1, 12345)", &none, dl(5000)).await.unwrap();
    let e = tx.commit(dl(5000)).await.unwrap_err();
    check!(e.sqlstate() == Some("23503"), "deferred at commit: {e}");
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    tx.execute("create temp table tt(a int)", &none, dl(5000)).await.unwrap();
    tx.commit(dl(5000)).await.unwrap();
    let mut empty = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    empty.commit(dl(5000)).await.unwrap();
    ok!("empty tx");
    idle(&pool).await;
    // tx timeouts
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    tx.execute("insert into t(id) values (40)", &none, dl(5000)).await.unwrap();
    let e = tx.query("select pg_sleep(7)", &none, Header::Types, CAPS, dl(200)).await.unwrap_err();
    check!(matches!(e, Error::Timeout { .. }), "{e}");
    let e = tx.query("select 1", &none, Header::Types, CAPS, dl(200)).await.unwrap_err();
    check!(e.sqlstate() == Some("25P02"), "{e}");
    check!(tx.rollback(dl(500)).await.is_ok(), "rollback of lost");
    check!(matches!(tx.rollback(dl(500)).await, Err(Error::Invalid { .. })), "again");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let busy = admin.rows("select count(*) from pg_stat_activity where state='active' and query like '%pg_sleep(7)%' and pid<>pg_backend_pid()", &[]).await.unwrap()[0].get::<_, i64>(0);
    check!(busy == 0, "cancelled in server ({busy})");
    check!(count("select count(*) from t where id = 40").await == 0, "rolled back");
    // dropped future in tx
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    let _ = tokio::time::timeout(
        Duration::from_millis(50),
        tx.query("select pg_sleep(6)", &none, Header::Types, CAPS, dl(5000)),
    )
    .await;
    let e = tx.commit(dl(500)).await.unwrap_err();
    check!(e.sqlstate() == Some("25P02"), "commit after dropped future {e}");
    idle(&pool).await;
    // batches
    let st = |v: &[&str]| v.iter().map(|s| (s.to_string(), Parameters::none())).collect::<Vec<_>>();
    let r = pool
        .batch(
            &st(&[
                "insert into t(id) values (50)",
                "insert into t(id) values (50)",
                "select count(*) from t where id=50",
                "begin",
            ]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await
        .unwrap();
    check!(
        r[0].as_ref().unwrap().affected == 1
            && r[1].as_ref().unwrap_err().sqlstate() == Some("23505")
            && i8_(&unpack(r[2].as_ref().unwrap())) == 1
            && matches!(r[3], Err(Error::Denied { .. })),
        "batch"
    );
    let r = pool
        .batch(
            &st(&[
                "create table late(a int)",
                "insert into late values (1),(2)",
                "select a from late order by a desc",
                "drop table late",
            ]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await
        .unwrap();
    check!(
        r.iter().all(|r| r.is_ok()) && i4(&unpack(r[2].as_ref().unwrap())) == 2,
        "batch with ddl {:?}",
        r.iter().map(|r| r.as_ref().err().map(|e| e.to_string())).collect::<Vec<_>>()
    );
    let e = pool
        .batch_atomic(
            &st(&["insert into t(id) values (60)", "insert into t(id) values (60)", "select 1"]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await
        .unwrap_err();
    check!(e.index == 1 && e.error.sqlstate() == Some("23505"), "atomic {e}");
    check!(count("select count(*) from t where id = 60").await == 0, "atomic rolled back");
    let r = pool
        .batch_atomic(
            &st(&["insert into t(id) values (60)", "insert into t(id) values (61)"]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await
        .unwrap();
    check!(r.len() == 2 && r[1].affected == 1, "atomic one trip");
    let r = pool
        .batch_atomic(
            &st(&["insert into t(id) values (62) returning id", "select m from t where id=1"]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await
        .unwrap();
    check!(
        i4(&unpack(&r[0])) == 62 && unpack(&r[1]).rows[0][0].as_deref() == Some(b"ok"),
        "atomic rows"
    );
    let e = pool
        .batch_atomic(
            &st(&["insert into t(id) values (63)", "select generate_series(1,100000)"]),
            Header::Types,
            Caps { rows: 10, bytes: 1000 },
            dl(5000),
        )
        .await
        .unwrap_err();
    check!(e.index == 1 && matches!(e.error, Error::RowLimit { .. }), "{e}");
    check!(count("select count(*) from t where id = 63").await == 0, "limit undid");
    let e = pool
        .batch_atomic(&st(&["insert into child values (1, 12345)"]), Header::Types, CAPS, dl(5000))
        .await
        .unwrap_err();
    check!(e.index == 1 && e.error.sqlstate() == Some("23503"), "{e}");
    let r = pool
        .batch_atomic(
            &st(&[
                "create table late(a int)",
                "insert into late values (1)",
                "select a from late",
                "drop table late",
            ]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await;
    check!(r.is_ok(), "atomic ddl {:?}", r.err());
    let mut tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    let r = tx
        .batch(
            &st(&[
                "create table late2(a int)",
                "insert into late2 values (1)",
                "select a from late2",
                "select m from t where id=1",
            ]),
            Header::Types,
            CAPS,
            dl(5000),
        )
        .await;
    check!(r.is_ok(), "tx batch {:?}", r.err());
    let e = tx
        .batch(&st(&["select 1", "select 1/0", "select 2"]), Header::Types, CAPS, dl(5000))
        .await
        .unwrap_err();
    check!(e.index == 1 && e.error.sqlstate() == Some("22012"), "{e}");
    drop(tx);
    idle(&pool).await;
    // cursors
    admin.batch("create table big as select g as id, repeat('z', 50) as s, now() as at from generate_series(1,1000000) g").await.unwrap();
    let before = rss();
    let t0 = Instant::now();
    let mut c =
        pool.open_cursor("select id, s, at from big order by id", &none, dl(20000)).await.unwrap();
    check!(c.columns().len() == 3 && c.columns()[1].name == "s", "cursor columns");
    let (mut n, mut peak, mut pieces) = (0u64, 0, 0);
    let mut last = 0;
    loop {
        let p = c.next(65536, CAPS, dl(20000)).await.unwrap();
        if p.rows == 0 {
            break;
        }
        assert!(p.bytes.len() <= 65536 + 200);
        n += p.rows;
        pieces += 1;
        if pieces % 100 == 0 {
            peak = peak.max(rss());
        }
    }
    check!(
        n == 1_000_000,
        "cursor rows {n} pieces {pieces} in {:?}, rss {before}k peak {peak}k",
        t0.elapsed()
    );
    check!(c.next(65536, CAPS, dl(1000)).await.unwrap().rows == 0, "end again");
    check!(pool.figures().in_use == 0, "cursor gave its connection back");
    let mut c =
        pool.open_cursor("select id from big where id = $1", &int4(-1), dl(5000)).await.unwrap();
    check!(
        c.columns().len() == 1 && c.next(1, CAPS, dl(1000)).await.unwrap().rows == 0,
        "empty cursor"
    );
    let t0 = Instant::now();
    let mut c = pool.open_cursor("select * from big b1, big b2", &none, dl(5000)).await.unwrap();
    c.next(65536, CAPS, dl(5000)).await.unwrap();
    drop(c);
    idle(&pool).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let busy = admin.rows("select count(*) from pg_stat_activity where state='active' and query like '%big b1%' and pid<>pg_backend_pid()", &[]).await.unwrap()[0].get::<_, i64>(0);
    check!(busy == 0, "dropped cursor stopped {:?}", t0.elapsed());
    let e = pool.open_cursor("insert into t(id) values (99)", &none, dl(1000)).await.unwrap_err();
    check!(matches!(e, Error::Denied { .. }), "{e}");
    let mut c = pool
        .open_cursor("select 1/(id-500) from generate_series(1,1000) id", &none, dl(5000))
        .await
        .unwrap();
    let mut e = None;
    for _ in 0..10 {
        match c.next(1024, CAPS, dl(5000)).await {
            Ok(_) => {}
            Err(x) => {
                e = Some(x);
                break;
            }
        }
    }
    check!(e.as_ref().and_then(|e| e.sqlstate()) == Some("22012"), "cursor error {e:?}");
    check!(
        matches!(c.next(1024, CAPS, dl(5000)).await, Err(Error::Invalid { .. })),
        "broken cursor"
    );
    idle(&pool).await;
    let tx = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
    let t0 = Instant::now();
    let before = rss();
    let mut peak = 0;
    let mut c1 = tx
        .open_cursor("select id, s from big where id > $1 order by id", &int4(0), dl(20000))
        .await
        .unwrap();
    let mut c2 = tx
        .open_cursor("select m from t where id = 1 or id = 2 order by id; ", &none, dl(20000))
        .await
        .unwrap();
    check!(c2.columns()[0].name == "m", "tx cursor columns");
    let (mut n, mut sum) = (0u64, 0u64);
    let mut k = 0;
    loop {
        let p = c1.next(65536, CAPS, dl(20000)).await.unwrap();
        if p.rows == 0 {
            break;
        }
        let o = unpack(&p);
        for r in &o.rows {
            n += 1;
            let v = i32::from_be_bytes(r[0].clone().unwrap().try_into().unwrap());
            assert_eq!(v as u64, n);
        }
        k += 1;
        if k % 50 == 0 {
            peak = peak.max(rss());
            tx.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap();
        }
    }
    check!(n == 1_000_000, "tx cursor {n} in {:?} rss {before}k peak {peak}k", t0.elapsed());
    let p = c2.next(1024, CAPS, dl(1000)).await.unwrap();
    check!(p.rows == 2, "second cursor");
    tx.savepoint(dl(1000)).await.unwrap();
    let mut c3 = tx.open_cursor("select id from big", &none, dl(5000)).await.unwrap();
    c3.next(1024, CAPS, dl(1000)).await.unwrap();
    let mut c4 = tx.open_cursor("select id from big order by id", &none, dl(5000)).await.unwrap();
    c4.next(1024, CAPS, dl(1000)).await.unwrap();
    drop(c4);
    tx.rollback_to_savepoint(dl(1000)).await.unwrap();
    let e = c3.next(1024, CAPS, dl(1000)).await.unwrap_err();
    check!(matches!(e, Error::Invalid { .. }), "cursor after its savepoint {e}");
    let p = tx.query("select 6", &none, Header::Types, CAPS, dl(5000)).await;
    check!(p.is_ok(), "tx goes on {:?}", p.err());
    let e = tx.open_cursor("select nope from t", &none, dl(1000)).await.unwrap_err();
    check!(matches!(&e, Error::Database(d) if d.position==Some(8)), "{e:?}");
    drop(tx);
    idle(&pool).await;
    let e = c2.next(1024, CAPS, dl(1000)).await.unwrap_err();
    check!(matches!(e, Error::Invalid { .. }), "cursor after tx {e}");
    // dropped futures on shared
    for i in 0..20u64 {
        let _ = tokio::time::timeout(
            Duration::from_micros(i * 100),
            pool.query("select pg_sleep(0.01), $1::int4", &int4(1), Header::Types, CAPS, dl(5000)),
        )
        .await;
    }
    let p = pool.query("select 7", &none, Header::Types, CAPS, dl(5000)).await;
    check!(p.is_ok(), "after dropped futures {:?}", pool.figures());
    // exclusive bound
    let mut held = vec![];
    for _ in 0..4 {
        let t = pool.begin(TransactionOptions::default(), dl(5000)).await.unwrap();
        t.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap();
        held.push(t);
    }
    let t0 = Instant::now();
    let e = pool.begin(TransactionOptions::default(), dl(200)).await.unwrap_err();
    check!(
        matches!(e, Error::Timeout { waiting_for: WaitingFor::Connection }),
        "{e} {:?}",
        e.hint()
    );
    drop(held);
    let t = pool.begin(TransactionOptions::default(), dl(2000)).await;
    check!(t.is_ok(), "freed");
    drop(t);
    idle(&pool).await;
    println!("     {:?}", pool.figures());
    // latency
    let t0 = Instant::now();
    for i in 0..5000 {
        pool.query("select id, m, s from t where id = $1", &int4(1), Header::Types, CAPS, dl(5000))
            .await
            .unwrap();
    }
    println!("     sequential {:.1} us", t0.elapsed().as_secs_f64() * 1e6 / 5000.0);
    // idle timeout
    let small = Pool::new(
        endpoint.clone(),
        PoolOptions { idle_timeout: Duration::from_millis(200), ..options.clone() },
    );
    small.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap();
    drop(small.begin(TransactionOptions::default(), dl(5000)).await.unwrap());
    println!("     {:?}", small.figures());
    tokio::time::sleep(Duration::from_millis(700)).await;
    let f = small.figures();
    check!(f.shared == 0 && f.idle == 0, "idle closed {f:?}");
    small.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    check!(small.figures().shared == 0, "idle closed again");
    small.close().await;
    let e = small.query("select 1", &none, Header::Types, CAPS, dl(5000)).await.unwrap_err();
    println!("     {e}");
    pool.close().await;
    ok!("closed {:?}", pool.figures());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let left = admin.rows("select count(*) from pg_stat_activity where application_name='avenire-db' and pid<>pg_backend_pid()", &[]).await.unwrap()[0].get::<_, i64>(0);
    println!("     backends left {left}");
}
