//! Chats: making, reading, listing, changing and deleting them.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::chat::{Chat as ChatRow, NewChat, chat};
use diesel::dsl::{now, sql};
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Text, Timestamptz};

use crate::access::{check_owned, may_read};
use crate::bindings::exports::avenire::chat::queries::{Chat, ChatPage, PageStart, Visibility};
use crate::paging::{Cut, check_limit, page};

/// How many chats `get-top-chats-by-user-id` shows.
const TOP: i64 = 5;

pub(crate) fn save_chat(
    user_id: &str,
    title: &str,
    id: Option<&str>,
    visibility: Option<Visibility>,
) -> Result<Chat, Failure> {
    let visibility = visibility.map(Into::into);
    let row: ChatRow = diesel::insert_into(chat::table)
        .values(NewChat { id, user_id, title, visibility })
        .returning(ChatRow::as_returning())
        .get_result(&mut database())?;
    Ok(row.into())
}

pub(crate) fn get_chat_by_id(chat_id: &str, reader: Option<&str>) -> Result<Chat, Failure> {
    let row: Option<ChatRow> =
        chat::table.find(chat_id).select(ChatRow::as_select()).first(&mut database()).optional()?;
    let row = row.ok_or_else(|| not_found("chat"))?;
    if may_read(&row.user_id, row.visibility, reader) {
        Ok(row.into())
    } else {
        Err(forbidden("chat"))
    }
}

pub(crate) fn get_chats_by_user_id(user_id: &str, limit: u32) -> Result<Vec<Chat>, Failure> {
    newest(user_id, check_limit(limit)?)
}

pub(crate) fn get_top_chats_by_user_id(user_id: &str) -> Result<Vec<Chat>, Failure> {
    newest(user_id, TOP)
}

fn newest(user_id: &str, limit: i64) -> Result<Vec<Chat>, Failure> {
    let rows: Vec<ChatRow> = chat::table
        .filter(chat::user_id.eq(user_id))
        .order((chat::created_at.desc(), chat::id.desc()))
        .limit(limit)
        .select(ChatRow::as_select())
        .load(&mut database())?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) fn list_chats(user_id: &str, limit: u32, start: PageStart) -> Result<ChatPage, Failure> {
    let limit = check_limit(limit)?;
    let cut = Cut::from(start);
    let mut query = chat::table
        .filter(chat::user_id.eq(user_id))
        .limit(limit + 1)
        .select(ChatRow::as_select())
        .into_boxed::<Pg>();
    // Rows are compared whole, which the index answers from any place.
    query = match &cut {
        Cut::First => query,
        Cut::After(created_at, id) => query.filter(
            sql::<Bool>("(chat.created_at, chat.id) < (")
                .bind::<Timestamptz, _>(*created_at)
                .sql(", ")
                .bind::<Text, _>(id.as_str())
                .sql(")"),
        ),
        Cut::Before(created_at, id) => query.filter(
            sql::<Bool>("(chat.created_at, chat.id) > (")
                .bind::<Timestamptz, _>(*created_at)
                .sql(", ")
                .bind::<Text, _>(id.as_str())
                .sql(")"),
        ),
    };
    query = match &cut {
        Cut::First | Cut::After(..) => query.order((chat::created_at.desc(), chat::id.desc())),
        Cut::Before(..) => query.order((chat::created_at.asc(), chat::id.asc())),
    };
    let rows: Vec<ChatRow> = query.load(&mut database())?;
    let (chats, next) = page(rows.into_iter().map(Chat::from).collect(), limit, &cut);
    Ok(ChatPage { chats, next })
}

pub(crate) fn search_chats_by_title(
    user_id: &str,
    term: &str,
    limit: u32,
) -> Result<Vec<Chat>, Failure> {
    let rows: Vec<ChatRow> = chat::table
        .filter(chat::user_id.eq(user_id))
        .filter(chat::title.ilike(pattern_containing(term)))
        .order((chat::created_at.desc(), chat::id.desc()))
        .limit(check_limit(limit)?)
        .select(ChatRow::as_select())
        .load(&mut database())?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A pattern for `ILIKE` that matches what contains the term literally.
fn pattern_containing(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

pub(crate) fn update_chat_visibility(
    chat_id: &str,
    user_id: &str,
    visibility: Visibility,
) -> Result<Chat, Failure> {
    let mut connection = database();
    let visibility: avenire_sdk::schema::chat::Visibility = visibility.into();
    let row: Option<ChatRow> = diesel::update(owned(chat_id, user_id))
        .set((chat::visibility.eq(visibility), chat::updated_at.eq(now)))
        .returning(ChatRow::as_returning())
        .get_result(&mut connection)
        .optional()?;
    the_users_own(&mut connection, row, chat_id, user_id)
}

pub(crate) fn update_chat_title(
    chat_id: &str,
    user_id: &str,
    title: &str,
) -> Result<Chat, Failure> {
    let mut connection = database();
    let row: Option<ChatRow> = diesel::update(owned(chat_id, user_id))
        .set((chat::title.eq(title), chat::updated_at.eq(now)))
        .returning(ChatRow::as_returning())
        .get_result(&mut connection)
        .optional()?;
    the_users_own(&mut connection, row, chat_id, user_id)
}

pub(crate) fn delete_chat_by_id(chat_id: &str, user_id: &str) -> Result<Chat, Failure> {
    let mut connection = database();
    let row: Option<ChatRow> = diesel::delete(owned(chat_id, user_id))
        .returning(ChatRow::as_returning())
        .get_result(&mut connection)
        .optional()?;
    the_users_own(&mut connection, row, chat_id, user_id)
}

pub(crate) fn delete_chats_by_user_id(user_id: &str) -> Result<u64, Failure> {
    let deleted =
        diesel::delete(chat::table.filter(chat::user_id.eq(user_id))).execute(&mut database())?;
    Ok(deleted as u64)
}

/// The chat if it is the user's, for statements that change it.
#[diesel::dsl::auto_type]
fn owned<'a>(chat_id: &'a str, user_id: &'a str) -> _ {
    chat::table.filter(chat::id.eq(chat_id)).filter(chat::user_id.eq(user_id))
}

/// The row that a statement on `owned` returned, or why it returned none.
fn the_users_own(
    connection: &mut HostConnection,
    row: Option<ChatRow>,
    chat_id: &str,
    user_id: &str,
) -> Result<Chat, Failure> {
    if let Some(row) = row {
        return Ok(row.into());
    }
    check_owned(connection, chat_id, user_id)?;
    // It is the user's by now: it came into being between the two statements.
    Err(not_found("chat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_term_stand_for_themselves() {
        assert_eq!(pattern_containing("50%_\\x"), "%50\\%\\_\\\\x%");
        assert_eq!(pattern_containing(""), "%%");
        assert_eq!(pattern_containing("größe"), "%größe%");
    }
}
