//! One connection: HTTP/1.1, or HTTP/2 for those who begin with it (RFC 9113, section 3.3), and when to
//! cut it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::patient::Patient;
use crate::config::LimitsConfig;
use crate::guard::Arrived;

/// How often a caller over HTTP/2 is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// Unsent bytes of one HTTP/2 stream.
const SEND_BUFFER: usize = 64 << 10;

/// Requests that a caller may begin and give up at once over HTTP/2.
const RESETS: usize = 32;

/// How connections are spoken with.
pub(super) struct Protocols {
    builder: auto::Builder<TokioExecutor>,
    head_time: Duration,
    stall_time: Duration,
}

impl Protocols {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time.0)
            .max_headers(limits.headers)
            .max_buf_size(limits.head.0);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.head.0).unwrap_or(u32::MAX))
            .max_send_buf_size(SEND_BUFFER)
            .max_pending_accept_reset_streams(RESETS);
        Self { builder, head_time: limits.head_time.0, stall_time: limits.stall_time.0 }
    }
}

/// Requests of one connection: how many are under way, and how many there have been.
#[derive(Default)]
struct Activity {
    running: AtomicUsize,
    begun: AtomicUsize,
}

/// Counts a request of a connection until its answer is on the way.
struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until the server is told to stop.
pub(super) async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that nobody is left to tell.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Serves a connection to its end. Dropping this cuts it, and cancels what runs for it.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    arrived: Arrived,
    protocols: &Protocols,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are small and complete: waiting for more to send only delays them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let activity = Arc::new(Activity::default());
    let service = service_fn({
        let activity = Arc::clone(&activity);
        move |request: Request<Incoming>| {
            answer(router.clone(), request, arrived, Arc::clone(&activity))
        }
    });
    let is_sending = Arc::new(AtomicBool::new(false));
    let socket = Patient::new(stream, protocols.stall_time, Arc::clone(&is_sending));
    let socket = TokioIo::new(socket);
    let connection = protocols.builder.serve_connection(socket, service);
    let mut connection = std::pin::pin!(connection);
    let mut is_stopping = false;
    let mut seen = 0;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = told(&mut stopping), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            // HTTP/1 has a time for heads of its own; this one also ends connections that never say
            // what they speak, and those over HTTP/2 that ask nothing.
            () = tokio::time::sleep(protocols.head_time) => {
                let begun = activity.begun.load(Ordering::Relaxed);
                let is_busy = activity.running.load(Ordering::Relaxed) > 0
                    || is_sending.load(Ordering::Relaxed);
                if !is_busy && begun == seen {
                    return;
                }
                seen = begun;
            }
        }
    }
}

async fn answer(
    router: Router,
    mut request: Request<Incoming>,
    arrived: Arrived,
    activity: Arc<Activity>,
) -> Result<Response, Infallible> {
    activity.running.fetch_add(1, Ordering::Relaxed);
    activity.begun.fetch_add(1, Ordering::Relaxed);
    let running = Running(activity);
    request.extensions_mut().insert(arrived);
    let response = router.oneshot(request).await?;
    // The body may go on for long after this.
    Ok(response.map(|body| {
        axum::body::Body::new(http_body_util::BodyExt::map_frame(body, {
            move |frame| {
                let _counted = &running;
                frame
            }
        }))
    }))
}
