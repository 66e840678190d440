//! Hosts that share a database: what is deployed to one reaches all, and what is wrong with it
//! changes nothing.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use avenire_app::engine::{Call, Slot};
use avenire_app::{Notice, ServeOptions, Service};
use avenire_delivery_tests::Pair;
use avenire_tests::life::{CONTRACT, component, version};
use avenire_tests::{Finished, TestProject};
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{harness, run};

/// A project with the slot `life` and the first version's file.
pub(crate) async fn project_with(more: &str) -> Result<TestProject> {
    let harness = harness().await?;
    let manifest =
        format!("[components.life]\npath = \"life.wasm\"\ncontract = \"{CONTRACT}\"\n{more}");
    let project = harness.project_with(&manifest, harness.empty_database().await?)?;
    write(&project, "life.wasm", version(1))?;
    Ok(project)
}

pub(crate) fn write(project: &TestProject, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
    Ok(std::fs::write(project.folder().join(name), bytes)?)
}

/// Two hosts on the project's database, and what they tell.
struct Fleet {
    hosts: Vec<(Service, UnboundedReceiver<Notice>)>,
}

pub(crate) fn options(name: &str) -> ServeOptions {
    // Only notifications are fast enough for a test then.
    ServeOptions {
        name: name.to_owned(),
        interval: Duration::from_mins(10),
        ..ServeOptions::default()
    }
}

impl Fleet {
    async fn start(project: &TestProject) -> Result<Self> {
        let mut hosts = Vec::new();
        for name in ["east", "west"] {
            let (service, mut notices) = project.service(options(name)).await?;
            until(&mut notices, |notice| matches!(notice, Notice::Following(_))).await?;
            hosts.push((service, notices));
        }
        Ok(Self { hosts })
    }

    /// The same, with the first version deployed to all.
    async fn deployed(project: &TestProject) -> Result<Self> {
        let mut fleet = Self::start(project).await?;
        shipped(project, &["deploy", "life"])?;
        fleet.serves(1, "1").await?;
        Ok(fleet)
    }

    fn slot(&self, host: usize) -> &Slot {
        slot(&self.hosts[host].0)
    }

    /// Waits until every host tells that.
    async fn all(&mut self, is: impl Fn(&Notice) -> bool) -> Result<()> {
        for (_, notices) in &mut self.hosts {
            until(notices, &is).await?;
        }
        Ok(())
    }

    /// Waits until every host serves that generation, and calls it.
    async fn serves(&mut self, wanted: u64, answer: &str) -> Result<()> {
        let is = |notice: &Notice| matches!(notice, Notice::Serving { generation, .. } if *generation == wanted);
        self.all(is).await?;
        for host in 0..self.hosts.len() {
            assert_eq!(call(self.slot(host), None).await?, (answer.to_owned(), wanted));
        }
        Ok(())
    }

    async fn stop(self) {
        for (service, _) in self.hosts {
            service.stop().await;
        }
    }
}

pub(crate) fn slot(service: &Service) -> &Slot {
    service.host().slot(service.project(), "life").unwrap()
}

