//! One value there and back.

/// Binds a value as the given SQL type, loads it, and lets Postgres show it.
///
/// `cast` stands behind the parameter and leads to a type that Diesel has no name for;
/// `shown` stands around it and turns it into text; `key` is what is compared where `==`
/// does not do, such as for NaN.
macro_rules! round_trip {
    (@same $rust:ty, $loaded:ident, $value:ident) => {
        $loaded == $value
    };
    (@same $rust:ty, $loaded:ident, $value:ident, $key:expr) => {{
        let key: fn(&$rust) -> _ = $key;
        key(&$loaded) == key(&$value)
    }};
    (
        $connection:expr, $trips:expr, $name:literal, $sql:ty, $rust:ty,
        $value:expr => $expected:expr
        $(, cast $cast:literal)? $(, shown $before:literal $after:literal)? $(, key $key:expr)?
    ) => {{
        let value: $rust = $value;
        let cast = concat!(")" $(, $cast)?);
        let before = concat!($($before,)? "(");
        let after = [$($after,)? "::text"][0];
        let loaded = diesel::dsl::sql::<$sql>("(").bind::<$sql, _>(value.clone()).sql(cast);
        let shown = diesel::dsl::sql::<diesel::sql_types::Text>(before)
            .bind::<$sql, _>(value.clone())
            .sql(cast)
            .sql(after);
        let query = diesel::select((loaded, shown));
        let (loaded, text): ($rust, String) =
            diesel::RunQueryDsl::get_result(query, $connection)?;
        let same = round_trip!(@same $rust, loaded, value $(, $key)?);
        $trips.push($crate::bindings::exports::avenire::types_test::checks::RoundTrip {
            name: $name.to_owned(),
            expected: $expected.to_owned(),
            text,
            same,
        });
    }};
}

pub(crate) use round_trip;
