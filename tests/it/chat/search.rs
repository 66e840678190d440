//! Searching chats by their titles.

use anyhow::Result;
use serde_json::json;

use crate::ground::{Ground, ids};
use crate::run;

const CHATS: &str = r"
    insert into chat (id, user_id, title, created_at) values
        ('percent', 'ada', '100% sure', '2026-01-05Z'), ('plain', 'ada', '100 sure', '2026-01-04Z'),
        ('underscore', 'ada', 'snake_case', '2026-01-03Z'), ('camel', 'ada', 'snakeXcase', '2026-01-02Z'),
        ('backslash', 'ada', 'C:\temp', '2026-01-01Z'), ('other', 'bob', '100% snake_case', '2026-01-06Z')";

async fn found(ground: &Ground, term: &str) -> Result<Vec<String>> {
    let arguments = json!({"userId": "ada", "term": term, "limit": 200});
    let chats = ground.ok("chat.search-chats-by-title", arguments).await?;
    Ok(ids(&chats).into_iter().map(str::to_owned).collect())
}

#[test]
fn wildcards_in_a_search_term_stand_for_themselves() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(CHATS).await?;
        assert_eq!(found(&ground, "%").await?, ["percent"]);
        assert_eq!(found(&ground, "0% s").await?, ["percent"]);
        assert_eq!(found(&ground, "0%s").await?, [""; 0]);
        assert_eq!(found(&ground, "_").await?, ["underscore"]);
        assert_eq!(found(&ground, "e_c").await?, ["underscore"]);
        assert_eq!(found(&ground, "\\").await?, ["backslash"]);
        assert_eq!(found(&ground, ":\\t").await?, ["backslash"]);
        assert_eq!(found(&ground, "\\%").await?, [""; 0]);
        Ok(())
    })
}

#[test]
fn a_search_ignores_case_and_finds_the_term_anywhere() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(CHATS).await?;
        assert_eq!(found(&ground, "SNAKE").await?, ["underscore", "camel"]);
        assert_eq!(found(&ground, "sure").await?, ["percent", "plain"]);
        assert_eq!(found(&ground, "").await?.len(), 5, "an empty term is in every title");
        assert_eq!(found(&ground, "nothing of this").await?, [""; 0]);
        Ok(())
    })
}

#[test]
fn a_search_gives_no_more_than_its_limit_and_the_newest_first() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(CHATS).await?;
        let arguments = json!({"userId": "ada", "term": "s", "limit": 3});
        let chats = ground.ok("chat.search-chats-by-title", arguments).await?;
        assert_eq!(ids(&chats), ["percent", "plain", "underscore"]);
        Ok(())
    })
}
