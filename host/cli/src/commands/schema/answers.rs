//! What became of what is gone: from flags, a file, or the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Result;
use avenire_app::schema::plan::HazardKind;
use avenire_app::schema::renames::{Answer, AnswerError, Answers, Question};
use avenire_app::schema::revision::Ask;
use avenire_app::{AppError, Changes};

use crate::arguments::AnswerArguments;
use crate::exit::BadArgument;
use crate::output::Printer;

/// Answers of the command line. `ask` is used when they do not suffice.
pub(super) fn answers(arguments: &AnswerArguments) -> Result<Answers> {
    let mut answers = match &arguments.answers {
        Some(file) => {
            let read = std::fs::read_to_string(file);
            let text = read.map_err(|source| AppError::Read { file: file.clone(), source })?;
            Answers::from_toml(&text).map_err(|error| BadArgument {
                message: format!("{}: {error}", file.display()),
                hint: error.hint(),
            })?
        }
        None => Answers::default(),
    };
    let bad = |error: AnswerError| BadArgument { message: error.to_string(), hint: error.hint() };
    for text in &arguments.rename {
        answers.add(Answer::rename(text).map_err(bad)?);
    }
    for text in &arguments.drop {
        answers.add(Answer::drop(text).map_err(bad)?);
    }
    for text in &arguments.create {
        answers.add(Answer::create(text).map_err(bad)?);
    }
    Ok(answers)
}

/// Hazards by their names.
fn hazards(names: &[String]) -> Result<Vec<HazardKind>> {
    let parse = |name: &String| {
        name.parse::<HazardKind>()
            .map_err(|error| BadArgument { message: error.to_string(), hint: error.hint() })
    };
    Ok(names.iter().map(parse).collect::<Result<_, _>>()?)
}

/// Asks at the terminal, when there is one on both sides.
pub(super) fn at_terminal(
    printer: &Printer,
) -> impl Fn(&[Question]) -> Option<Answers> + Send + Sync + '_ {
    move |questions| {
        let people = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        // One at a time: an answer may settle others.
        let question = questions.first().filter(|_| people && !printer.is_json())?;
        let mut answers = Answers::default();
        answers.add(ask(question, printer)?);
        Some(answers)
    }
}

/// One question. Nothing when the input ends.
fn ask(question: &Question, printer: &Printer) -> Option<Answer> {
    printer.ask(&question.to_string());
    for (number, choice) in question.choices.iter().enumerate() {
        printer.ask(&format!("  {}  {}", number + 1, choice.text));
    }
    loop {
        printer.ask(&format!("type a number from 1 to {}:", question.choices.len()));
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).ok()? == 0 {
            return None;
        }
        let chosen = line.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        if let Some(choice) = chosen.and_then(|index| question.choices.get(index)) {
            return Some(choice.answer.clone());
        }
    }
}

/// Everything a command says of changes.
pub(super) fn changes<'a>(
    arguments: &AnswerArguments,
    accepted: &[String],
    ask: Ask<'a>,
) -> Result<Changes<'a>> {
    Ok(Changes { answers: answers(arguments)?, accept: hazards(accepted)?, ask })
}
