//! The binary `avenire-db`. Everything is in the library, so that tests run the
//! same program.

fn main() -> std::process::ExitCode {
    avenire_cli::main()
}
