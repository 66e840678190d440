//! What the guard tells its starter while the server starts, over the guard's standard output.
//! Never: goes on after the server is up; the starter closes its end then.

use std::io::Write;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStdout;

/// How much of an explanation is read.
const LONGEST: u64 = 16 * 1024;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The server's process runs (it may still be recovering).
    Running,
    /// The server was there and runs, without a guard until now.
    Adopted,
    /// Another guard is at work; this one has ended.
    Taken,
    /// The server ended; the end of its log.
    Exited(String),
    /// The guard could not do its work; why.
    Failed(String),
}

impl Report {
    fn parse(word: &str, rest: String) -> Self {
        match word {
            "running" => Self::Running,
            "adopted" => Self::Adopted,
            "taken" => Self::Taken,
            "exited" => Self::Exited(rest),
            "failed" => Self::Failed(rest),
            _ => Self::Failed("it ended without a word".into()),
        }
    }
}

/// Says it; a starter that does not listen any more is no error.
pub(super) fn send(report: &Report) {
    let text = match report {
        Report::Running => "running\n".to_owned(),
        Report::Adopted => "adopted\n".to_owned(),
        Report::Taken => "taken\n".to_owned(),
        Report::Exited(log) => format!("exited\n{log}"),
        Report::Failed(reason) => format!("failed\n{reason}"),
    };
    let mut out = std::io::stdout();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// The starter's end.
pub(super) struct Reports {
    from: BufReader<tokio::io::Take<ChildStdout>>,
}

impl Reports {
    pub(super) fn new(from: ChildStdout) -> Self {
        Self { from: BufReader::new(from.take(LONGEST)) }
    }

    /// The next report. All but [`Report::Running`] and [`Report::Adopted`] are the last one.
    pub(super) async fn next(&mut self) -> Report {
        let mut word = String::new();
        if let Err(error) = self.from.read_line(&mut word).await {
            return Report::Failed(format!("its reports cannot be read: {error}"));
        }
        let word = word.trim_end();
        let mut rest = Vec::new();
        if word != "running" && word != "adopted" {
            drop(self.from.read_to_end(&mut rest).await);
        }
        Report::parse(word, String::from_utf8_lossy(&rest).into_owned())
    }
}
