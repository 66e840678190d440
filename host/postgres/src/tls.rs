//! Builds the TLS connector an endpoint asks for and does the handshake. Owns
//! certificates, verification and what a failed handshake means; never weakens
//! verification that was not given up explicitly.

use std::borrow::Cow;
use std::path::Path;

use bytes::BytesMut;
use native_tls::{Certificate, Identity, TlsConnector};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::tls::TlsConnect;

use crate::endpoint::{Negotiation, Roots, Tls, TlsMode};
use crate::error::{Error, Execution, Unavailable, UnavailableCause};
use crate::transport::{Socket, Transport};

/// What a handshake needs. None when TLS is off.
#[derive(Clone)]
pub(crate) struct Handshake {
    connector: TlsConnector,
    mode: TlsMode,
    negotiation: Negotiation,
}

impl Handshake {
    /// Reads the certificates that the endpoint names.
    pub(crate) fn new(tls: &Tls) -> Result<Option<Handshake>, Error> {
        if tls.mode == TlsMode::Disabled {
            return Ok(None);
        }
        let mut builder = TlsConnector::builder();
        match tls.mode {
            TlsMode::Opportunistic | TlsMode::Unverified => {
                builder.danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
                builder.disable_built_in_roots(true);
            }
            TlsMode::VerifyCa => {
                builder.danger_accept_invalid_hostnames(true);
            }
            TlsMode::VerifyFull | TlsMode::Disabled => {}
        }
        if let Roots::File(path) = &tls.roots {
            let pem = read("sslrootcert", path)?;
            let roots = Certificate::stack_from_pem(&pem)
                .ok()
                .filter(|roots| !roots.is_empty())
                .ok_or_else(|| {
                    unusable(format!("{} holds no PEM certificate", path.display()), None)
                })?;
            builder.disable_built_in_roots(true);
            for root in roots {
                builder.add_root_certificate(root);
            }
        }
        if let Some((certificate, key)) = &tls.identity {
            builder.identity(identity(certificate, key)?);
        }
        if tls.negotiation == Negotiation::Direct {
            postgres_native_tls::set_postgresql_alpn(&mut builder);
        }
        let connector = builder
            .build()
            .map_err(|error| unusable(format!("TLS can not be set up: {error}"), None))?;
        Ok(Some(Handshake { connector, mode: tls.mode, negotiation: tls.negotiation }))
    }

    /// Asks the server for TLS and does the handshake (PostgreSQL documentation,
    /// "SSL Session Encryption"). `name` is what the certificate must be for.
    pub(crate) async fn establish(
        &self,
        mut socket: Socket,
        name: &str,
    ) -> Result<Transport, Error> {
        if self.negotiation == Negotiation::Postgres {
            let mut request = BytesMut::new();
            frontend::ssl_request(&mut request);
            let lost = |error: std::io::Error| lost(name, &error);
            socket.write_all(&request).await.map_err(lost)?;
            socket.flush().await.map_err(lost)?;
            if socket.read_u8().await.map_err(lost)? != b'S' {
                if self.mode == TlsMode::Opportunistic {
                    return Ok(Transport::plain(socket));
                }
                return Err(unusable(
                    format!("the server at {name} does not speak TLS"),
                    Some(Cow::Borrowed(
                        "turn on `ssl` on the server, or add sslmode=disable to the URL if the network in between is trusted",
                    )),
                ));
            }
        }
        let tls = postgres_native_tls::TlsConnector::new(self.connector.clone(), name);
        let stream = tls.connect(socket).await.map_err(|error| refused(name, &error))?;
        Ok(Transport::tls(stream))
    }
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        unusable(format!("the file of `{key}`, {}, can not be read: {error}", path.display()), None)
    })
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, Error> {
    let chain = read("sslcert", certificate)?;
    let secret = read("sslkey", key)?;
    Identity::from_pkcs8(&chain, &secret).map_err(|error| {
        let hint = (!secret.starts_with(b"-----BEGIN PRIVATE KEY-----")).then_some(Cow::Borrowed(
            "convert the key to PKCS #8: openssl pkcs8 -topk8 -nocrypt -in client.key -out client.pk8",
        ));
        unusable(format!("the client certificate can not be used: {error}"), hint)
    })
}

fn unusable(message: String, hint: Option<Cow<'static, str>>) -> Error {
    Error::Unavailable(Box::new(Unavailable {
        cause: UnavailableCause::Tls,
        message,
        code: None,
        execution: Execution::NotExecuted,
        hint,
    }))
}

fn lost(name: &str, error: &std::io::Error) -> Error {
    Error::Unavailable(Box::new(Unavailable {
        cause: UnavailableCause::Unreachable,
        message: format!("the server at {name} closed the connection before TLS: {error}"),
        code: None,
        execution: Execution::NotExecuted,
        hint: None,
    }))
}

fn refused(name: &str, error: &native_tls::Error) -> Error {
    let text = error.to_string();
    let hint = hint_for(&text);
    unusable(format!("the TLS handshake with {name} failed: {}", reason(&text)), hint)
}

/// OpenSSL's text ends with the reason in parentheses; the rest names source files.
fn reason(text: &str) -> &str {
    let inner = text.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inner.map_or(text, |(reason, _)| reason)
}

fn hint_for(text: &str) -> Option<Cow<'static, str>> {
    let text = text.to_ascii_lowercase();
    let hint = if text.contains("hostname mismatch") || text.contains("ip address mismatch") {
        "the certificate is for another name: connect by the name it is for (`hostaddr` keeps the address), or give up checking the name with sslmode=verify-ca"
    } else if text.contains("issuer")
        || text.contains("self-signed")
        || text.contains("self signed")
    {
        "the certificate's authority is not trusted here: download it from the provider and add sslrootcert=/path/to/ca.pem to the URL; sslmode=no-verify gives up checking"
    } else if text.contains("expired") {
        "the server's certificate has expired: renew it on the server"
    } else if text.contains("alpn") || text.contains("unexpected eof") {
        "a server before PostgreSQL 17 does not know sslnegotiation=direct: leave it out"
    } else {
        return None;
    };
    Some(Cow::Borrowed(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_taken_out_of_openssls_text() {
        let text = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:ssl/statem/statem_clnt.c:1890: (unable to get local issuer certificate)";
        assert_eq!(reason(text), "unable to get local issuer certificate");
        assert!(hint_for(text).unwrap().contains("sslrootcert"));
        assert!(hint_for("… (hostname mismatch)").unwrap().contains("verify-ca"));
        assert_eq!(reason("connection closed"), "connection closed");
    }
}
