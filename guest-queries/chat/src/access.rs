//! Who may read and write a chat. Owns the answer to why a statement that found nothing
//! found nothing: it is asked for then only, so that what works takes one round trip.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::chat::{Visibility, chat};

/// Whether this reader may read a chat of that owner; no reader is nobody.
pub(crate) fn may_read(owner: &str, visibility: Visibility, reader: Option<&str>) -> bool {
    visibility == Visibility::Public || reader == Some(owner)
}

/// A chat that the reader was found unable to read, if that is why: `not-found`,
/// `forbidden`, or nothing when it can be read.
pub(crate) fn check_readable(
    connection: &mut HostConnection,
    chat_id: &str,
    reader: Option<&str>,
) -> Result<(), Failure> {
    let (owner, visibility) = owner_and_visibility(connection, chat_id)?;
    if may_read(&owner, visibility, reader) { Ok(()) } else { Err(forbidden("chat")) }
}

/// A chat that the user was found unable to write, if that is why: `not-found`,
/// `forbidden`, or nothing when it is the user's.
pub(crate) fn check_owned(
    connection: &mut HostConnection,
    chat_id: &str,
    user_id: &str,
) -> Result<(), Failure> {
    let (owner, _) = owner_and_visibility(connection, chat_id)?;
    if owner == user_id { Ok(()) } else { Err(forbidden("chat")) }
}

fn owner_and_visibility(
    connection: &mut HostConnection,
    chat_id: &str,
) -> Result<(String, Visibility), Failure> {
    chat::table
        .find(chat_id)
        .select((chat::user_id, chat::visibility))
        .first(connection)
        .optional()?
        .ok_or_else(|| not_found("chat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_chat_is_for_its_user_only() {
        assert!(may_read("ada", Visibility::Private, Some("ada")));
        assert!(!may_read("ada", Visibility::Private, Some("bob")));
        assert!(!may_read("ada", Visibility::Private, None));
        assert!(may_read("ada", Visibility::Public, None));
    }
}