pub(crate) async fn until(
    notices: &mut UnboundedReceiver<Notice>,
    is: impl Fn(&Notice) -> bool,
) -> Result<Notice> {
    let mut seen = Vec::new();
    let wait = async {
        while let Some(notice) = notices.recv().await {
            if is(&notice) {
                return Ok(notice);
            }
            seen.push(notice.text());
        }
        bail!("the service ended")
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
    waited.with_context(|| format!("it was never told; these were: {seen:?}"))?
}

/// What a call answered, and by which generation.
pub(crate) async fn call(slot: &Slot, key: Option<&str>) -> Result<(String, u64)> {
    let key = key.map(str::to_owned);
    let outcome = slot.call(Call { key, ..Call::new("answer", Map::new()) }).await?;
    let answer = outcome.result.ok().context("an answer")?;
    Ok((answer.as_str().context("text")?.to_owned(), outcome.generation))
}

pub(crate) fn ship(project: &TestProject, arguments: &[&str]) -> Result<Finished> {
    let mut all = vec!["components"];
    all.extend(arguments);
    project.run(&all)
}

pub(crate) fn shipped(project: &TestProject, arguments: &[&str]) -> Result<Value> {
    let mut all = arguments.to_vec();
    all.push("--json");
    let finished = ship(project, &all)?;
    assert_eq!(finished.code, 0, "{finished:?}");
    finished.json()
}

#[test]
fn a_deployment_reaches_every_host_and_a_rollback_too() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        let mut fleet = Fleet::start(&project).await?;
        write(&project, "next.wasm", version(2))?;
        let deployed = shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        // The registry had none; the file's, which every host had, is another one.
        assert_eq!(deployed["generation"], 1);
        fleet.serves(1, "2").await?;
        write(&project, "next.wasm", version(3))?;
        let deployed = shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        assert_eq!(deployed["generation"], 2);
        fleet.serves(2, "3").await?;
        let back = shipped(&project, &["rollback", "life", "--because", "too new"])?;
        assert_eq!((&back["serving"], &back["former"]), (&1.into(), &2.into()));
        fleet.serves(1, "2").await?;
        let refused = ship(&project, &["rollback", "life"])?;
        assert_eq!(refused.code, 3, "{refused:?}");
        let history = shipped(&project, &["history", "life"])?;
        let what: Vec<_> =
            history["history"].as_array().unwrap().iter().map(|e| &e["what"]).collect();
        assert_eq!(what, ["rolled-back", "deployed", "deployed"]);
        assert_eq!(history["history"][0]["reason"], "too new");
        fleet.stop().await;
        Ok(())
    })
}

#[test]
fn a_host_that_starts_takes_what_the_registry_says() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        write(&project, "next.wasm", version(2))?;
        shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        let (service, _notices) = project.service(options("late")).await?;
        assert_eq!(call(slot(&service), None).await?, ("2".to_owned(), 1));
        // It reports beside everything else.
        while shipped(&project, &["list", "--fleet"])?["fleet"][0]["name"] != "late" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        service.stop().await;
        let listed = shipped(&project, &["list", "--fleet"])?;
        assert_eq!(listed["fleet"].as_array().unwrap().len(), 0, "it took its leave: {listed}");
        Ok(())
    })
}

#[test]
fn what_may_not_serve_is_refused_before_it_is_stored() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        let whole = version(2);
        for (bytes, part) in [
            (whole[..whole.len() - 9].to_vec(), "not a valid component"),
            (component(CONTRACT, &[], 2), ""),
            (component("test:death/queries@0.1.0", &["answer"], 2), "test:death/queries@0.1.0"),
        ] {
            write(&project, "next.wasm", bytes)?;
            let refused = ship(&project, &["deploy", "next.wasm", "--as", "life"])?;
            assert_eq!(refused.code, 4, "{refused:?}");
            assert!(refused.stderr.contains(part), "no {part:?} in {refused:?}");
        }
        let refused = ship(&project, &["deploy", "next.wasm", "--as", "live"])?;
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.stderr.contains("the nearest is life"), "{refused:?}");
        let refused = ship(&project, &["deploy", "life", "--canary", "120"])?;
        assert_eq!(refused.code, 3, "{refused:?}");
        let stored = "select count(*) from _avenire.generations";
        assert_eq!(project.database().count(stored).await?, 0);
        // The next one must keep what the one in the registry promises, whatever the file does.
        write(&project, "next.wasm", component(CONTRACT, &["answer", "again", "more"], 2))?;
        shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        let refused = ship(&project, &["deploy", "life"])?;
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("the function more is missing"), "{refused:?}");
        Ok(())
    })
}

