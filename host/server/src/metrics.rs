//! What the server counts, in the text format of Prometheus (version 0.0.4).
//!
//! Labels are names of functions that exist, never what a caller wrote; beyond a thousand of them
//! all further ones are counted together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets of latency, in milliseconds.
const BUCKETS: [u64; 13] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/// The most series.
const MOST_SERIES: usize = 1000;

/// The status of a request whose caller went away before it was answered.
pub(crate) const GONE: u16 = 499;

/// What a request was about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// The template of its path.
    pub(crate) route: String,
    /// The slot, when it is known to exist.
    pub(crate) slot: String,
    /// The function, when it is known to exist.
    pub(crate) function: String,
}

#[derive(Default)]
struct Series {
    statuses: BTreeMap<u16, u64>,
    buckets: [u64; BUCKETS.len()],
    time: Duration,
}

#[derive(Default)]
pub(crate) struct Metrics {
    series: Mutex<BTreeMap<Subject, Series>>,
    in_flight: AtomicI64,
    connections: AtomicI64,
    shed: AtomicU64,
}

/// Counts something while it lasts.
pub(crate) struct During<'a>(&'a AtomicI64);

impl<'a> During<'a> {
    fn new(gauge: &'a AtomicI64) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge)
    }
}

impl Drop for During<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn request(&self) -> During<'_> {
        During::new(&self.in_flight)
    }

    pub(crate) fn connection(&self) -> During<'_> {
        During::new(&self.connections)
    }

    /// A request was turned away since there were too many.
    pub(crate) fn shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    /// A request ended.
    pub(crate) fn ended(&self, subject: Subject, status: u16, time: Duration) {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = all.len() >= MOST_SERIES && !all.contains_key(&subject);
        let subject =
            if is_full { Subject { route: "other".into(), ..Subject::default() } } else { subject };
        let series = all.entry(subject).or_default();
        *series.statuses.entry(status).or_default() += 1;
        series.time += time;
        for (bucket, bound) in series.buckets.iter_mut().zip(BUCKETS) {
            if time <= Duration::from_millis(bound) {
                *bucket += 1;
            }
        }
    }

    /// Appends everything.
    pub(crate) fn write(&self, out: &mut String) {
        let gauge = |gauge: &AtomicI64| gauge.load(Ordering::Relaxed);
        let shed = self.shed.load(Ordering::Relaxed);
        let single = [
            ("requests_in_flight", "gauge", "Requests being answered.", gauge(&self.in_flight)),
            ("connections", "gauge", "Open connections.", gauge(&self.connections)),
            (
                "shed_total",
                "counter",
                "Requests turned away since there were too many.",
                i64::try_from(shed).unwrap_or(i64::MAX),
            ),
        ];
        for (name, kind, help, value) in single {
            head(out, name, kind, help);
            _ = writeln!(out, "avenire_http_{name} {value}");
        }
        let all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        head(
            out,
            "requests_total",
            "counter",
            "Requests by what they were about and how they ended.",
        );
        for (subject, series) in all.iter() {
            for (status, count) in &series.statuses {
                let labels = labels(subject);
                _ = writeln!(
                    out,
                    "avenire_http_requests_total{{{labels},status=\"{status}\"}} {count}"
                );
            }
        }
        head(
            out,
            "request_duration_seconds",
            "histogram",
            "Time from a request's head to its answer.",
        );
        for (subject, series) in all.iter() {
            write_histogram(out, &labels(subject), series);
        }
    }
}

fn write_histogram(out: &mut String, labels: &str, series: &Series) {
    const NAME: &str = "avenire_http_request_duration_seconds";
    let count: u64 = series.statuses.values().sum();
    for (bound, bucket) in BUCKETS.iter().zip(series.buckets) {
        let seconds = Duration::from_millis(*bound).as_secs_f64();
        _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"{seconds}\"}} {bucket}");
    }
    _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {count}");
    _ = writeln!(out, "{NAME}_sum{{{labels}}} {}", series.time.as_secs_f64());
    _ = writeln!(out, "{NAME}_count{{{labels}}} {count}");
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    _ = writeln!(out, "# HELP avenire_http_{name} {help}");
    _ = writeln!(out, "# TYPE avenire_http_{name} {kind}");
}

fn labels(subject: &Subject) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!(
        "route=\"{}\",slot=\"{}\",function=\"{}\"",
        escaped(&subject.route),
        escaped(&subject.slot),
        escaped(&subject.function)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(function: &str) -> Subject {
        Subject { route: "/v1".into(), slot: "chat".into(), function: function.into() }
    }

    fn text(metrics: &Metrics) -> String {
        let mut text = String::new();
        metrics.write(&mut text);
        text
    }

    #[test]
    fn requests_are_counted_by_function_and_status_with_their_latency() {
        let metrics = Metrics::default();
        metrics.ended(subject("get"), 200, Duration::from_millis(3));
        metrics.ended(subject("get"), 200, Duration::from_mins(1));
        metrics.ended(subject("get"), 404, Duration::from_micros(10));
        let text = text(&metrics);
        let of = "route=\"/v1\",slot=\"chat\",function=\"get\"";
        for line in [
            format!("avenire_http_requests_total{{{of},status=\"200\"}} 2"),
            format!("avenire_http_requests_total{{{of},status=\"404\"}} 1"),
            format!("avenire_http_request_duration_seconds_bucket{{{of},le=\"0.001\"}} 1"),
            format!("avenire_http_request_duration_seconds_bucket{{{of},le=\"0.005\"}} 2"),
            format!("avenire_http_request_duration_seconds_bucket{{{of},le=\"10\"}} 2"),
            format!("avenire_http_request_duration_seconds_bucket{{{of},le=\"+Inf\"}} 3"),
            format!("avenire_http_request_duration_seconds_count{{{of}}} 3"),
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn series_are_bounded_and_labels_escaped() {
        let metrics = Metrics::default();
        for number in 0..2 * MOST_SERIES {
            metrics.ended(subject(&format!("f{number}\"")), 200, Duration::ZERO);
        }
        let text = text(&metrics);
        let series = text.lines().filter(|line| line.starts_with("avenire_http_requests_total"));
        assert_eq!(series.count(), MOST_SERIES + 1);
        let rest = "avenire_http_requests_total{route=\"other\",slot=\"\",function=\"\",status=\"200\"} 1000";
        assert!(text.contains(rest) && text.contains("function=\"f0\\\"\""));
    }

    #[test]
    fn what_lasts_is_counted_while_it_lasts() {
        let metrics = Metrics::default();
        let during = (metrics.request(), metrics.connection());
        assert!(text(&metrics).contains("avenire_http_requests_in_flight 1\n"));
        drop(during);
        assert!(text(&metrics).contains("avenire_http_requests_in_flight 0\n"));
    }
}
