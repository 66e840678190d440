//! The process that guards the tests' cluster; started by the cluster itself.

fn main() -> std::process::ExitCode {
    let home = std::env::args_os().nth(1).unwrap_or_default();
    avenire_postgres::embedded::run_guard(home.as_ref())
}
