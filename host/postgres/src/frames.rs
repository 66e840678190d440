//! Keeps rows and messages too large for any host's memory away from the driver. Never
//! interprets anything but the frames of the protocol (PostgreSQL documentation,
//! "Message Formats": a type byte, then a four-byte length that counts itself) and the
//! first fields of an error.

use tokio::io::ReadBuf;

/// The largest row taken from the server, in bytes. The driver holds a whole
/// message in memory before anyone can count it against a budget, so that one row
/// (`select repeat('x', 1000000000)`) could take a gigabyte.
pub(crate) const MAXIMUM_ROW: usize = 64 * 1024 * 1024;

/// The largest error or notice taken from the server, in bytes: Postgres repeats whole
/// values in them (`select repeat('x', 1000000000)::int`). A longer error keeps its code
/// and loses its text; a longer notice is left out.
const MAXIMUM_MESSAGE: usize = 64 * 1024;

/// How much of a long error is looked at for its severity and code, which come first.
const BEGINNING: usize = 64;

/// Routine named in the error that takes the place of such a row, by which it is
/// told from Postgres' own errors.
pub(crate) const ROW_TOO_LARGE: &str = "avenire_row_too_large";

/// Size of the read buffer, in bytes.
const BUFFER: usize = 16 * 1024;
/// A type byte and a length.
const HEADER: usize = 5;

/// Finds the messages in what the server sends and takes oversized rows out.
pub(crate) struct Frames {
    buffer: Box<[u8]>,
    /// Bytes `start..end` of the buffer are read and not delivered.
    start: usize,
    end: usize,
    /// Bytes of the current message, its header included, that are to be delivered.
    passing: usize,
    /// Bytes of an oversized row that are to be thrown away.
    skipping: usize,
    /// The rest of the error that takes its place.
    replacement: Vec<u8>,
    /// Largest row, in bytes.
    limit: usize,
}

impl Frames {
    pub(crate) fn new(limit: usize) -> Frames {
        Frames {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            passing: 0,
            skipping: 0,
            replacement: Vec::new(),
            limit,
        }
    }

    /// Delivers what is buffered. True when it needs more input to go on.
    pub(crate) fn deliver(&mut self, out: &mut ReadBuf<'_>) -> bool {
        loop {
            if !self.replacement.is_empty() {
                let count = self.replacement.len().min(out.remaining());
                out.put_slice(self.replacement.drain(..count).as_slice());
                if !self.replacement.is_empty() {
                    return false;
                }
            }
            let skipped = self.skipping.min(self.end - self.start);
            self.start += skipped;
            self.skipping -= skipped;
            if self.skipping > 0 {
                return true;
            }
            let count = self.passing_run(out.remaining());
            out.put_slice(self.buffer.get(self.start..self.start + count).unwrap_or_default());
            self.start += count;
            if out.remaining() == 0 {
                return false;
            }
            if !self.begin_skipping() {
                return true;
            }
        }
    }

    /// How many of the buffered bytes pass, at most `room`: as many messages as
    /// there are, in one piece.
    fn passing_run(&mut self, room: usize) -> usize {
        let available = self.end - self.start;
        let mut run = 0;
        while run < available.min(room) {
            if self.passing == 0 {
                match self.header(run) {
                    Some((kind, body)) if !self.is_oversized(kind, body) => {
                        self.passing = HEADER + body;
                    }
                    _ => break,
                }
            }
            let step = self.passing.min(available.min(room) - run);
            self.passing -= step;
            run += step;
        }
        run
    }

    /// Whether the next message is an oversized row, which is then replaced.
    fn begin_skipping(&mut self) -> bool {
        if self.passing > 0 {
            return false;
        }
        let Some((kind, body)) = self.header(0) else { return false };
        if !self.is_oversized(kind, body) {
            return false;
        }
        let begin = self.start + HEADER;
        self.replacement = match kind {
            b'D' => row_too_large(),
            b'E' => {
                let beginning = begin..begin + BEGINNING;
                let buffered = self.buffer.get(beginning).filter(|_| begin + BEGINNING <= self.end);
                let Some(beginning) = buffered else { return false };
                error_cut(beginning)
            }
            _ => Vec::new(),
        };
        self.skipping = HEADER + body;
        true
    }

    fn is_oversized(&self, kind: u8, body: usize) -> bool {
        // From the server these are DataRow, ErrorResponse and NoticeResponse.
        match kind {
            b'D' => body > self.limit,
            b'E' | b'N' => body > MAXIMUM_MESSAGE,
            _ => false,
        }
    }

    /// Type and length of the body of the message at `offset`, when its header is
    /// there.
    fn header(&self, offset: usize) -> Option<(u8, usize)> {
        let [kind, length @ ..] =
            self.buffer.get(self.start + offset..self.end)?.first_chunk::<HEADER>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        Some((*kind, length.saturating_sub(4)))
    }

