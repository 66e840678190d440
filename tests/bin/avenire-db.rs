//! `avenire-db` as the tests run it.

fn main() -> std::process::ExitCode {
    avenire_cli::main()
}