#[test]
fn a_generation_that_fails_on_one_host_is_taken_back_on_all() -> Result<()> {
    run(async {
        let project = project_with("probation = { calls = 10, faults = 0.5 }").await?;
        let mut fleet = Fleet::deployed(&project).await?;
        write(&project, "bad.wasm", component(CONTRACT, &["answer", "again", "fail"], 2))?;
        shipped(&project, &["deploy", "bad.wasm", "--as", "life"])?;
        fleet.serves(2, "2").await?;
        for _ in 0..20 {
            drop(fleet.slot(0).call(Call::new("fail", Map::new())).await);
        }
        assert_eq!(call(fleet.slot(0), None).await?, ("1".to_owned(), 1));
        let west = &mut fleet.hosts[1].1;
        until(west, |notice| matches!(notice, Notice::Serving { generation: 1, .. })).await?;
        assert_eq!(call(fleet.slot(1), None).await?, ("1".to_owned(), 1));
        let history = shipped(&project, &["history", "life", "--limit", "1"])?;
        let event = &history["history"][0];
        assert_eq!((&event["what"], &event["generation"]), (&"rolled-back".into(), &2.into()));
        assert!(event["reason"].as_str().unwrap().contains("by its own fault"), "{event}");
        fleet.stop().await;
        Ok(())
    })
}

#[test]
fn a_canary_takes_its_keys_on_every_host_until_it_is_promoted_or_given_up() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        let mut fleet = Fleet::deployed(&project).await?;
        write(&project, "next.wasm", version(2))?;
        let try_out = ["deploy", "next.wasm", "--as", "life", "--canary-key", "tenant-7"];
        shipped(&project, &try_out)?;
        fleet.all(|notice| matches!(notice, Notice::Canary { generation: 2, .. })).await?;
        for host in 0..2 {
            assert_eq!(call(fleet.slot(host), Some("tenant-7")).await?, ("2".to_owned(), 2));
            assert_eq!(call(fleet.slot(host), Some("tenant-8")).await?, ("1".to_owned(), 1));
        }
        shipped(&project, &["abandon", "life", "--because", "slow"])?;
        fleet.all(|notice| matches!(notice, Notice::Abandoned { generation: 2, .. })).await?;
        assert_eq!(call(fleet.slot(0), Some("tenant-7")).await?, ("1".to_owned(), 1));
        write(&project, "next.wasm", version(3))?;
        shipped(&project, &try_out)?;
        fleet.all(|notice| matches!(notice, Notice::Canary { generation: 3, .. })).await?;
        shipped(&project, &["promote", "life"])?;
        fleet.serves(3, "3").await?;
        let refused = ship(&project, &["promote", "life"])?;
        assert_eq!(refused.code, 3, "{refused:?}");
        fleet.stop().await;
        Ok(())
    })
}

#[test]
fn bytes_that_are_not_what_was_deployed_are_not_served() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        let mut fleet = Fleet::deployed(&project).await?;
        write(&project, "next.wasm", version(2))?;
        project
            .database()
            .run(
                "alter table _avenire.artifacts drop constraint artifacts_check;
                 create function spoil() returns trigger language plpgsql as $$ begin
                 new.bytes = 'x'; return new; end $$;
                 create trigger spoil before insert on _avenire.artifacts
                 for each row execute function spoil()",
            )
            .await?;
        shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        let refused = |notice: &Notice| matches!(notice, Notice::Refused { .. });
        fleet.all(refused).await?;
        for host in 0..2 {
            assert_eq!(call(fleet.slot(host), None).await?, ("1".to_owned(), 1));
        }
        fleet.stop().await;
        Ok(())
    })
}

