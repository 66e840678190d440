//! Reads the descriptions that a component carries.

use serde::Deserialize;

use crate::description::{Description, VERSION};

impl Description {
    /// All descriptions in the contents of the custom section.
    ///
    /// # Errors
    /// When a line is no description, or one of a later version.
    pub fn read_section(bytes: &[u8]) -> Result<Vec<Self>, NotADescription> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotADescription::Text)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let head: Head = serde_json::from_str(line)?;
                if head.version > VERSION {
                    return Err(NotADescription::Version(head.version));
                }
                let read: Self = serde_json::from_str(line)?;
                if read.texts().any(|text| text.contains('\0')) {
                    return Err(NotADescription::Nul);
                }
                Ok(read)
            })
            .collect()
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// Why a custom section holds no descriptions, which is the fault of how the component was built.
#[derive(Debug, thiserror::Error)]
pub enum NotADescription {
    /// It is no UTF-8.
    #[error("the description of the schema is no text")]
    Text,
    /// It is no JSON of the shape.
    #[error("the description of the schema is malformed")]
    Shape(#[from] serde_json::Error),
    /// A name in it has a character that no name in Postgres has.
    #[error("the description of the schema has a name with a NUL character")]
    Nul,
    /// It is of a later version.
    #[error("the description of the schema has version {0}, which is not known")]
    Version(u32),
}

impl NotADescription {
    /// What to do: one sentence without full stop.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Text | Self::Shape(_) | Self::Nul => {
                "build the component with the SDK's macro `describe!` and encode it unchanged"
            }
            Self::Version(_) => "use a host as new as the SDK that the component is built with",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::description::{ColumnShape, EnumShape, Relation};

    use super::*;

    fn sample() -> Description {
        Description {
            version: VERSION,
            relations: vec![Relation {
                schema: "public".into(),
                name: "a \"b\" \\ \u{1}".into(),
                columns: vec![ColumnShape {
                    name: "größe".into(),
                    data_type: "character varying(3)".into(),
                    nullable: true,
                    optional: false,
                }],
            }],
            enums: vec![EnumShape {
                schema: "auth".into(),
                name: "mood".into(),
                values: vec!["sad".into(), "very\nhappy".into()],
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let section = format!("{0}\n{0}\n", sample().to_json());
        let read = Description::read_section(section.as_bytes()).unwrap();
        assert_eq!(read, [sample(), sample()]);
    }

    #[test]
    fn what_is_no_description_is_refused() {
        for (bytes, message) in [
            (&b"\xff"[..], "no text"),
            (b"{}", "malformed"),
            (b"{\"version\":2,\"new\":1}", "version 2"),
            (
                b"{\"version\":1,\"relations\":[],\"enums\":[{\"schema\":\"a\",\"name\":\"b\",\"values\":[\"c\\u0000\"]}]}",
                "NUL",
            ),
        ] {
            let error = Description::read_section(bytes).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
