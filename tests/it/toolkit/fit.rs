//! A component is let in only when the tables it was compiled against are there.

use anyhow::Result;

use crate::{harness, run};

#[test]
fn a_component_that_does_not_fit_the_database_is_refused_with_everything_that_differs() -> Result<()>
{
    run(async {
        let project = harness().await?.project().await?;
        let call = ["call", "settings.get-settings", r#"{"userId":"user-1"}"#];
        assert_eq!(project.run(&call)?.code, 0);
        let change = "alter table user_settings rename column model to brain;
            alter table user_settings alter column difficulty type bigint;
            alter table user_settings alter column pacing drop not null";
        project.database().run(change).await?;
        let refused = project.run(&call)?;
        assert_eq!(refused.code, 4, "{refused:?}");
        let parts = [
            "user_settings.model is missing",
            "user_settings.difficulty is bigint, not integer",
            "user_settings.pacing may be null",
            "avenire-db status",
        ];
        for part in parts {
            assert!(refused.stderr.contains(part), "no {part:?} in {refused:?}");
        }
        // Additions are no concern of the component.
        let mended = "alter table user_settings rename column brain to model;
            alter table user_settings alter column difficulty type integer;
            alter table user_settings alter column pacing set not null, add column more text";
        project.database().run(mended).await?;
        assert_eq!(project.run(&call)?.code, 0);
        Ok(())
    })
}

#[test]
fn tables_that_a_component_was_not_granted_are_not_looked_at() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        project.database().run("alter table user_settings drop column model cascade").await?;
        let call = ["call", "chat.get-chats-by-user-id", r#"{"userId":"user-1","limit":1}"#];
        let finished = project.run(&call)?;
        assert_eq!(finished.code, 0, "{finished:?}");
        Ok(())
    })
}
