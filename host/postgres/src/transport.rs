//! The byte stream under the driver: a TCP or Unix socket, with or without TLS. Owns
//! that what the driver reads went through [`Frames`]. Never interprets it.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready as poll_ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::frames::{Frames, MAXIMUM_ROW};

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
            this.frames.filled(count);
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
