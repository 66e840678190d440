//! Pages of chats and messages: every row once, whichever way, whatever happens between
//! two pages.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::chat;
use crate::ground::{Ground, ids};
use crate::run;

/// A list that can be read in pages.
struct List {
    function: &'static str,
    arguments: Value,
    /// The member of a page that has the rows.
    rows: &'static str,
    /// All ids in the list's order.
    all: &'static str,
}

/// The chats of ada.
fn chats() -> List {
    List {
        function: "chat.list-chats",
        arguments: json!({"userId": "ada"}),
        rows: "chats",
        all: "select id from chat where user_id = 'ada' order by created_at desc, id desc",
    }
}

/// The messages of ada's chat `long`.
fn messages() -> List {
    List {
        function: "chat.list-messages",
        arguments: json!({"chatId": "long", "reader": "ada"}),
        rows: "messages",
        all: "select id from message where chat_id = 'long' order by created_at, id",
    }
}

/// Rows of which five began or were said at each time, with ids that are not in order.
const ROWS: &str = "
    insert into chat (id, user_id, title, created_at)
    select md5(n::text), 'ada', 't', timestamptz '2026-01-01Z' + n / 5 * interval '1 microsecond'
    from generate_series(1, 57) n;
    insert into chat (id, user_id, title) values ('long', 'bob', 't');
    insert into message (id, chat_id, role, parts, created_at)
    select md5(n::text), 'long', 'user', '1', timestamptz '2026-01-01Z' + n / 5 * interval '1 microsecond'
    from generate_series(1, 57) n;
    update chat set user_id = 'ada', created_at = '2025-01-01Z' where id = 'long'";

impl List {
    async fn page(&self, ground: &Ground, limit: usize, start: &Value) -> Result<Value> {
        let mut arguments = self.arguments.clone();
        arguments["limit"] = json!(limit);
        arguments["start"] = start.clone();
        let page = ground.ok(self.function, arguments).await?;
        ensure!(ids(&page[self.rows]).len() <= limit, "more than {limit}: {page}");
        Ok(page)
    }

    async fn all(&self, ground: &Ground) -> Result<Vec<String>> {
        Ok(ground.database().rows(self.all, &[]).await?.iter().map(|row| row.get(0)).collect())
    }

    /// The ids of all pages from a start on, each page's in its own order, running the
    /// SQL after each page.
    async fn walk(
        &self,
        ground: &Ground,
        limit: usize,
        mut start: Value,
        direction: &str,
        between: Option<&str>,
    ) -> Result<Vec<Vec<String>>> {
        let mut pages = Vec::new();
        loop {
            let page = self.page(ground, limit, &start).await?;
            pages.push(ids(&page[self.rows]).into_iter().map(str::to_owned).collect());
            if page["next"].is_null() {
                return Ok(pages);
            }
            ensure!(pages.len() < 1000, "paging never ends");
            start = json!({"tag": direction, "val": page["next"]});
            if let Some(sql) = between {
                ground.database().run(&sql.replace("{page}", &pages.len().to_string())).await?;
            }
        }
    }
}

async fn ground_with_rows() -> Result<std::sync::Arc<Ground>> {
    let ground = Ground::new().await?;
    ground.database().run(ROWS).await?;
    Ok(ground)
}

#[test]
fn forward_pages_show_every_row_once_in_the_lists_order() -> Result<()> {
    run(async {
        let ground = ground_with_rows().await?;
        for list in [chats(), messages()] {
            let all = list.all(&ground).await?;
            assert!(all.len() >= 57);
            for limit in [1, 7, all.len() - 1, all.len(), 200] {
                let pages = list.walk(&ground, limit, json!("first"), "after", None).await?;
                assert_eq!(pages.concat(), all, "{} by {limit}", list.function);
                assert_eq!(pages.len(), all.len().div_ceil(limit), "no empty page at the end");
            }
        }
        Ok(())
    })
}

