//! Deleting chats that nobody wrote to.

use avenire_sdk::prelude::*;
use diesel::sql_types::{Array, Integer, Text};

/// A hundred years; older chats there are none.
const MAX_DAYS: u32 = 36_500;

/// Locks the empty chats, so that nobody begins to write to them; those that somebody is
/// writing to are locked already and are left.
const LOCK_EMPTY_CHATS: &str = "\
select chat.id from chat
where chat.created_at < now() - make_interval(days => $1)
    and not exists (select from message where message.chat_id = chat.id)
order by chat.created_at
limit 10000
for update skip locked";

/// Looks again, in a snapshot of its own: a message may have been saved after the first
/// statement's snapshot and before its lock.
const DELETE_EMPTY_CHATS: &str = "\
delete from chat
where chat.id = any ($1)
    and not exists (select from message where message.chat_id = chat.id)";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

pub(crate) fn cleanup(older_than_days: u32) -> Result<u64, Failure> {
    let days = check_days(older_than_days)?;
    // Read committed, whatever the role's default is: the second look needs a new snapshot.
    database().build_transaction().read_committed().run(|connection| {
        let empty: Vec<Id> =
            diesel::sql_query(LOCK_EMPTY_CHATS).bind::<Integer, _>(days).load(connection)?;
        if empty.is_empty() {
            return Ok(0);
        }
        let ids: Vec<String> = empty.into_iter().map(|row| row.id).collect();
        let deleted = diesel::sql_query(DELETE_EMPTY_CHATS)
            .bind::<Array<Text>, _>(ids)
            .execute(connection)?;
        Ok(deleted as u64)
    })
}

fn check_days(days: u32) -> Result<i32, Failure> {
    match i32::try_from(days) {
        Ok(checked) if (1..=MAX_DAYS).contains(&days) => Ok(checked),
        _ => Err(invalid("older-than-days", format!("{days} is not between 1 and {MAX_DAYS}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_from_one_to_a_century() {
        assert!(check_days(0).is_err());
        assert!(check_days(MAX_DAYS + 1).is_err());
        assert_eq!(check_days(90).unwrap(), 90);
    }
}
