//! What the figures were measured on.

/// Processor, versions and repetitions in one line.
pub(crate) fn line(rounds: usize, postgres: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let os = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{model}, {cores} cores, Linux {}, Postgres {postgres}, avenire-db {}, {rounds} rounds, not pinned",
        os.trim(),
        env!("CARGO_PKG_VERSION"),
    )
}
