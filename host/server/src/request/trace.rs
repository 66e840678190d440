//! The caller's trace (W3C Trace Context, level 1). Never: starts a trace.

use std::fmt;

use http::HeaderMap;

use crate::hex;

/// The longest `tracestate` that is passed on, in bytes (section 3.3.1.5 asks for at least 512).
const LONGEST_STATE: usize = 512;

/// Where a call belongs in its caller's trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; never all zeros.
    pub trace_id: [u8; 16],
    /// The caller's span; never all zeros.
    pub parent_id: [u8; 8],
    /// The flags; bit 0 says that the caller records the trace.
    pub flags: u8,
    /// What the caller's tools want passed on, at most 512 bytes.
    pub state: Option<String>,
}

impl TraceParent {
    /// The header's value, in version 00.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = bytes::<1>(parts.next()?)?;
        let trace_id = bytes::<16>(parts.next()?)?;
        let parent_id = bytes::<8>(parts.next()?)?;
        let [flags] = bytes::<1>(parts.next()?)?;
        // Later versions may have more parts; version 00 has none, and ff does not exist.
        let has_more = parts.next().is_some();
        let is_known = match version {
            [0] => !has_more,
            [version] => version != 0xff,
        };
        (is_known && trace_id != [0; 16] && parent_id != [0; 8]).then_some(Self {
            trace_id,
            parent_id,
            flags,
            state: None,
        })
    }

    /// From a request's headers; nothing when they are absent or malformed (section 4.2).
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all("traceparent").iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let state: Vec<&str> =
            headers.get_all("tracestate").iter().filter_map(|v| v.to_str().ok()).collect();
        let state = state.join(",");
        let state = (!state.is_empty() && state.len() <= LONGEST_STATE).then_some(state);
        Some(Self { state, ..Self::parse(value.to_str().ok()?)? })
    }

    /// The trace in 32 hexadecimal digits.
    pub fn trace_id_text(&self) -> String {
        hex::encode(&self.trace_id)
    }
}

/// The header's value, in version 00.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, parent) = (hex::encode(&self.trace_id), hex::encode(&self.parent_id));
        write!(f, "00-{trace}-{parent}-{:02x}", self.flags)
    }
}

/// The standard knows lower-case digits only.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).filter(|_| !text.contains(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let trace = TraceParent::parse(FINE).expect("a trace");
        assert_eq!(trace.to_string(), FINE);
        assert_eq!(trace.flags, 1);
        assert!(TraceParent::parse(&FINE.replacen("00", "01", 1)).is_some());
        assert!(TraceParent::parse(&format!("{}-more", FINE.replacen("00", "cc", 1))).is_some());
    }

    #[test]
    fn what_is_malformed_is_no_trace() {
        for text in [
            "",
            "00",
            &FINE.replacen("00", "ff", 1),
            &format!("{FINE}-more"),
            &FINE.to_uppercase(),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473ä-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
