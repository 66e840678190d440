//! Which hosts a request may name.
//!
//! A web page can give its own name the address 127.0.0.1 and is then of the same origin as a server
//! on loopback (DNS rebinding); but its requests name its host.

use http::uri::Authority;
use http::{Request, Version, header};

use crate::problem::{Kind, Problem};

/// The names of loopback.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The hosts that are served.
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request names one host, and one that is served.
    pub(crate) fn check<B>(&self, request: &Request<B>, on_loopback: bool) -> Result<(), Problem> {
        let mut headers = request.headers().get_all(header::HOST).iter();
        let given = headers.next();
        if headers.next().is_some() {
            return Err(malformed("The request names several hosts."));
        }
        let header = match given {
            Some(value) => Some(
                Authority::try_from(value.as_bytes())
                    .ok()
                    .filter(|authority| !authority.as_str().contains('@'))
                    .ok_or_else(|| malformed("The header Host is malformed."))?,
            ),
            None => None,
        };
        let target = request.uri().authority();
        if header.is_none() && target.is_none() && request.version() == Version::HTTP_11 {
            // RFC 9112, section 3.2
            return Err(malformed("The request names no host."));
        }
        let is_served = |authority: &Authority| self.serves(authority.host(), on_loopback);
        if header.as_ref().is_none_or(is_served) && target.is_none_or(is_served) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::MisdirectedHost,
            "The host that the request names is not served here.",
        )
        .with_hint("use the server's own name, or list this one in `server.hosts`"))
    }

    fn serves(&self, host: &str, on_loopback: bool) -> bool {
        if self.0.is_empty() && !on_loopback {
            return true;
        }
        let host = host.to_ascii_lowercase();
        self.0.contains(&host) || (on_loopback && LOOPBACK.contains(&host.as_str()))
    }
}

fn malformed(detail: &str) -> Problem {
    Problem::new(Kind::Request, detail).with_hint("send one header Host (RFC 9112, section 3.2)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listed: &[&str], uri: &str, hosts: &[&str], on_loopback: bool) -> Option<Kind> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        let listed: Vec<_> = listed.iter().map(|&name| name.to_owned()).collect();
        let request = request.body(()).expect("a request");
        Hosts::new(&listed).check(&request, on_loopback).err().map(|problem| problem.kind)
    }

    #[test]
    fn on_loopback_only_its_own_names_are_served() {
        for host in ["localhost", "localhost:7700", "127.0.0.1:1", "[::1]:7700", "LOCALHOST"] {
            assert_eq!(check(&[], "/", &[host], true), None, "{host}");
        }
        for host in ["evil.example", "evil.example:7700", "127.0.0.1.evil.example", "localhost."] {
            assert_eq!(check(&[], "/", &[host], true), Some(Kind::MisdirectedHost), "{host}");
        }
        assert_eq!(check(&["app.example"], "/", &["App.example:80"], true), None);
    }

    #[test]
    fn elsewhere_any_host_is_served_unless_some_are_listed() {
        assert_eq!(check(&[], "/", &["any.example"], false), None);
        assert_eq!(check(&["a.example"], "/", &["a.example"], false), None);
        assert_eq!(check(&["a.example"], "/", &["b.example"], false), Some(Kind::MisdirectedHost));
        assert_eq!(check(&["a.example"], "/", &["localhost"], false), Some(Kind::MisdirectedHost));
    }

    #[test]
    fn a_request_names_exactly_one_host_and_means_it() {
        assert_eq!(check(&[], "/", &[], true), Some(Kind::Request));
        assert_eq!(check(&[], "/", &["localhost", "localhost"], true), Some(Kind::Request));
        for host in ["", "a b", "user@localhost", "local\u{e9}"] {
            assert_eq!(check(&[], "/", &[host], true), Some(Kind::Request), "{host:?}");
        }
        let absolute = "http://evil.example/";
        assert_eq!(check(&[], absolute, &["localhost"], true), Some(Kind::MisdirectedHost));
        assert_eq!(
            check(&[], "http://localhost/", &["evil.example"], true),
            Some(Kind::MisdirectedHost)
        );
    }
}
