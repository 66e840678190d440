//! Builds components: cargo for `wasm32-unknown-unknown`, then the encoding of
//! the core module as a component.
//!
//! Owns the recipe. Never loads what it built.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;
use wit_component::ComponentEncoder;

use crate::error::AppError;
use crate::manifest::ComponentMigrations;
use crate::project::Project;

/// Why this target and not wasip2: there, Rust's standard library imports WASI,
/// and a query component may import the database alone.
const TARGET: &str = "wasm32-unknown-unknown";

/// The cargo profile that components are built with, if the workspace has it.
const PROFILE: &str = "guest";

/// A component that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its name in the manifest.
    pub component: String,
    /// Where it is.
    pub file: PathBuf,
    /// Its size in bytes.
    pub size: usize,
    /// Whether the file is other than before.
    pub changed: bool,
    /// The files that it was made from, as far as the compiler says.
    pub sources: Vec<PathBuf>,
}

/// Builds the named components, or all that have a `package`. Cargo's own
/// messages go to standard error as they come.
pub async fn build(
    project: &Project,
    names: &[String],
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Vec<Built>, AppError> {
    let wanted = wanted(project, names)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    ensure_target(project, progress).await?;
    let packages: Vec<&str> = wanted.iter().map(|(_, package, _)| *package).collect();
    progress(&format!("building {}", packages.join(", ")));
    let modules = compile(project, &packages).await?;
    wanted
        .into_iter()
        .map(|(component, package, file)| {
            let module = modules.iter().find(|(name, _)| name == package).ok_or_else(|| {
                build_error(
                    format!("the package {package} does not make a wasm module"),
                    "give it `crate-type = [\"cdylib\"]` under [lib]",
                )
            })?;
            encode(project, component, &module.1, file)
        })
        .collect()
}

type Wanted<'a> = (&'a str, &'a str, PathBuf);

fn wanted<'a>(project: &'a Project, names: &[String]) -> Result<Vec<Wanted<'a>>, AppError> {
    let components = &project.manifest().components;
    if let Some(name) = names.iter().find(|name| !components.contains_key(*name)) {
        return Err(crate::unknown_component(project, name));
    }
    if let Some(name) = names.iter().find(|name| components[*name].package.is_none()) {
        return Err(build_error(
            format!("the component {name} has no `package` in the manifest"),
            "name the cargo package that makes it",
        ));
    }
    Ok(components
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .filter_map(|(name, entry)| {
            let package = entry.package.as_deref()?;
            Some((name.as_str(), package, project.path(&entry.path)))
        })
        .collect())
}

/// Installs the standard library for wasm where rustup manages the toolchain.
async fn ensure_target(
    project: &Project,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), AppError> {
    if target_is_installed(project).await {
        return Ok(());
    }
    progress(&format!("installing the target {TARGET}: rustup target add {TARGET}"));
    let status = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(project.root())
        .stdout(Stdio::null())
        .status()
        .await;
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(build_error(
            format!("the Rust target {TARGET} is not installed"),
            &format!("install it: `rustup target add {TARGET}`"),
        )),
    }
}

/// Whether the toolchain in use has the target's libraries.
pub(crate) async fn target_is_installed(project: &Project) -> bool {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(project.root())
        .stderr(Stdio::null())
        .output()
        .await;
    output.is_ok_and(|output| {
        output.status.success()
            && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}

/// The parts of cargo's messages that tell where an artefact is (The Cargo Book,
/// "External Tools").
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    package_id: Option<String>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// Builds the packages and returns the core module of each.
async fn compile(project: &Project, packages: &[&str]) -> Result<Vec<(String, PathBuf)>, AppError> {
    // As cargo itself would be found: the one that runs us, or the one on PATH.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .args(["--profile", if has_profile(project) { PROFILE } else { "release" }])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .current_dir(project.root())
        // Flags meant for the host's own build do not suit wasm.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let output = command.output().await.map_err(|error| {
        build_error(format!("cargo could not be started: {error}"), "install Rust with rustup")
    })?;
    if !output.status.success() {
        return Err(build_error("cargo did not succeed".into(), "see its messages above"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(module_of).collect())
}

/// Profiles are the workspace's, whose root may be above the project.
fn has_profile(project: &Project) -> bool {
    project.root().ancestors().any(|folder| {
        std::fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.contains(&format!("[profile.{PROFILE}]")))
    })
}

/// The package and the wasm file of a message about a finished module.
fn module_of(line: &str) -> Option<(String, PathBuf)> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact"
        || !message.target?.kind.iter().any(|kind| kind == "cdylib")
    {
        return None;
    }
    let file =
        message.filenames.into_iter().find(|file| file.extension() == Some("wasm".as_ref()))?;
    Some((package_name(&message.package_id?), file))
}

