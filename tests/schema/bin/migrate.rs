//! A host that migrates, as a process of its own, so that tests can kill it: the database's URL and
//! the folder of migrations are its arguments.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use avenire_postgres::Endpoint;
use avenire_schema::Migrations;

fn main() -> ExitCode {
    match migrate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn migrate() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_default();
    let folder = arguments.next().unwrap_or_default();
    let endpoint = Endpoint::parse(&url)?;
    let migrations = Migrations::load(Path::new(&folder))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let deadline = Instant::now() + Duration::from_mins(1);
        migrations.apply(&endpoint, deadline, &|_| {}).await
    })?;
    Ok(())
}