    /// Room for more input. At most a header and the beginning of an error are still in
    /// the buffer then.
    pub(crate) fn room(&mut self) -> ReadBuf<'_> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        ReadBuf::new(self.buffer.get_mut(self.end..).unwrap_or_default())
    }

    /// So many bytes were put into that room.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end += count;
    }
}

fn row_too_large() -> Vec<u8> {
    // 54000 is program_limit_exceeded.
    let message: &[u8] = b"a row is larger than the host takes";
    error(&[
        (b'S', b"ERROR"),
        (b'V', b"ERROR"),
        (b'C', b"54000"),
        (b'M', message),
        (b'R', ROW_TOO_LARGE.as_bytes()),
    ])
}

/// An error with the severity and code of one that begins like this.
fn error_cut(beginning: &[u8]) -> Vec<u8> {
    // The last field is cut.
    let mut fields: Vec<&[u8]> = beginning.split(|byte| *byte == 0).collect();
    fields.pop();
    let of = |wanted: u8| {
        let field = fields.iter().find(|field| field.first() == Some(&wanted))?;
        field.get(1..)
    };
    let severity = of(b'V').or_else(|| of(b'S')).unwrap_or(b"ERROR");
    let message: &[u8] = b"the server's message is larger than the host takes";
    error(&[
        (b'S', severity),
        (b'V', severity),
        (b'C', of(b'C').unwrap_or(b"54000")),
        (b'M', message),
    ])
}

/// An ErrorResponse.
fn error(values: &[(u8, &[u8])]) -> Vec<u8> {
    let mut fields = Vec::new();
    for (kind, value) in values {
        fields.push(*kind);
        fields.extend_from_slice(value);
        fields.push(0);
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    let mut message = vec![b'E'];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&fields);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: usize) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&u32::try_from(body + 4).unwrap().to_be_bytes());
        bytes.extend((0..body).map(|at| u8::try_from(at % 251).unwrap()));
        bytes
    }

    /// Feeds `input` in pieces of `step` bytes into buffers of `room` bytes.
    fn pass(input: &[u8], limit: usize, step: usize, room: usize) -> Vec<u8> {
        let mut frames = Frames::new(limit);
        let mut delivered = Vec::new();
        let mut input = input.chunks(step);
        loop {
            let mut space = vec![0; room];
            let mut out = ReadBuf::new(&mut space);
            let wants_more = frames.deliver(&mut out);
            delivered.extend_from_slice(out.filled());
            if !wants_more || !out.filled().is_empty() {
                continue;
            }
            let Some(piece) = input.next() else { return delivered };
            frames.room().put_slice(piece);
            frames.filled(piece.len());
        }
    }

    #[test]
    fn ordinary_messages_pass_unchanged_however_they_are_cut() {
        let input: Vec<u8> = [0, 1, 30, 5, 700, 0, 0, 64]
            .iter()
            .zip(b"DCZTDDSK")
            .flat_map(|(body, kind)| message(*kind, *body))
            .collect();
        for step in [1, 2, 3, 4, 5, 6, 7, 64, 4096] {
            for room in [1, 2, 5, 8, 100, 8192] {
                assert_eq!(pass(&input, 1000, step, room), input, "{step} {room}");
            }
        }
    }

    #[test]
    fn an_oversized_row_becomes_an_error_and_the_stream_goes_on() {
        let small = message(b'D', 10);
        let end = message(b'Z', 1);
        let input = [small.clone(), message(b'D', 40_000), small.clone(), end.clone()].concat();
        let expected = [small.clone(), row_too_large(), small, end].concat();
        for step in [1, 4, 5, 333, 16_000] {
            for room in [1, 7, 8192] {
                assert_eq!(pass(&input, 100, step, room), expected, "{step} {room}");
            }
        }
    }

    #[test]
    fn only_rows_errors_and_notices_are_measured() {
        let input = message(b'T', MAXIMUM_MESSAGE + 1);
        assert_eq!(pass(&input, 100, 1000, 8192), input);
        let input = [message(b'E', MAXIMUM_MESSAGE), message(b'N', MAXIMUM_MESSAGE)].concat();
        assert_eq!(pass(&input, 100, 1000, 8192), input);
    }

    #[test]
    fn a_long_error_keeps_its_code_and_a_long_notice_is_left_out() {
        let long = "x".repeat(MAXIMUM_MESSAGE);
        let fields = [(b'S', "FEHLER"), (b'V', "ERROR"), (b'C', "22P02"), (b'M', &long)];
        let large = error(&fields.map(|(kind, value)| (kind, value.as_bytes())));
        let end = message(b'Z', 1);
        let input = [end.clone(), large, message(b'N', 100_000), end.clone()].concat();
        let severity: &[u8] = b"ERROR";
        let cut = error(&[
            (b'S', severity),
            (b'V', severity),
            (b'C', b"22P02"),
            (b'M', b"the server's message is larger than the host takes"),
        ]);
        let expected = [end.clone(), cut, end].concat();
        for step in [1, 4, 5, 333, 16_000] {
            for room in [1, 7, 8192] {
                assert_eq!(pass(&input, 100, step, room), expected, "{step} {room}");
            }
        }
    }
}
