//! Users and how they prove who they are: `users`, `accounts`, `email_verifications`
//! and `passkeys`. Owns these tables' columns and row types.
#![expect(clippy::ref_option_ref, reason = "what Diesel derives for `NewPasskey`")]

use diesel::prelude::*;
use uuid::Uuid;

use crate::Timestamp;
use crate::values::text_enum;

diesel::table! {
    /// One row a user. `id` is chosen by the caller or a random UUID as text.
    users (id) {
        /// 1 to 255 characters; never changes.
        id -> Text,
        /// The name to show.
        name -> Text,
        /// As the user wrote it; unique however it is capitalised, so look it up by
        /// `lower(email)`.
        email -> Text,
        /// Whether the user has shown that the address is theirs.
        email_verified -> Bool,
        /// URL of a picture.
        image -> Nullable<Text>,
        /// The name to sign in with; unique however it is capitalised, so look it up by
        /// `lower(username)`.
        username -> Nullable<Text>,
        /// The username as the user likes to see it.
        display_username -> Nullable<Text>,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When a column was changed last.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// One row a way to sign in: a password (`provider_id` is `credential`) or an
    /// identity at a provider such as `google`. Goes with its user.
    accounts (id) {
        /// 1 to 255 characters; never changes.
        id -> Text,
        /// Whose account it is.
        user_id -> Text,
        /// The provider; `credential` is the password.
        provider_id -> Text,
        /// The user's id at the provider, unique there; the user's own id for `credential`.
        account_id -> Text,
        /// OAuth access token.
        access_token -> Nullable<Text>,
        /// OAuth refresh token.
        refresh_token -> Nullable<Text>,
        /// OpenID Connect id token.
        id_token -> Nullable<Text>,
        /// When the access token ceases to work.
        access_token_expires_at -> Nullable<Timestamptz>,
        /// When the refresh token ceases to work.
        refresh_token_expires_at -> Nullable<Timestamptz>,
        /// OAuth scopes as the provider writes them.
        scope -> Nullable<Text>,
        /// Only for `credential`: the hash, never the password.
        password_hash -> Nullable<Text>,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When a column was changed last.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// One row a pending proof, such as `reset-password:<token>`. Used up by being deleted.
    email_verifications (id) {
        /// 1 to 255 characters; never changes.
        id -> Text,
        /// What is to be proven; several rows may have the same.
        identifier -> Text,
        /// What proves it or what it stands for, as the caller likes.
        value -> Text,
        /// From when on it proves nothing.
        expires_at -> Timestamptz,
        /// When the row was made.
        created_at -> Timestamptz,
        /// When a column was changed last.
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// One row a WebAuthn credential. Goes with its user.
    passkeys (id) {
        /// 1 to 255 characters; never changes.
        id -> Text,
        /// Whose passkey it is.
        user_id -> Text,
        /// The name the user gave it.
        name -> Nullable<Text>,
        /// The credential's public key, base64url of its COSE encoding.
        public_key -> Text,
        /// The credential's id, base64url; unique.
        credential_id -> Text,
        /// WebAuthn's signature counter: an unsigned 32-bit integer, hence not `integer`.
        counter -> BigInt,
        /// `single-device` or `multi-device`.
        device_type -> Text,
        /// Whether the credential is backed up.
        backed_up -> Bool,
        /// How the authenticator is reached, such as `usb` or `internal`.
        transports -> Array<Text>,
        /// The authenticator's model.
        aaguid -> Nullable<Uuid>,
        /// When the row was made.
        created_at -> Timestamptz,
    }
}

text_enum! {
    /// How many devices a credential can be on.
    pub enum DeviceType {
        /// One.
        SingleDevice = "single-device",
        /// Several.
        MultiDevice = "multi-device",
    }
}

/// A row of `users`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub image: Option<String>,
    pub username: Option<String>,
    pub display_username: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A row of `accounts` without the password hash, which no list of accounts needs.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = accounts, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct Account {
    pub id: String,
    pub user_id: String,
    pub provider_id: String,
    pub account_id: String,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub access_token_expires_at: Option<Timestamp>,
    pub refresh_token_expires_at: Option<Timestamp>,
    pub scope: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A row of `email_verifications`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = email_verifications, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct EmailVerification {
    pub id: String,
    pub identifier: String,
    pub value: String,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A row of `passkeys`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = passkeys, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct Passkey {
    pub id: String,
    pub user_id: String,
    pub name: Option<String>,
    pub public_key: String,
    pub credential_id: String,
    pub counter: i64,
    pub device_type: DeviceType,
    pub backed_up: bool,
    pub transports: Vec<String>,
    pub aaguid: Option<Uuid>,
    pub created_at: Timestamp,
}

/// What the caller says of a new passkey; what is none is NULL, the rest are defaults.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = passkeys, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct NewPasskey<'a> {
    pub user_id: &'a str,
    pub name: Option<&'a str>,
    pub public_key: &'a str,
    pub credential_id: &'a str,
    pub counter: i64,
    pub device_type: DeviceType,
    pub backed_up: bool,
    pub transports: &'a [String],
    pub aaguid: Option<Uuid>,
}

/// What the caller says of a new verification; the rest are defaults.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = email_verifications)]
#[expect(missing_docs, reason = "the columns are documented at the table")]
pub struct NewEmailVerification<'a> {
    pub identifier: &'a str,
    pub value: &'a str,
    pub expires_at: Timestamp,
}
