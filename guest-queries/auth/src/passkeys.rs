//! Passkeys: registering, listing, finding, renaming and deleting them, and the signature
//! counter that gives a cloned authenticator away.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::auth::{NewPasskey as NewPasskeyRow, Passkey as PasskeyRow, passkeys};
use diesel::IntoSql;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use crate::bindings::exports::avenire::auth::queries::{NewPasskey, Passkey};
use crate::convert::no_such_user;

pub(crate) fn register_passkey(user_id: &str, passkey: &NewPasskey) -> Result<Passkey, Failure> {
    let row: PasskeyRow = diesel::insert_into(passkeys::table)
        .values(NewPasskeyRow {
            user_id,
            name: passkey.name.as_deref(),
            public_key: &passkey.public_key,
            credential_id: &passkey.credential_id,
            counter: i64::from(passkey.counter),
            device_type: passkey.device_type.into(),
            backed_up: passkey.backed_up,
            transports: &passkey.transports,
            aaguid: passkey.aaguid.as_deref().map(parse_aaguid).transpose()?,
        })
        .returning(PasskeyRow::as_returning())
        .get_result(&mut database())
        .map_err(no_such_user)?;
    row.try_into()
}

fn parse_aaguid(text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(|error| invalid("aaguid", error.to_string()))
}

pub(crate) fn list_passkeys(user_id: &str) -> Result<Vec<Passkey>, Failure> {
    let rows: Vec<PasskeyRow> = passkeys::table
        .filter(passkeys::user_id.eq(user_id))
        .order((passkeys::created_at, passkeys::id))
        .select(PasskeyRow::as_select())
        .load(&mut database())?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) fn get_passkey_by_credential_id(credential_id: &str) -> Result<Passkey, Failure> {
    find(&mut database(), credential_id)?.try_into()
}

fn find(connection: &mut HostConnection, credential_id: &str) -> Result<PasskeyRow, Failure> {
    passkeys::table
        .filter(passkeys::credential_id.eq(credential_id))
        .select(PasskeyRow::as_select())
        .first(connection)
        .optional()?
        .ok_or_else(|| not_found("passkey"))
}

pub(crate) fn advance_passkey_counter(
    credential_id: &str,
    counter: u32,
) -> Result<Passkey, Failure> {
    let counter = i64::from(counter);
    let mut connection = database();
    // An authenticator without a counter sends 0 each time.
    let without_counter = passkeys::counter.eq(0).and(counter.into_sql::<BigInt>().eq(0));
    let advanced: Option<PasskeyRow> = diesel::update(
        passkeys::table
            .filter(passkeys::credential_id.eq(credential_id))
            .filter(passkeys::counter.lt(counter).or(without_counter)),
    )
    .set(passkeys::counter.eq(counter))
    .returning(PasskeyRow::as_returning())
    .get_result(&mut connection)
    .optional()?;
    if let Some(row) = advanced {
        return row.try_into();
    }
    let stored = find(&mut connection, credential_id)?.counter;
    let message = format!("{counter} is not larger than {stored}: the authenticator may be cloned");
    Err(invalid("counter", message))
}

pub(crate) fn rename_passkey(
    passkey_id: &str,
    user_id: &str,
    name: Option<&str>,
) -> Result<Passkey, Failure> {
    let mut connection = database();
    let row: Option<PasskeyRow> = diesel::update(owned(passkey_id, user_id))
        .set(passkeys::name.eq(name))
        .returning(PasskeyRow::as_returning())
        .get_result(&mut connection)
        .optional()?;
    the_users_own(&mut connection, row, passkey_id)
}

pub(crate) fn delete_passkey(passkey_id: &str, user_id: &str) -> Result<Passkey, Failure> {
    let mut connection = database();
    let row: Option<PasskeyRow> = diesel::delete(owned(passkey_id, user_id))
        .returning(PasskeyRow::as_returning())
        .get_result(&mut connection)
        .optional()?;
    the_users_own(&mut connection, row, passkey_id)
}

/// The passkey if it is the user's, for statements that change it.
#[diesel::dsl::auto_type]
fn owned<'a>(passkey_id: &'a str, user_id: &'a str) -> _ {
    passkeys::table.filter(passkeys::id.eq(passkey_id)).filter(passkeys::user_id.eq(user_id))
}

/// The row that a statement on `owned` returned, or why it returned none.
fn the_users_own(
    connection: &mut HostConnection,
    row: Option<PasskeyRow>,
    passkey_id: &str,
) -> Result<Passkey, Failure> {
    if let Some(row) = row {
        return row.try_into();
    }
    let passkey = passkeys::table.filter(passkeys::id.eq(passkey_id));
    if diesel::select(diesel::dsl::exists(passkey)).get_result(connection)? {
        Err(forbidden("passkey"))
    } else {
        Err(not_found("passkey"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aaguid_that_is_no_uuid_is_invalid() {
        assert!(parse_aaguid("00000000-0000-0000-0000-000000000000").is_ok());
        assert!(matches!(parse_aaguid("yubikey"), Err(Failure::Invalid(_))));
    }
}
