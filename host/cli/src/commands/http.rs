//! Listening for calls while a service serves.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Result;
use avenire_app::server::{AuthHandle, Server, ServerConfig, ServerError};
use avenire_app::{AppError, Project, Service};

use crate::output::Printer;

/// Binds what the manifest says, or other addresses.
pub(super) async fn bind(
    service: &Service,
    listen: &[SocketAddr],
    printer: &Printer,
) -> Result<Server, AppError> {
    let mut config = service.project().manifest().server.clone();
    if !listen.is_empty() {
        config.listen = listen.to_vec();
    }
    let server = avenire_app::bind(service, config).await?;
    tell(&server, printer);
    Ok(server)
}

/// The same for development: when the port is taken, any other one.
pub(super) async fn bind_somewhere(
    service: &Service,
    printer: &Printer,
) -> Result<Server, AppError> {
    let config: ServerConfig = service.project().manifest().server.clone();
    match avenire_app::bind(service, config.clone()).await {
        Err(AppError::Server(ServerError::Listen { source, .. }))
            if source.kind() == ErrorKind::AddrInUse =>
        {
            let anywhere = |address: &SocketAddr| SocketAddr::new(address.ip(), 0);
            let listen = config.listen.iter().map(anywhere).collect();
            avenire_app::bind(service, ServerConfig { listen, ..config }).await
        }
        bound => bound,
    }
    .inspect(|server| tell(server, printer))
}

fn tell(server: &Server, printer: &Printer) {
    for address in server.addresses() {
        printer.text(&format!("calls are taken at http://{address}"));
    }
}

/// Takes the manifest's tokens and issuers anew whenever the process is told to, by SIGHUP.
pub(super) async fn reload(auth: AuthHandle, project: &Project, printer: &Printer) {
    #[cfg(unix)]
    if let Ok(mut hangups) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
    {
        while hangups.recv().await.is_some() {
            let reloaded = match Project::find(project.root()) {
                Ok(project) => auth.reload(&project.manifest().server.auth),
                Err(error) => {
                    printer.error(&error.into());
                    continue;
                }
            };
            match reloaded {
                Ok(()) => printer.text("tokens and issuers were read anew"),
                Err(error) => printer.error(&error.into()),
            }
        }
    }
    std::future::pending::<()>().await;
}
