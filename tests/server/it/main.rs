//! The server over real sockets.

mod batch;
mod caching;
mod calls;
mod crowd;
mod health;
mod http2;
mod jwt;
mod limits;
mod observed;
mod pages;
mod pins;
mod shape;
mod shutdown;
mod stream;
mod tokens;
