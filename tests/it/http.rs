//! Query functions over HTTP, as `avenire-db serve` offers them: from the socket through the sandbox
//! to Postgres and back.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use avenire_app::server::ServerConfig;
use avenire_app::{ServeOptions, Service};
use avenire_tests::TestProject;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{harness, run};

/// A service that listens, until it is dropped.
struct Listening {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
    service: Service,
}

impl Listening {
    async fn start(project: &TestProject, config: &str) -> Result<Self> {
        let options = ServeOptions { registry: false, ..ServeOptions::default() };
        let (service, _notices) = project.service(options).await?;
        let config: ServerConfig = toml::from_str(config)?;
        let config = ServerConfig { listen: vec!["127.0.0.1:0".parse()?], ..config };
        let server = avenire_app::bind(&service, config).await?;
        let address = *server.addresses().first().context("an address")?;
        let (stop, stopping) = oneshot::channel();
        let server = tokio::spawn(async move {
            let stopping = async { drop(stopping.await) };
            server.run(stopping).await.expect("served");
        });
        Ok(Self { address, stop, server, service })
    }

    async fn stop(self) -> Result<()> {
        drop(self.stop);
        self.server.await?;
        self.service.stop().await;
        Ok(())
    }

    async fn post(&self, path: &str, body: Value, headers: &str) -> Result<(u16, Value)> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            body.len()
        );
        self.send(request).await
    }

    async fn get(&self, path: &str) -> Result<(u16, Value)> {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        self.send(request).await
    }

    /// Status and body; a body that is no JSON is a text.
    async fn send(&self, request: String) -> Result<(u16, Value)> {
        let address = self.address;
        let answer = tokio::task::spawn_blocking(move || -> Result<String> {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_mins(1)))?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        });
        let answer = answer.await??;
        let status = answer.split(' ').nth(1).context("a status")?.parse()?;
        let (_, body) = answer.split_once("\r\n\r\n").context("a body")?;
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
        Ok((status, body))
    }
}

#[test]
fn functions_are_called_and_failures_are_problems() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let listening = Listening::start(&project, "").await?;
        let chat = json!({"userId": "user-1", "title": "Tides", "id": "tides"});
        let (status, saved) = listening.post("/v1/chat/save-chat", chat.clone(), "").await?;
        assert_eq!((status, &saved["title"]), (200, &json!("Tides")), "{saved}");
        let (status, problem) = listening.post("/v1/chat/saveChat", chat, "").await?;
        assert_eq!((status, &problem["constraint"]), (409, &json!("chat_pkey")), "{problem}");
        assert_eq!(problem["failure"]["tag"], "conflict");
        let (status, problem) = listening.post("/v1/chat/get-chat-by-id", json!({}), "").await?;
        assert_eq!((status, &problem["type"]), (400, &json!("urn:avenire:arguments")), "{problem}");
        let (status, problem) = listening.post("/v1/chat/get-chats", json!({}), "").await?;
        assert_eq!((status, &problem["type"]), (404, &json!("urn:avenire:unknown-function")));
        let (status, problem) = listening.post("/v1/chta/get-chats", json!({}), "").await?;
        assert_eq!((status, &problem["type"]), (404, &json!("urn:avenire:unknown-slot")));
        let (status, _) = listening.post("/v1/chat/run", json!({}), "").await?;
        assert_eq!(status, 404, "a component's own test is the host's to call");
        listening.stop().await
    })
}

#[test]
fn what_is_declared_read_only_is_offered_with_get_and_can_not_write() -> Result<()> {
    run(async {
        let harness = harness().await?;
        harness.test_components().await?;
        let database = harness.empty_database().await?;
        database.run("create table note (id int); insert into note values (1)").await?;
        let manifest = "[components.hostile]\npath = \"target/components/hostile.wasm\"\n\
            grants = { note = \"all\" }\nread-only = [\"run-*\"]";
        let project = harness.project_with(manifest, database)?;
        let listening = Listening::start(&project, "").await?;
        let read = "/v1/hostile/run-sql?sql=select%20id%20from%20note";
        assert_eq!(listening.get(read).await?, (200, json!([["1"]])));
        let write = json!({"sql": "with a as (delete from note returning id) select * from a"});
        let (status, refused) = listening.post("/v1/hostile/run-sql", write, "").await?;
        assert!(status >= 400 && refused.to_string().contains("read-only"), "{refused}");
        assert_eq!(project.database().count("select count(*) from note").await?, 1);
        let (status, _) = listening.get("/v1/hostile/panic?message=x").await?;
        assert_eq!(status, 405);
        listening.stop().await
    })
}

#[test]
fn the_host_tells_how_it_is_and_what_it_serves() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let listening = Listening::start(&project, "").await?;
        assert_eq!(listening.get("/livez").await?.0, 200);
        let (status, ready) = listening.get("/readyz").await?;
        assert_eq!(status, 200, "{ready}");
        let (_, document) = listening.get("/openapi.json").await?;
        let paths = document["paths"].as_object().context("paths")?;
        assert!(paths.contains_key("/v1/chat/get-messages-by-chat-id"), "{paths:?}");
        assert!(!paths.contains_key("/v1/chat/run"));
        let described = document["paths"]["/v1/chat/save-chat"]["post"]["description"].as_str();
        assert!(described.is_some_and(|text| !text.is_empty()), "the contract's words are missing");
        let (_, metrics) = listening.get("/metrics").await?;
        let metrics = metrics.as_str().context("text")?;
        assert!(metrics.contains("avenire_calls_total{slot=\"chat\"}"), "{metrics}");
        project.database().run("delete from _avenire.migrations where version = 3").await?;
        let (status, ready) = listening.get("/readyz").await?;
        assert_eq!(status, 503, "{ready}");
        listening.stop().await
    })
}

#[test]
fn the_typescript_client_is_the_same_each_time() -> Result<()> {
    run(async {
        let project = harness().await?.project().await?;
        let first = project.run(&["client", "typescript", "--out", "client.ts"])?;
        assert_eq!(first.code, 0, "{first:?}");
        let text = std::fs::read_to_string(project.folder().join("client.ts"))?;
        assert!(text.contains("getMessagesByChatId") && !text.contains("selfTest"), "{text}");
        let again = project.run(&["client", "typescript"])?;
        assert_eq!(again.stdout.trim_end(), text.trim_end());
        Ok(())
    })
}
