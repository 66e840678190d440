//! Users and how they prove who they are: `users`, `accounts`, `email_verifications`
//! and `passkeys`. Owns these tables and their row types.
#![expect(clippy::ref_option_ref, reason = "what Diesel derives for `NewPasskey`")]

use avenire_values::{Timestamp, Uuid, text_enum};
use diesel::prelude::*;

avenire_macros::schema! {
    /// One row a user. `id` is chosen by the caller or a random UUID as text.
    #[derive(Eq)]
    table users as User {
        /// 1 to 255 characters; never changes.
        id: text = "gen_random_uuid()::text",
        /// The name to show.
        name: text,
        /// As the user wrote it; unique however it is capitalised, so look it up by
        /// `lower(email)`.
        email: text,
        /// Whether the user has shown that the address is theirs.
        email_verified: boolean = false,
        /// URL of a picture.
        image: text?,
        /// The name to sign in with; unique however it is capitalised, so look it up by
        /// `lower(username)`.
        username: text?,
        /// The username as the user likes to see it.
        display_username: text?,
        /// When the row was made.
        created_at: timestamptz = "now()",
        /// When a column was changed last.
        updated_at: timestamptz = "now()",

        primary key users_pkey (id),
        check users_id_check "length(id) between 1 and 255",
        check users_email_check "length(email) between 3 and 320 and position('@' in email) > 1",
        check users_username_check "length(username) between 1 and 255",
        /// An e-mail address is one, however it is capitalised.
        unique index users_email_key ("lower(email)"),
        /// So is a username.
        unique index users_username_key ("lower(username)"),
    }

    /// One row a way to sign in: a password (`provider_id` is `credential`) or an
    /// identity at a provider such as `google`. Goes with its user. The row type is without the
    /// password hash, which no list of accounts needs.
    #[derive(Eq)]
    table accounts as Account {
        /// 1 to 255 characters; never changes.
        id: text = "gen_random_uuid()::text",
        /// Whose account it is.
        user_id: text,
        /// The provider; `credential` is the password.
        provider_id: text,
        /// The user's id at the provider, unique there; the user's own id for `credential`.
        account_id: text,
        /// OAuth access token.
        access_token: text?,
        /// OAuth refresh token.
        refresh_token: text?,
        /// OpenID Connect id token.
        id_token: text?,
        /// When the access token ceases to work.
        access_token_expires_at: timestamptz?,
        /// When the refresh token ceases to work.
        refresh_token_expires_at: timestamptz?,
        /// OAuth scopes as the provider writes them.
        scope: text?,
        /// Only for `credential`: the hash, never the password.
        password_hash: text? as _,
        /// When the row was made.
        created_at: timestamptz = "now()",
        /// When a column was changed last.
        updated_at: timestamptz = "now()",

        primary key accounts_pkey (id),
        check accounts_id_check "length(id) between 1 and 255",
        unique accounts_provider_key (provider_id, account_id),
        foreign key accounts_user_id_fkey (user_id) references users (id) on delete cascade,
        check accounts_password_check "password_hash is null or provider_id = 'credential'",
        index accounts_user_id_idx (user_id),
        unique index accounts_credential_key (user_id) where "provider_id = 'credential'",
    }

    /// One row a pending proof, such as `reset-password:<token>`. Used up by being deleted.
    #[derive(Eq)]
    table email_verifications as EmailVerification {
        /// 1 to 255 characters; never changes.
        id: text = "gen_random_uuid()::text",
        /// What is to be proven; several rows may have the same.
        identifier: text,
        /// What proves it or what it stands for, as the caller likes.
        value: text,
        /// From when on it proves nothing.
        expires_at: timestamptz,
        /// When the row was made.
        created_at: timestamptz = "now()",
        /// When a column was changed last.
        updated_at: timestamptz = "now()",

        primary key email_verifications_pkey (id),
        check email_verifications_id_check "length(id) between 1 and 255",
        index email_verifications_identifier_idx (identifier, created_at desc),
        index email_verifications_expires_at_idx (expires_at),
    }

    /// One row a WebAuthn credential. Goes with its user.
    #[derive(Eq)]
    table passkeys as Passkey {
        /// 1 to 255 characters; never changes.
        id: text = "gen_random_uuid()::text",
        /// Whose passkey it is.
        user_id: text,
        /// The name the user gave it.
        name: text?,
        /// The credential's public key, base64url of its COSE encoding.
        public_key: text,
        /// The credential's id, base64url; unique.
        credential_id: text,
        /// WebAuthn's signature counter: an unsigned 32-bit integer, hence not `integer`.
        counter: bigint = 0,
        /// `single-device` or `multi-device`.
        device_type: text as DeviceType,
        /// Whether the credential is backed up.
        backed_up: boolean,
        /// How the authenticator is reached, such as `usb` or `internal`.
        transports: text[] = "'{}'",
        /// The authenticator's model.
        aaguid: uuid?,
        /// When the row was made.
        created_at: timestamptz = "now()",

        primary key passkeys_pkey (id),
        check passkeys_id_check "length(id) between 1 and 255",
        unique passkeys_credential_id_key (credential_id),
        foreign key passkeys_user_id_fkey (user_id) references users (id) on delete cascade,
        check passkeys_counter_check "counter between 0 and 4294967295",
        check passkeys_device_type_check "device_type in ('single-device', 'multi-device')",
        index passkeys_user_id_idx (user_id),
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