/// `path+file:///…/chat#avenire-chat@0.1.0`, `path+file:///…/avenire-chat#0.1.0`
/// (The Cargo Book, "Package ID Specifications").
fn package_name(id: &str) -> String {
    let (url, fragment) = id.split_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => url.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

/// Encodes a core module with its embedded WIT as a component; the file appears
/// whole or not at all.
fn encode(
    project: &Project,
    component: &str,
    module: &Path,
    file: PathBuf,
) -> Result<Built, AppError> {
    let read = |file: &Path| {
        std::fs::read(file).map_err(|source| AppError::Read { file: file.to_owned(), source })
    };
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&read(module)?)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| {
            build_error(
                format!("{component} can not be encoded as a component: {error:#}"),
                "export a world of wit-bindgen that imports avenire:database only",
            )
        })?;
    let entry = project.manifest().components.get(component);
    let bytes = match entry.and_then(|entry| entry.migrations.as_ref()) {
        Some(ComponentMigrations::Folder(folder)) => {
            crate::with_migrations(&bytes, &project.path(folder))?
        }
        _ => bytes,
    };
    let contracts = project.manifest().contracts.path.as_ref();
    let bytes = match contracts.map(|path| project.path(path)).filter(|path| path.is_dir()) {
        // So that documents and clients can say what the contract says.
        Some(folder) => avenire_contract::with_docs(&bytes, &folder)
            .map_err(|source| AppError::Undescribed { component: component.to_owned(), source })?,
        None => bytes,
    };
    let changed = std::fs::read(&file).map_or(true, |former| former != bytes);
    if changed {
        write_whole(&file, &bytes)
            .map_err(|source| AppError::Write { file: file.clone(), source })?;
    }
    let sources = std::fs::read_to_string(module.with_extension("d"));
    let sources = sources.map(|text| prerequisites(&text)).unwrap_or_default();
    Ok(Built { component: component.to_owned(), size: bytes.len(), file, changed, sources })
}

/// The prerequisites of the first rule of a dependency file, where a space in a name stands behind
/// a backslash (The Cargo Book, "Build Cache", "Dep-Info Files").
fn prerequisites(text: &str) -> Vec<PathBuf> {
    let rule =
        text.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, all)| all);
    let mut names = vec![String::new()];
    let mut letters = rule.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.next_if_eq(&' ').is_some() => {
                names.last_mut().map(|name| name.push(' '))
            }
            ' ' => {
                names.push(String::new());
                None
            }
            _ => names.last_mut().map(|name| name.push(letter)),
        };
    }
    names.retain(|name| !name.is_empty());
    names.into_iter().map(PathBuf::from).collect()
}

fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut partial = tempfile::NamedTempFile::new_in(folder)?;
    partial.write_all(bytes)?;
    partial.persist(file)?;
    Ok(())
}

fn build_error(message: String, hint: &str) -> AppError {
    AppError::Build { message, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{module_of, package_name, prerequisites};

    #[test]
    fn package_ids_of_both_forms_name_their_package() {
        assert_eq!(package_name("path+file:///p/chat#avenire-chat@0.1.0"), "avenire-chat");
        assert_eq!(package_name("path+file:///p/avenire-chat#0.1.0"), "avenire-chat");
    }

    #[test]
    fn names_with_spaces_are_read_from_dependency_files() {
        let text = "/t/a.wasm: /s/lib.rs /my\\ s/b.rs\n\n/s/lib.rs:\n";
        assert_eq!(prerequisites(text), ["/s/lib.rs", "/my s/b.rs"].map(std::path::PathBuf::from));
        assert!(prerequisites("").is_empty());
    }

    #[test]
    fn only_finished_modules_count() {
        let module = r#"{"reason":"compiler-artifact","package_id":"path+file:///p/chat#avenire-chat@0.1.0","target":{"kind":["cdylib"]},"filenames":["/t/avenire_chat.wasm"]}"#;
        assert_eq!(module_of(module), Some(("avenire-chat".into(), "/t/avenire_chat.wasm".into())));
        assert_eq!(module_of(&module.replace("cdylib", "lib")), None);
        assert_eq!(module_of("{\"reason\":\"build-finished\",\"success\":true}"), None);
        assert_eq!(module_of("not json"), None);
    }
}
