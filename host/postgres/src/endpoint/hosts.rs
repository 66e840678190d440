//! The servers of an endpoint: which they are, whether they are near, and whether a
//! pooler stands before them. Owns what is known of providers' names and ports.

use std::net::IpAddr;
use std::path::PathBuf;

use super::error::UrlError;
use super::{Host, Place, Pooling};

/// Pairs hosts, addresses and ports, which are lists of one length; one port serves
/// all hosts.
pub(super) fn pair(
    names: Option<&str>,
    addresses: Option<&str>,
    ports: Option<&str>,
) -> Result<Vec<Host>, UrlError> {
    let list = |text: Option<&str>| -> Vec<String> {
        text.unwrap_or_default().split(',').map(|part| part.trim().to_owned()).collect()
    };
    let (names, addresses, ports) = (list(names), list(addresses), list(ports));
    let count = names.len().max(addresses.len());
    let mut hosts = Vec::with_capacity(count);
    for index in 0..count {
        let pick = |list: &[String]| -> Result<String, UrlError> {
            match list {
                [only] if only.is_empty() => Ok(String::new()),
                _ => list.get(index).cloned().ok_or(UrlError::HostCount),
            }
        };
        let address = match pick(&addresses)?.as_str() {
            "" => None,
            text => Some(text.parse::<IpAddr>().map_err(|_| UrlError::Value {
                key: "hostaddr".to_owned(),
                expected: "an IP address",
            })?),
        };
        let port = if let [only] = ports.as_slice() { only.clone() } else { pick(&ports)? };
        hosts.push(Host {
            place: place(&pick(&names)?, address),
            address,
            port: self::port(&port)?,
        });
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(UrlError::HostCount);
    }
    Ok(hosts)
}

fn port(text: &str) -> Result<u16, UrlError> {
    match text {
        "" => Ok(5432),
        _ => text
            .parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| UrlError::Port { port: text.chars().take(16).collect() }),
    }
}

/// libpq: a path is the folder of a socket; without a host and an address it is
/// this machine.
fn place(name: &str, address: Option<IpAddr>) -> Place {
    match (name, address) {
        ("", Some(address)) => Place::Name(address.to_string()),
        ("", None) => Place::Name("localhost".to_owned()),
        _ if name.starts_with('/') => Place::Socket(PathBuf::from(name)),
        _ => Place::Name(name.to_owned()),
    }
}

/// Whether the network in between is this machine's own.
pub(super) fn is_local(host: &Host) -> bool {
    match (&host.place, host.address) {
        (Place::Socket(_), _) => true,
        (_, Some(address)) => address.is_loopback(),
        (Place::Name(name), None) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn names(hosts: &[Host]) -> impl Iterator<Item = (&str, u16)> {
    hosts.iter().filter_map(|host| match &host.place {
        Place::Name(name) => Some((name.as_str(), host.port)),
        Place::Socket(_) => None,
    })
}

/// A pooler in between is told by the URL or by the names and ports of providers.
/// Taking a direct endpoint for a pooled one costs speed, the other way round
/// costs failures, so ports that poolers use count as poolers.
pub(super) fn pooling(hosts: &[Host], told: Option<bool>) -> Pooling {
    let managed = names(hosts).find_map(|(name, port)| {
        let first = name.split('.').next().unwrap_or_default();
        if first.ends_with("-pooler") {
            Some("the host's name ends with -pooler")
        } else if name.ends_with(".supabase.com") && name.contains("pooler") && port == 6543 {
            Some("Supavisor's transaction port 6543")
        } else if name.ends_with(".rds.amazonaws.com") && name.contains(".proxy-") {
            Some("RDS Proxy")
        } else {
            None
        }
    });
    match (told, managed) {
        (Some(false), _) => Pooling::Direct,
        (_, Some(why)) => Pooling::Managed(why),
        (Some(true), None) => Pooling::Unknown("pgbouncer=true"),
        (None, None) => hosts
            .iter()
            .find_map(|host| match host.port {
                6543 => Some(Pooling::Unknown("port 6543; pgbouncer=false if it is not")),
                6432 => {
                    Some(Pooling::Unknown("PgBouncer's port 6432; pgbouncer=false if it is not"))
                }
                _ => None,
            })
            .unwrap_or(Pooling::Direct),
    }
}

/// Neon routes by the name in the TLS handshake, which we always send; the option
/// is only needed when the host's name does not carry the endpoint. Poolers refuse
/// startup options, so it is not sent needlessly.
pub(super) fn named_by_host(routing: &str, hosts: &[Host]) -> bool {
    let Some(endpoint) = routing.strip_prefix("endpoint=") else { return false };
    names(hosts).all(|(name, _)| {
        let first = name.split('.').next().unwrap_or_default();
        first == endpoint || first.strip_suffix("-pooler") == Some(endpoint)
    })
}
