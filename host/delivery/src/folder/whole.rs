//! Whether bytes are a whole component, told by the lengths that its sections state.
//! Never: validates what is in them.
//!
//! Protocol: the header and the sections of a component (WebAssembly component model, `Binary.md`,
//! "Component Definitions"): an id of one byte, a length as unsigned LEB128 of at most 32 bits, as
//! many bytes.

/// The magic bytes, the version 13, the layer 1.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// The same magic bytes, the version 1, the layer 0.
const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";

/// The section that says what a component exports.
const EXPORTS: u8 = 11;

/// The highest id of a section, that of values.
const LAST: u8 = 12;

/// What bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A component from its header to its end, which exports something. One that is cut exactly
    /// between two sections, after its first exports, looks whole too, since nothing in the format
    /// says how many sections there are: against that there is only the quiet period.
    Whole,
    /// The beginning of one. Since a component without exports is of no use, one that is cut before
    /// them counts as this.
    Cut,
    /// A core module.
    Module,
    /// No WebAssembly at all, or of another version.
    Other,
    /// A component whose sections make no sense, such as one whose end was not written yet and
    /// reads as zeros.
    Malformed,
}

pub(super) fn form(bytes: &[u8]) -> Form {
    let Some((header, mut rest)) = bytes.split_first_chunk::<8>() else {
        let begins = COMPONENT.starts_with(bytes) || MODULE.starts_with(bytes);
        return if begins { Form::Cut } else { Form::Other };
    };
    match *header {
        COMPONENT => {}
        MODULE => return Form::Module,
        _ => return Form::Other,
    }
    let mut exports = false;
    while let Some((&id, after)) = rest.split_first() {
        if id > LAST {
            return Form::Malformed;
        }
        let (size, content) = match length(after) {
            Ok(found) => found,
            Err(form) => return form,
        };
        // Every section has a name or a count at least.
        if size == 0 {
            return Form::Malformed;
        }
        let Some(next) = content.get(size..) else {
            return Form::Cut;
        };
        exports |= id == EXPORTS;
        rest = next;
    }
    if exports { Form::Whole } else { Form::Cut }
}

/// A length, and what follows it.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Form> {
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok().and_then(|value| usize::try_from(value).ok());
            let rest = bytes.get(index + 1..);
            return value.zip(rest).ok_or(Form::Malformed);
        }
    }
    Err(if bytes.len() < 5 { Form::Cut } else { Form::Malformed })
}

#[cfg(test)]
mod tests {
    use super::{COMPONENT, EXPORTS, Form, form};

    /// A small generator of numbers, the same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % limit
        }
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![id];
        let mut left = content.len();
        while left >= 0x80 {
            bytes.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        bytes.push(u8::try_from(left).unwrap());
        bytes.extend_from_slice(content);
        bytes
    }

    /// Sections of any kind and length, and where the last that exports ends.
    fn component(numbers: &mut Numbers) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (COMPONENT.to_vec(), Vec::new());
        let count = numbers.below(8) + 1;
        let exporting = numbers.below(count);
        for index in 0..count {
            let other = u8::try_from(numbers.below(11)).unwrap();
            let id = if index == exporting { EXPORTS } else { other };
            let longest = [3, 200, 20_000][usize::try_from(numbers.below(3)).unwrap()];
            let length = usize::try_from(numbers.below(longest) + 1).unwrap();
            let content: Vec<u8> =
                (0..length).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect();
            bytes.extend(section(id, &content));
            if index >= exporting {
                ends.push(bytes.len());
            }
        }
        (bytes, ends)
    }

    #[test]
    fn no_beginning_of_a_component_is_whole_but_at_the_end_of_a_section_after_its_exports() {
        let mut numbers = Numbers(7);
        for _ in 0..200 {
            let (bytes, ends) = component(&mut numbers);
            assert_eq!(form(&bytes), Form::Whole);
            let near = ends.iter().flat_map(|end| end.saturating_sub(3)..(end + 3));
            let near: Vec<usize> = near.chain(0..40).filter(|cut| *cut < bytes.len()).collect();
            let anywhere = (0..200).map(|_| {
                usize::try_from(numbers.below(u64::try_from(bytes.len()).unwrap())).unwrap()
            });
            for cut in near.into_iter().chain(anywhere.collect::<Vec<_>>()) {
                let expected = if ends.contains(&cut) { Form::Whole } else { Form::Cut };
                assert_eq!(form(&bytes[..cut]), expected, "cut at {cut} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn an_end_that_was_not_written_yet_and_reads_as_zeros_is_not_whole() {
        let mut numbers = Numbers(11);
        for _ in 0..100 {
            let (mut bytes, ends) = component(&mut numbers);
            bytes.extend(section(EXPORTS, &[1, 0, 1, b'a', 1, 0, 0]));
            // Up to where the last section begins.
            let last = *ends.last().unwrap();
            let written = usize::try_from(numbers.below(u64::try_from(last).unwrap())).unwrap();
            bytes[written..].fill(0);
            assert_ne!(form(&bytes), Form::Whole, "written up to {written}");
        }
    }

    #[test]
    fn random_bytes_after_the_header_never_panic() {
        let mut numbers = Numbers(13);
        for _ in 0..5_000 {
            let mut bytes = COMPONENT.to_vec();
            let length = numbers.below(64);
            bytes.extend((0..length).map(|_| u8::try_from(numbers.below(256)).unwrap()));
            form(&bytes);
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        assert_eq!(form(b""), Form::Cut);
        assert_eq!(form(b"\0asm\x01"), Form::Cut);
        assert_eq!(form(b"\0asm\x01\0\0\0"), Form::Module);
        assert_eq!(form(b"#!/bin"), Form::Other);
        assert_eq!(form(b"\0asm\x0e\0\x01\0"), Form::Other);
        assert_eq!(form(&[0; 64]), Form::Other);
        let unknown = [COMPONENT.as_slice(), &[77, 1, 0]].concat();
        assert_eq!(form(&unknown), Form::Malformed);
        let too_long = [COMPONENT.as_slice(), &[11, 0xff, 0xff, 0xff, 0xff, 0x1f]].concat();
        assert_eq!(form(&too_long), Form::Malformed);
        let endless = [COMPONENT.as_slice(), &[11, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]].concat();
        assert_eq!(form(&endless), Form::Malformed);
    }
}
