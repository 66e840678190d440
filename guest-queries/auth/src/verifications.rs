//! Verifications: making them, using them up exactly once, clearing away the expired.

use avenire_sdk::prelude::*;
use avenire_sdk::schema::auth::{EmailVerification, NewEmailVerification, email_verifications};
use diesel::dsl::now;
use diesel::sql_types::{Nullable, Text};

use crate::bindings::exports::avenire::auth::queries::Verification;

/// Deleting is using up: of two calls that run at once the second waits for the first and
/// then finds the rows gone. Reading first and deleting then would let both through.
const CONSUME_VERIFICATION: &str = "\
delete from email_verifications
where identifier = $1 and ($2 is null or value = $2) and expires_at > now()
returning *";

pub(crate) fn create_verification(
    identifier: &str,
    value: &str,
    expires_at: Timestamp,
) -> Result<Verification, Failure> {
    let row: EmailVerification = diesel::insert_into(email_verifications::table)
        .values(NewEmailVerification { identifier, value, expires_at })
        .returning(EmailVerification::as_returning())
        .get_result(&mut database())?;
    Ok(row.into())
}

pub(crate) fn get_verification(identifier: &str) -> Result<Verification, Failure> {
    let row: Option<EmailVerification> = email_verifications::table
        .filter(email_verifications::identifier.eq(identifier))
        .filter(email_verifications::expires_at.gt(now))
        .order((email_verifications::created_at.desc(), email_verifications::id.desc()))
        .select(EmailVerification::as_select())
        .first(&mut database())
        .optional()?;
    row.map(Into::into).ok_or_else(|| not_found("verification"))
}

pub(crate) fn consume_verification(
    identifier: &str,
    value: Option<&str>,
) -> Result<Verification, Failure> {
    let rows: Vec<EmailVerification> = diesel::sql_query(CONSUME_VERIFICATION)
        .bind::<Text, _>(identifier)
        .bind::<Nullable<Text>, _>(value)
        .load(&mut database())?;
    newest(rows).map(Into::into).ok_or_else(|| not_found("verification"))
}

fn newest(rows: Vec<EmailVerification>) -> Option<EmailVerification> {
    rows.into_iter().max_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)))
}

pub(crate) fn delete_expired_verifications() -> Result<u64, Failure> {
    let expired = email_verifications::table.filter(email_verifications::expires_at.le(now));
    let deleted = diesel::delete(expired).execute(&mut database())?;
    Ok(deleted as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_verifications_the_newest_counts() {
        let at = Timestamp::from_unix_micros;
        let row = |id: &str, created_at| EmailVerification {
            id: id.into(),
            identifier: "x".into(),
            value: "x".into(),
            expires_at: at(0),
            created_at: at(created_at),
            updated_at: at(0),
        };
        let rows = vec![row("a", 1), row("c", 2), row("b", 2)];
        assert_eq!(newest(rows).unwrap().id, "c");
        assert!(newest(Vec::new()).is_none());
    }
}