#[test]
fn backward_pages_show_every_row_once_and_each_page_in_the_lists_order() -> Result<()> {
    run(async {
        let ground = ground_with_rows().await?;
        for list in [chats(), messages()] {
            let all = list.all(&ground).await?;
            // A place behind the list's end, at which there is no row.
            let end = if list.rows == "chats" { "-infinity" } else { "infinity" };
            let end = json!({"tag": "before", "val": {"createdAt": end, "id": ""}});
            for limit in [1, 7, 200] {
                let mut pages = list.walk(&ground, limit, end.clone(), "before", None).await?;
                pages.reverse();
                assert_eq!(pages.concat(), all, "{} by {limit}", list.function);
            }
        }
        Ok(())
    })
}

#[test]
fn the_page_before_a_place_ends_where_the_page_after_it_begins() -> Result<()> {
    run(async {
        let ground = ground_with_rows().await?;
        for list in [chats(), messages()] {
            let all = list.all(&ground).await?;
            let first = list.page(&ground, 23, &json!("first")).await?;
            let place = |tag: &str| json!({"tag": tag, "val": first["next"]});
            let before = list.page(&ground, 5, &place("before")).await?;
            let after = list.page(&ground, 5, &place("after")).await?;
            // The row of the place itself belongs to neither.
            assert_eq!(ids(&before[list.rows]), all[17..22]);
            assert_eq!(ids(&after[list.rows]), all[23..28]);
        }
        Ok(())
    })
}

#[test]
fn rows_inserted_between_pages_neither_repeat_nor_hide_others() -> Result<()> {
    run(async {
        for (list, insert) in [
            (
                chats(),
                "insert into chat (id, user_id, title, created_at)
                 select 'new-{page}-' || id, 'ada', 'n', created_at from chat
                 where user_id = 'ada' and title = 't' and id < '5'
                 union all select 'newest-{page}', 'ada', 'n', now()",
            ),
            (
                messages(),
                "insert into message (id, chat_id, role, parts, created_at)
                 select 'new-{page}-' || id, 'long', 'user', jsonb '2', created_at from message
                 where chat_id = 'long' and parts = '1' and id < '5'
                 union all select 'oldest-{page}', 'long', 'user', '2', '2020-01-01Z'",
            ),
        ] {
            let ground = ground_with_rows().await?;
            let at_first = list.all(&ground).await?;
            let pages = list.walk(&ground, 10, json!("first"), "after", Some(insert)).await?;
            let mut seen = pages.concat();
            let old = |id: &&String| !id.starts_with("new") && !id.starts_with("oldest");
            let old: Vec<String> = seen.iter().filter(old).cloned().collect();
            assert_eq!(old, at_first, "{}", list.function);
            assert!(seen.len() > at_first.len(), "some of the new ones came into view");
            seen.sort();
            assert!(seen.is_sorted_by(|a, b| a < b), "a row was shown twice");
        }
        Ok(())
    })
}

#[test]
fn rows_deleted_between_pages_hide_no_others() -> Result<()> {
    run(async {
        for (list, delete) in [
            (chats(), "delete from chat where user_id = 'ada' and id like '%{page}'"),
            (messages(), "delete from message where chat_id = 'long' and id like '%{page}'"),
        ] {
            let ground = ground_with_rows().await?;
            let at_first = list.all(&ground).await?;
            let pages = list.walk(&ground, 10, json!("first"), "after", Some(delete)).await?;
            let seen = pages.concat();
            let left = list.all(&ground).await?;
            assert!(left.len() < at_first.len());
            let unseen: Vec<_> = left.iter().filter(|id| !seen.contains(id)).collect();
            assert!(unseen.is_empty(), "{} never showed {unseen:?}", list.function);
            // The rows of places were deleted too, so the order has to hold without them.
            let in_order: Vec<_> = at_first.iter().filter(|id| seen.contains(id)).collect();
            assert_eq!(in_order, seen.iter().collect::<Vec<_>>());
        }
        Ok(())
    })
}

#[test]
fn a_list_that_fits_its_page_has_no_next() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        for id in ["1", "2"] {
            chat(&ground, "ada", id).await?;
        }
        let page = chats().page(&ground, 2, &json!("first")).await?;
        assert_eq!(ids(&page["chats"]), ["2", "1"]);
        assert_eq!(page["next"], json!(null));
        let page = chats().page(&ground, 1, &json!("first")).await?;
        let last = &page["chats"][0];
        assert_eq!(page["next"], json!({"createdAt": last["createdAt"], "id": last["id"]}));
        Ok(())
    })
}
