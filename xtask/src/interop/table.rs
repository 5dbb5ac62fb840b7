//! The table operation x client, as Markdown.

use std::fmt::Write as _;

use super::outcome::{Ending, Program};

/// One row an operation that any client offers or checks, one column a client.
pub(super) fn render(operations: &[String], programs: &[Program]) -> String {
    let mut text = String::from("| operation |");
    for program in programs {
        let _ = write!(text, " {} |", program.name);
    }
    text.push_str("\n| --- |");
    text.push_str(&" --- |".repeat(programs.len()));
    text.push('\n');
    for operation in operations {
        let cells: Vec<String> = programs.iter().map(|program| cell(program, operation)).collect();
        if cells.iter().any(|cell| cell != NOT_OFFERED) {
            let _ = writeln!(text, "| {operation} | {} |", cells.join(" | "));
        }
    }
    text
}

const NOT_OFFERED: &str = "-";

fn cell(program: &Program, operation: &str) -> String {
    let Some(endings) = program.checks.get(operation) else {
        let offered = program.offers.contains(operation);
        return if offered { "unchecked" } else { NOT_OFFERED }.to_owned();
    };
    let count = |wanted: Ending| endings.iter().filter(|ending| **ending == wanted).count();
    match (count(Ending::Failed), count(Ending::Passed)) {
        (0, 0) => "501".to_owned(),
        (0, passed) => format!("ok ({passed})"),
        (failed, passed) => format!("FAILED ({failed} of {})", failed + passed),
    }
}
