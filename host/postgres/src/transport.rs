//! The byte stream under the driver: a TCP or Unix socket, with or without TLS,
//! that keeps rows too large for any host's memory away from the driver. Never
//! interprets anything but the frames of the protocol (PostgreSQL documentation,
//! "Message Formats": a type byte, then a four-byte length that counts itself).

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready as poll_ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The largest row taken from the server, in bytes. The driver holds a whole
/// message in memory before anyone can count it against a budget, so that one row
/// (`select repeat('x', 1000000000)`) could take a gigabyte.
pub(crate) const MAXIMUM_ROW: usize = 64 * 1024 * 1024;

/// Routine named in the error that takes the place of such a row, by which it is
/// told from Postgres' own errors.
pub(crate) const ROW_TOO_LARGE: &str = "avenire_row_too_large";

/// Size of the read buffer, in bytes.
const BUFFER: usize = 16 * 1024;
/// A type byte and a length.
const HEADER: usize = 5;

/// A socket of either kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

enum Layer {
    Plain(Socket),
    Tls(Box<postgres_native_tls::TlsStream<Socket>>),
}

/// The stream that the driver reads and writes.
pub(crate) struct Transport {
    layer: Layer,
    frames: Frames,
}

impl Transport {
    pub(crate) fn plain(socket: Socket) -> Transport {
        Transport { layer: Layer::Plain(socket), frames: Frames::new(MAXIMUM_ROW) }
    }

    pub(crate) fn tls(stream: postgres_native_tls::TlsStream<Socket>) -> Transport {
        Transport { layer: Layer::Tls(Box::new(stream)), frames: Frames::new(MAXIMUM_ROW) }
    }
}

/// Finds the messages in what the server sends and takes oversized rows out.
struct Frames {
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
    fn new(limit: usize) -> Frames {
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
    fn deliver(&mut self, out: &mut ReadBuf<'_>) -> bool {
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
        self.skipping = HEADER + body;
        self.replacement = row_too_large();
        true
    }

    fn is_oversized(&self, kind: u8, body: usize) -> bool {
        // 'D' is DataRow from the server.
        kind == b'D' && body > self.limit
    }

    /// Type and length of the body of the message at `offset`, when its header is
    /// there.
    fn header(&self, offset: usize) -> Option<(u8, usize)> {
        let [kind, length @ ..] =
            self.buffer.get(self.start + offset..self.end)?.first_chunk::<HEADER>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        Some((*kind, length.saturating_sub(4)))
    }

    /// Room for more input. At most a cut header is still in the buffer then.
    fn room(&mut self) -> ReadBuf<'_> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        ReadBuf::new(self.buffer.get_mut(self.end..).unwrap_or_default())
    }
}

/// An ErrorResponse.
fn row_too_large() -> Vec<u8> {
    let mut fields = Vec::new();
    // 54000 is program_limit_exceeded.
    for (kind, value) in [
        (b'S', "ERROR"),
        (b'V', "ERROR"),
        (b'C', "54000"),
        (b'M', "a row is larger than the host takes"),
        (b'R', ROW_TOO_LARGE),
    ] {
        fields.push(kind);
        fields.extend_from_slice(value.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    let mut message = vec![b'E'];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&fields);
    message
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        loop {
            let wants_more = this.frames.deliver(out);
            if out.filled().len() > before || !wants_more {
                return Poll::Ready(Ok(()));
            }
            let mut room = this.frames.room();
            poll_ready!(Pin::new(&mut this.layer).poll_read(cx, &mut room))?;
            let count = room.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
            this.frames.end += count;
        }
    }
}

macro_rules! delegate_writing {
    ($type:ty, $this:ident => $inner:expr) => {
        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                $inner.poll_write(cx, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $inner.poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                $inner.poll_shutdown(cx)
            }
        }
    };
}

/// Lets an enum of two streams be written as one.
macro_rules! either {
    ($value:expr, $type:ident { $($case:ident),+ }, $stream:ident => $then:expr) => {
        match $value {
            $($type::$case($stream) => $then,)+
        }
    };
}

impl AsyncRead for Layer {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self.get_mut(), Layer { Plain, Tls }, stream => Pin::new(stream).poll_read(cx, out))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self.get_mut(), Socket { Tcp, Unix }, stream => Pin::new(stream).poll_read(cx, out))
    }
}

impl Layer {
    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Send + Unpin)> {
        either!(self, Layer { Plain, Tls }, stream => Pin::new(stream))
    }
}

impl Socket {
    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Send + Unpin)> {
        either!(self, Socket { Tcp, Unix }, stream => Pin::new(stream))
    }
}

delegate_writing!(Transport, this => this.layer.writer());
delegate_writing!(Socket, this => this.writer());

impl TlsStream for Transport {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.layer {
            Layer::Plain(_) => ChannelBinding::none(),
            Layer::Tls(stream) => stream.channel_binding(),
        }
    }
}

/// The driver asks for TLS on a stream that has it already, or is not to have it:
/// hands it back as it is.
pub(crate) struct Established;

impl TlsConnect<Transport> for Established {
    type Stream = Transport;
    type Error = io::Error;
    type Future = Ready<io::Result<Transport>>;

    fn connect(self, stream: Transport) -> Self::Future {
        ready(Ok(stream))
    }
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
            frames.end += piece.len();
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
    fn only_rows_are_measured() {
        let input = message(b'T', 40_000);
        assert_eq!(pass(&input, 100, 1000, 8192), input);
    }
}
