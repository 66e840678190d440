//! Between the tables' rows and the contract's records. Owns also what a change means in
//! SQL and what a broken key means to a caller.

use avenire_sdk::schema::{Timestamp, auth as tables};
use avenire_sdk::wit;
use avenire_sdk::{Failure, error::not_found};
use diesel::result::{DatabaseErrorKind, Error};

use crate::bindings::exports::avenire::auth::queries::{
    Account, DeviceType, Passkey, TextChange, TimestampChange, Tokens, User, Verification,
};

impl From<tables::User> for User {
    fn from(row: tables::User) -> Self {
        Self {
            id: row.id,
            name: row.name,
            email: row.email,
            email_verified: row.email_verified,
            image: row.image,
            username: row.username,
            display_username: row.display_username,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

impl From<tables::Account> for Account {
    fn from(row: tables::Account) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            provider_id: row.provider_id,
            account_id: row.account_id,
            tokens: Tokens {
                access_token: row.access_token,
                refresh_token: row.refresh_token,
                id_token: row.id_token,
                access_token_expires_at: row.access_token_expires_at.map(Into::into),
                refresh_token_expires_at: row.refresh_token_expires_at.map(Into::into),
                scope: row.scope,
            },
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

impl From<tables::EmailVerification> for Verification {
    fn from(row: tables::EmailVerification) -> Self {
        Self {
            id: row.id,
            identifier: row.identifier,
            value: row.value,
            expires_at: row.expires_at.into(),
            created_at: row.created_at.into(),
        }
    }
}

impl TryFrom<tables::Passkey> for Passkey {
    type Error = Failure;

    fn try_from(row: tables::Passkey) -> Result<Self, Failure> {
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            name: row.name,
            public_key: row.public_key,
            credential_id: row.credential_id,
            // The check constraint makes all counters fit.
            counter: u32::try_from(row.counter).map_err(Error::IntegerConversion)?,
            device_type: row.device_type.into(),
            backed_up: row.backed_up,
            transports: row.transports,
            aaguid: row.aaguid.map(|aaguid| aaguid.to_string()),
            created_at: row.created_at.into(),
        })
    }
}

impl From<tables::DeviceType> for DeviceType {
    fn from(device_type: tables::DeviceType) -> Self {
        match device_type {
            tables::DeviceType::SingleDevice => Self::SingleDevice,
            tables::DeviceType::MultiDevice => Self::MultiDevice,
        }
    }
}

impl From<DeviceType> for tables::DeviceType {
    fn from(device_type: DeviceType) -> Self {
        match device_type {
            DeviceType::SingleDevice => Self::SingleDevice,
            DeviceType::MultiDevice => Self::MultiDevice,
        }
    }
}

/// A change as a statement takes it, `case when keep then column else value end`, so that
/// its text is the same whatever changes.
pub(crate) struct Change<T> {
    /// Whether the column stays as it is.
    pub(crate) keep: bool,
    /// What it becomes otherwise.
    pub(crate) value: Option<T>,
}

impl<T> Change<T> {
    const KEEP: Self = Self { keep: true, value: None };
    const CLEAR: Self = Self { keep: false, value: None };

    fn set(value: T) -> Self {
        Self { keep: false, value: Some(value) }
    }
}

impl From<TextChange> for Change<String> {
    fn from(change: TextChange) -> Self {
        match change {
            TextChange::Keep => Self::KEEP,
            TextChange::Clear => Self::CLEAR,
            TextChange::Set(value) => Self::set(value),
        }
    }
}

impl From<TimestampChange> for Change<Timestamp> {
    fn from(change: TimestampChange) -> Self {
        match change {
            TimestampChange::Keep => Self::KEEP,
            TimestampChange::Clear => Self::CLEAR,
            TimestampChange::Set(value) => Self::set(value.into()),
        }
    }
}

/// A point in time that may be absent.
pub(crate) fn optional_timestamp(timestamp: Option<wit::Timestamp>) -> Option<Timestamp> {
    timestamp.map(Into::into)
}

/// The failure of a statement that gives a user something: the only foreign keys are
/// those to the user, so a broken one means that there is no such user.
pub(crate) fn no_such_user(error: Error) -> Failure {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => not_found("user"),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeping_clearing_and_setting_are_told_apart() {
        let change = |change: TextChange| {
            let Change { keep, value } = change.into();
            (keep, value)
        };
        assert_eq!(change(TextChange::Keep), (true, None));
        assert_eq!(change(TextChange::Clear), (false, None));
        assert_eq!(change(TextChange::Set("x".into())), (false, Some("x".to_owned())));
    }
}
