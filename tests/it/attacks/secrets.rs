//! Attacks on what a component may not see: catalogs with secrets, files, statements of
//! other components, ways to other servers.

use anyhow::Result;
use serde_json::json;

use crate::patience::eventually;
use crate::run;
use crate::stage::{Stage, short_error};

#[test]
fn catalogs_files_and_extensions_are_out_of_reach() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady"]).await?;
        for (sql, expected) in [
            ("select rolpassword from pg_authid", "42501"),
            ("select passwd from pg_shadow", "42501"),
            ("select * from pg_statistic", "42501"),
            ("select * from pg_largeobject", "42501"),
            ("select subconninfo from pg_subscription", "42501"),
            ("select * from pg_hba_file_rules", "42501"),
            ("select * from pg_file_settings", "42501"),
            ("select pg_read_file('PG_VERSION')", "42501"),
            ("select pg_read_binary_file('postgresql.conf')", "42501"),
            ("select * from pg_ls_dir('/')", "42501"),
            ("select * from pg_stat_file('PG_VERSION')", "42501"),
            ("select * from pg_ls_waldir()", "42501"),
            ("select current_setting('data_directory')", "42501"),
            ("select current_setting('hba_file')", "42501"),
            ("select pg_reload_conf()", "42501"),
            ("select pg_switch_wal()", "42501"),
            ("select pg_log_backend_memory_contexts(pg_backend_pid())", "42501"),
            ("select pg_create_restore_point('x')", "42501"),
            ("select lo_import('/etc/passwd')", "42501"),
            ("select pg_stat_reset()", "42501"),
            ("select * from pg_stat_statements", "42P01"),
            ("select * from dblink('dbname=postgres', 'select 1') as t(a int)", "42883"),
            ("create extension dblink", "42501"),
            ("create extension file_fdw", "42501"),
            ("create server elsewhere foreign data wrapper postgres_fdw", "42704"),
            ("create event trigger e on ddl_command_start execute function f()", "42501"),
            ("create publication p for all tables", "42501"),
            ("create schema s create table note (a int)", "42501"),
            ("create table public.users (a int)", "42501"),
            ("alter table note disable trigger all", "42501"),
            ("create trigger t before insert on note for each row execute function f()", "42501"),
            ("create rule r as on select to note do instead select 1", "42501"),
            ("create index on note (text)", "42501"),
            ("checkpoint", "42501"),
        ] {
            let error = stage.failure("steady.run-sql", json!({"sql": sql})).await?;
            assert_eq!(short_error(&error), expected, "{sql}");
        }
        let password = "select string_agg(distinct coalesce(rolpassword, ''), ',') from pg_roles";
        assert_eq!(stage.cell("steady", password).await?, "********");
        stage.serves("steady").await
    })
}

#[test]
fn statements_of_another_component_are_not_told() -> Result<()> {
    run(async {
        let stage = Stage::with(&["steady", "small"]).await?;
        let asleep = stage.ok("small.run-sql", json!({"sql": "select pg_sleep(600), 's3cret'"}));
        let seen = async {
            // The owner sees it, so it is there.
            let of_owner = "select count(*) from pg_stat_activity
                where query = 'select pg_sleep(600), ''s3cret''' and state = 'active'";
            eventually("the other statement runs", async || {
                Ok(stage.database().count(of_owner).await? == 1)
            })
            .await?;
            let of_guest = "select count(*) from pg_stat_activity
                where query like '%s3' || 'cret%' and usename <> current_user";
            assert_eq!(stage.cell("steady", of_guest).await?, "0");
            let hidden = "select count(*) > 0 from pg_stat_activity
                where query = '<insufficient privilege>' and usename like '%small%'";
            assert_eq!(stage.cell("steady", hidden).await?, "true");
            Ok::<_, anyhow::Error>(())
        };
        tokio::select! {
            seen = seen => seen?,
            ended = asleep => anyhow::bail!("it ended: {ended:?}"),
        }
        stage.no_statement_goes_on().await
    })
}
