//! What is damaged in the registry keeps no host from serving, and what was put right is served.

use anyhow::Result;
use avenire_app::Notice;
use avenire_tests::TestProject;
use avenire_tests::life::version;

use crate::fleet::{call, options, project_with, shipped, slot, until, write};
use crate::run;

/// A project whose registry has two generations of `life`.
async fn shipped_twice() -> Result<TestProject> {
    let project = project_with("").await?;
    shipped(&project, &["deploy", "life"])?;
    write(&project, "next.wasm", version(2))?;
    shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
    Ok(project)
}

fn damaged(generation: i64) -> String {
    format!(
        "alter table _avenire.artifacts drop constraint if exists artifacts_check; \
         update _avenire.artifacts set bytes = '\\x00' where sha256 = \
         (select sha256 from _avenire.generations where number = {generation})"
    )
}

#[test]
fn a_host_starts_with_what_is_intact_and_takes_what_is_put_right() -> Result<()> {
    run(async {
        let project = shipped_twice().await?;
        project.database().run(&damaged(2)).await?;
        let (service, mut notices) = project.service(options("east")).await?;
        assert_eq!(call(slot(&service), None).await?, ("1".to_owned(), 1));
        let told = until(&mut notices, |notice| matches!(notice, Notice::Refused { .. })).await?;
        assert!(told.text().contains("generation 2"), "{}", told.text());
        shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        until(&mut notices, |notice| matches!(notice, Notice::Serving { generation: 2, .. }))
            .await?;
        assert_eq!(call(slot(&service), None).await?, ("2".to_owned(), 2));
        service.stop().await;
        Ok(())
    })
}

#[test]
fn with_nothing_intact_in_the_registry_the_file_serves_until_there_is() -> Result<()> {
    run(async {
        let project = shipped_twice().await?;
        project.database().run(&damaged(1)).await?;
        project.database().run(&damaged(2)).await?;
        write(&project, "life.wasm", version(7))?;
        let (service, mut notices) = project.service(options("east")).await?;
        assert_eq!(call(slot(&service), None).await?.0, "7");
        until(&mut notices, |notice| matches!(notice, Notice::Refused { .. })).await?;
        write(&project, "next.wasm", version(3))?;
        shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        until(&mut notices, |notice| matches!(notice, Notice::Serving { generation: 3, .. }))
            .await?;
        assert_eq!(call(slot(&service), None).await?, ("3".to_owned(), 3));
        service.stop().await;
        Ok(())
    })
}

#[test]
fn a_slot_that_can_not_be_read_is_served_from_its_generations() -> Result<()> {
    run(async {
        let project = shipped_twice().await?;
        // As a newer program, or somebody by hand, might leave it.
        let unreadable = "alter table _avenire.slots drop constraint if exists slots_canary_share_check; \
             update _avenire.slots set canary = 1, canary_share = 5000";
        project.database().run(unreadable).await?;
        write(&project, "life.wasm", version(7))?;
        let (service, _notices) = project.service(options("east")).await?;
        assert_eq!(call(slot(&service), None).await?, ("2".to_owned(), 2));
        service.stop().await;
        Ok(())
    })
}
