//! Enums for text columns that a check constraint restricts to a few words.

/// Declares an enum whose cases are words in a text column. A word that is none of them
/// is an error when loaded, which the column's check constraint makes impossible.
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident { $($(#[$case_attribute:meta])* $case:ident = $word:literal,)+ }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[derive($crate::diesel::expression::AsExpression, $crate::diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = $crate::diesel::sql_types::Text)]
        pub enum $name { $($(#[$case_attribute])* $case,)+ }

        impl $name {
            /// The word in the column.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $word,)+ }
            }
        }

        impl $crate::diesel::serialize::ToSql<$crate::diesel::sql_types::Text, $crate::diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut $crate::diesel::serialize::Output<'b, '_, $crate::diesel::pg::Pg>,
            ) -> $crate::diesel::serialize::Result {
                std::io::Write::write_all(out, self.as_str().as_bytes())?;
                Ok($crate::diesel::serialize::IsNull::No)
            }
        }

        impl $crate::diesel::deserialize::FromSql<$crate::diesel::sql_types::Text, $crate::diesel::pg::Pg> for $name {
            fn from_sql(value: $crate::diesel::pg::PgValue<'_>) -> $crate::diesel::deserialize::Result<Self> {
                $(if value.as_bytes() == $word.as_bytes() { return Ok(Self::$case); })+
                let word = String::from_utf8_lossy(value.as_bytes());
                Err(format!("{word:?} is no {}", stringify!($name)).into())
            }
        }
    };
}
