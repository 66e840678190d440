//! What a component says of the tables it was compiled against. Owns the custom section that
//! carries it. Never: runs; the section is not part of the program's memory.

/// Lets a component carry the descriptions of the schema modules that it uses, so that the host
/// can compare them with the live database before the component is let in.
///
/// ```text
/// avenire_sdk::describe!(avenire_sdk::schema::chat::DESCRIPTION);
/// ```
///
/// They are lines of JSON in the wasm custom section `avenire:schema`; their shape is that of
/// `avenire_definitions::Description`. One call a component, with all modules that it uses.
#[macro_export]
macro_rules! describe {
    ($($description:expr),+ $(,)?) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            const PARTS: &[&str] = &[$($description),+];

            // A section holds bytes, so the text is copied into an array.
            // SAFETY: the linker treats data in a custom section as opaque bytes and puts them
            // nowhere in memory; the name is not one that tools or engines give a meaning to.
            #[used]
            #[unsafe(link_section = "avenire:schema")]
            static DESCRIPTIONS: [u8; $crate::describe::length(PARTS)] =
                $crate::describe::lines(PARTS);
        };
    };
}

/// How many bytes the lines take.
#[doc(hidden)]
pub const fn length(parts: &[&str]) -> usize {
    let mut length = 0;
    let mut rest = parts;
    while let [first, others @ ..] = rest {
        length += first.len() + 1;
        rest = others;
    }
    length
}

/// The parts, each with a line feed after it.
#[doc(hidden)]
#[expect(clippy::indexing_slicing, reason = "at compile time, where a mistake is an error")]
pub const fn lines<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut bytes = [b'\n'; LENGTH];
    let mut at = 0;
    let mut rest = parts;
    while let [first, others @ ..] = rest {
        let mut text = first.as_bytes();
        while let [byte, more @ ..] = text {
            bytes[at] = *byte;
            at += 1;
            text = more;
        }
        at += 1;
        rest = others;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{length, lines};

    #[test]
    fn each_description_is_a_line() {
        const PARTS: &[&str] = &["{}", "{1}"];
        const BYTES: [u8; length(PARTS)] = lines(PARTS);
        assert_eq!(&BYTES, b"{}\n{1}\n");
    }
}
