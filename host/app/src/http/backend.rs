//! Calls and the host's state, as the server asks for them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avenire_engine::{Call, Function, Slot, camel_case, type_name};
use avenire_postgres::{Local, Session};
use avenire_server::{
    Answer, Backend, CallRequest, Check, CheckState, FunctionTraits, Items, Kind, Parameter,
    Problem, Repeat, Usage,
};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::Value;

use super::{documents, problems};
use crate::service::Ground;

/// How long looking at the database may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The slots of a service.
pub(super) struct Front {
    ground: Arc<Ground>,
}

impl Front {
    pub(super) fn new(ground: Arc<Ground>) -> Self {
        Self { ground }
    }

    fn slot(&self, name: &str) -> Result<&Arc<Slot>, Problem> {
        let Ground { host, project, .. } = &*self.ground;
        host.slot(project, name).map_err(|error| problems::of_app(&error))
    }

    async fn carry_out(&self, request: CallRequest) -> Result<Answer, Problem> {
        let slot = self.slot(&request.slot)?;
        let local = Local::new(request.role, request.settings);
        let local = local.map_err(|error| problems::of_setting(&error))?;
        let call = Call {
            function: request.function,
            arguments: request.arguments,
            key: request.key,
            local: Some(local).filter(|local| !local.is_empty()),
            deadline: request.deadline,
        };
        let outcome = slot.call(call).await.map_err(|error| problems::of_call(&error))?;
        let usage = Usage {
            statements: outcome.usage.statements,
            rows: outcome.usage.rows,
            bytes: outcome.usage.bytes,
        };
        Ok(Answer {
            result: outcome.result,
            generation: outcome.generation,
            queued: outcome.queued,
            time: outcome.time,
            usage,
        })
    }

    /// The elements of a list, one by one. The list itself is within the slot's limits of transfer.
    async fn items(&self, request: CallRequest) -> Result<Items, Problem> {
        let name = format!("{}.{}", request.slot, request.function);
        match self.carry_out(request).await?.result {
            Ok(Value::Array(items)) => Ok(stream::iter(items.into_iter().map(Ok)).boxed()),
            Ok(_) => {
                let detail = format!("{name} does not answer with a list.");
                let problem = Problem::new(Kind::NotAcceptable, detail);
                Err(problem.with_hint("ask for `application/json`"))
            }
            Err(failure) => Err(Problem::failure(failure)),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ground { host, project, .. } = &*self.ground;
        let slots = host.slots().map(|slot| Check {
            name: format!("slot {}", slot.name()),
            state: CheckState::Ok,
            detail: format!("generation {} serves", slot.generation()),
        });
        let mut checks: Vec<Check> = slots.collect();
        let deadline = Instant::now() + PATIENCE;
        checks.push(match Session::connect(&host.targets().direct, deadline).await {
            Ok(_) => check("database", CheckState::Ok, "it answers".to_owned()),
            Err(error) => check("database", CheckState::Failing, error.to_string()),
        });
        let status = crate::migration_status(project, host.targets()).await;
        checks.push(match status.map(|all| all.iter().map(|(_, one)| one.pending.len()).sum()) {
            Ok(0_usize) => check("migrations", CheckState::Ok, "none is pending".to_owned()),
            Ok(pending) => {
                check("migrations", CheckState::Failing, format!("{pending} are pending"))
            }
            Err(error) => check("migrations", CheckState::Failing, error.to_string()),
        });
        checks
    }
}

fn check(name: &str, state: CheckState, detail: String) -> Check {
    Check { name: name.to_owned(), state, detail }
}

fn traits(slot: &Slot, function: &Function) -> FunctionTraits {
    let parameters = function
        .parameters()
        .iter()
        .map(|(name, ty)| Parameter { name: camel_case(name), is_text: type_name(ty) == "string" });
    let repeat = match slot.repeat(function.name()) {
        avenire_engine::Repeat::No => Repeat::No,
        avenire_engine::Repeat::ReadOnly => Repeat::ReadOnly,
        avenire_engine::Repeat::Transactional => Repeat::Transactional,
    };
    FunctionTraits { repeat, parameters: parameters.collect(), cache: None }
}

impl Backend for Front {
    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<Answer, Problem>> {
        self.carry_out(request).boxed()
    }

    fn stream(&self, request: CallRequest) -> BoxFuture<'_, Result<Items, Problem>> {
        self.items(request).boxed()
    }

    fn function(&self, slot: &str, function: &str) -> Result<FunctionTraits, Problem> {
        let slot = self.slot(slot)?;
        let component = slot.component();
        let found = component.functions().find(|one| one.name() == function);
        found
            .map(|found| traits(slot, found))
            .ok_or_else(|| problems::of_call(&component.unknown_function(slot.name(), function)))
    }

    fn openapi(&self) -> Arc<str> {
        let Ground { host, project, .. } = &*self.ground;
        documents::openapi(project, host).to_string().into()
    }

    fn readiness(&self) -> BoxFuture<'_, Vec<Check>> {
        self.checks().boxed()
    }

    fn metrics(&self, out: &mut String) {
        let slots: Vec<&Arc<Slot>> = self.ground.host.slots().collect();
        for (name, kind, help, value) in FIGURES {
            // Writing to a text can not fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for slot in &slots {
                let _ = writeln!(out, "{name}{{slot=\"{}\"}} {}", slot.name(), value(slot));
            }
        }
    }
}

/// Name, kind, explanation and value of a figure of a slot.
type Figure = (&'static str, &'static str, &'static str, fn(&Slot) -> u64);

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

const FIGURES: [Figure; 10] = [
    ("avenire_calls_total", "counter", "Calls that were started.", |slot| slot.figures().calls),
    ("avenire_call_errors_total", "counter", "Calls without a result.", |slot| {
        slot.figures().errors
    }),
    ("avenire_calls_running", "gauge", "Calls that run now.", |slot| count(slot.figures().running)),
    ("avenire_calls_waiting", "gauge", "Calls that wait for their turn.", |slot| {
        count(slot.figures().waiting)
    }),
    ("avenire_generation", "gauge", "The generation that serves.", |slot| slot.generation()),
    ("avenire_connections_shared", "gauge", "Connections that statements share.", |slot| {
        count(slot.pool().figures().shared)
    }),
    ("avenire_connections_in_use", "gauge", "Connections held by one call each.", |slot| {
        count(slot.pool().figures().in_use)
    }),
    ("avenire_connections_waited_for", "gauge", "Calls that wait for a connection.", |slot| {
        count(slot.pool().figures().waiting)
    }),
    ("avenire_connects_total", "counter", "Connections that were made.", |slot| {
        slot.pool().figures().connects
    }),
    ("avenire_connect_failures_total", "counter", "Connections that could not be made.", |slot| {
        slot.pool().figures().failures
    }),
];