#[test]
fn with_keys_in_the_manifest_only_what_one_of_them_signed_is_taken() -> Result<()> {
    run(async {
        let (ours, other) = (Pair::new(1), Pair::new(2));
        let project = project_with(&format!("[trust]\nkeys = [\"{}\"]", ours.public())).await?;
        let deploy = || ship(&project, &["deploy", "life"]);
        let unsigned = deploy()?;
        assert_eq!(unsigned.code, 4, "{unsigned:?}");
        assert!(unsigned.stderr.contains("life is not trusted"), "{unsigned:?}");
        let called = project.run(&["call", "life.answer"])?;
        assert_eq!(called.code, 4, "{called:?}");
        write(&project, "life.wasm.minisig", other.sign(&version(1), "release"))?;
        let unknown = deploy()?;
        assert_eq!(unknown.code, 4, "{unknown:?}");
        assert!(unknown.stderr.contains(&other.id()), "{unknown:?}");
        write(&project, "life.wasm.minisig", ours.sign(&version(1), "release"))?;
        assert_eq!(deploy()?.code, 0);
        // What somebody else wrote into the registry is not taken.
        let (service, mut notices) = project.service(options("careful")).await?;
        until(&mut notices, |notice| matches!(notice, Notice::Following(_))).await?;
        write(&project, "life.wasm", version(2))?;
        write(&project, "life.wasm.minisig", ours.sign(&version(2), "release"))?;
        project
            .database()
            .run(
                "create function strip() returns trigger language plpgsql as $$ begin
                 new.signature = null; return new; end $$;
                 create trigger strip before insert on _avenire.generations
                 for each row execute function strip()",
            )
            .await?;
        assert_eq!(deploy()?.code, 0);
        until(&mut notices, |notice| {
            matches!(notice, Notice::Refused { reason, .. } if reason.contains("not trusted"))
        })
        .await?;
        assert_eq!(call(slot(&service), None).await?, ("1".to_owned(), 1));
        service.stop().await;
        Ok(())
    })
}

#[test]
fn a_watched_file_is_served_when_it_is_whole_and_not_before() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        let watching = ServeOptions { watch: true, ..options("watching") };
        let (service, mut notices) = project.service(watching).await?;
        let next = version(2);
        write(&project, "life.wasm", &next[..next.len() / 2])?;
        until(&mut notices, |notice| matches!(notice, Notice::Refused { .. })).await?;
        assert_eq!(call(slot(&service), None).await?.0, "1");
        write(&project, "life.wasm", &next)?;
        until(&mut notices, |notice| matches!(notice, Notice::Serving { .. })).await?;
        assert_eq!(call(slot(&service), None).await?.0, "2");
        // From now on the registry counts.
        write(&project, "next.wasm", version(3))?;
        shipped(&project, &["deploy", "next.wasm", "--as", "life"])?;
        until(&mut notices, |notice| matches!(notice, Notice::Serving { .. })).await?;
        assert_eq!(call(slot(&service), None).await?.0, "3");
        write(&project, "life.wasm", version(4))?;
        until(&mut notices, |notice| {
            matches!(notice, Notice::Refused { reason, .. } if reason.contains("does not count"))
        })
        .await?;
        assert_eq!(call(slot(&service), None).await?.0, "3");
        service.stop().await;
        Ok(())
    })
}

/// Reads lines of the program until one contains that.
fn read_until(child: &mut Child, part: &str) -> Result<String> {
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let found = lines.by_ref().map_while(Result::ok).find(|line| line.contains(part));
    // The pipe stays open: the program would die of writing to a closed one.
    std::mem::forget(lines);
    found.with_context(|| format!("no line with {part:?}"))
}

#[test]
fn the_program_serves_until_it_is_told_to_stop() -> Result<()> {
    run(async {
        let project = project_with("").await?;
        shipped(&project, &["deploy", "life"])?;
        let mut child = project.spawn(&["serve", "--listen", "127.0.0.1:0", "--name", "north"])?;
        let line = read_until(&mut child, "serves")?;
        assert_eq!(line, "life: generation 1 serves");
        while shipped(&project, &["list", "--fleet"])?["fleet"][0]["slots"][0]["generation"] != 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let told = Command::new("kill").arg(child.id().to_string()).status()?;
        assert!(told.success());
        assert_eq!(child.wait()?.code(), Some(0));
        let listed = shipped(&project, &["list", "--fleet"])?;
        assert_eq!(listed["fleet"].as_array().unwrap().len(), 0, "{listed}");
        Ok(())
    })
}
