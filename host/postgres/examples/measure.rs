#![allow(warnings, clippy::all, clippy::pedantic)]
use avenire_postgres::*;
use futures_util::TryStreamExt;
use std::time::{Duration, Instant};
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn int4(v: i32) -> Parameters {
    let mut b = vec![1, 0];
    b.extend(23u32.to_le_bytes());
    b.push(1);
    b.extend(4i32.to_le_bytes());
    b.extend(v.to_be_bytes());
    Parameters::parse(b).unwrap()
}
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let sql = std::env::args().nth(1).unwrap_or("select id, m, s from t where id = $1".into());
    let sql: &'static str = Box::leak(sql.into_boxed_str());
    let n = 40000usize;
    let (client, conn) = tokio_postgres::Config::new()
        .host("/tmp/pgcrate/sock")
        .port(55610)
        .user("postgres")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(conn);
    let pool = Pool::new(
        Endpoint::parse("postgres://postgres@/postgres?host=/tmp/pgcrate/sock&port=55610").unwrap(),
        PoolOptions::default(),
    );
    tokio::spawn(async move {
        let st = client.prepare(sql).await.unwrap();
        for round in 0..4 {
            let (t, c) = (Instant::now(), cpu());
            for i in 0..n {
                let v = 1i32;
                let rows = client.query(&st, &[&v]).await.unwrap();
                let mut s = 0;
                for r in &rows {
                    for i in 0..r.len() {
                        s += 1;
                    }
                }
                std::hint::black_box(rows);
            }
            let bare = ((cpu() - c) * 1e6 / n as f64, t.elapsed().as_secs_f64() * 1e6 / n as f64);
            let (t, c) = (Instant::now(), cpu());
            for i in 0..n {
                let p = pool
                    .query(
                        sql,
                        &int4(1),
                        Header::Types,
                        Caps { rows: 1000000, bytes: 1 << 40 },
                        Instant::now() + Duration::from_secs(5),
                    )
                    .await
                    .unwrap();
                std::hint::black_box(p);
            }
            let ours = ((cpu() - c) * 1e6 / n as f64, t.elapsed().as_secs_f64() * 1e6 / n as f64);
            println!(
                "cpu us/query bare {:.2} pool {:.2}   wall bare {:.1} pool {:.1}",
                bare.0, ours.0, bare.1, ours.1
            );
        }
    })
    .await
    .unwrap();
}
