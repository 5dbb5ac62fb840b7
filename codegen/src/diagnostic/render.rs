//! Problems as text: message, place, source line, carets, help.

use std::fmt::Write;

use crate::SourceFile;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spans::Span;

/// How problems are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// ANSI colours, for terminals.
    Coloured,
}

/// All problems, one block each, and a last line that counts them.
pub fn render(diagnostics: &Diagnostics, sources: &[SourceFile], style: Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&render_one(diagnostic, sources, style));
        out.push('\n');
    }
    match diagnostics.len() {
        0 => {}
        1 => out.push_str("1 error; `cargo xtask lint --explain CODE` says more\n"),
        count => _ = writeln!(out, "{count} errors; `cargo xtask lint --explain CODE` says more"),
    }
    out
}

/// One problem.
pub fn render_one(diagnostic: &Diagnostic, sources: &[SourceFile], style: Style) -> String {
    let paint = |code: &str, text: &str| match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    };
    let (red, blue) = ("1;31", "1;34");
    let lines = diagnostic
        .related
        .iter()
        .map(|related| related.span.line)
        .chain([diagnostic.span.line]);
    let gutter = lines.max().unwrap_or(1).to_string().len();
    let bar = |number: &str| paint(blue, &format!("{number:>gutter$} |"));
    let mut out = format!(
        "{}: {}\n",
        paint(red, &format!("error[{}]", diagnostic.code)),
        diagnostic.message
    );
    let mut place = |file: &str, span: Span, arrow: &str, colour: &str, label: &str| {
        let Span { line, column, .. } = span;
        _ = writeln!(out, "{:gutter$}{} {file}:{line}:{column}", "", paint(blue, arrow));
        if let Some(source) = source_line(sources, file, line) {
            let (shown, offset) = window(source, column);
            let label = if label.is_empty() {
                String::new()
            } else {
                format!(" {label}")
            };
            let carets = paint(colour, &format!("{}{label}", "^".repeat(width(span, source))));
            _ = writeln!(out, "{}", bar(""));
            _ = writeln!(out, "{} {shown}", bar(&line.to_string()));
            _ = writeln!(out, "{} {:offset$}{carets}", bar(""), "");
        }
    };
    place(&diagnostic.file, diagnostic.span, "-->", red, "");
    for related in &diagnostic.related {
        place(&related.file, related.span, ":::", blue, &related.message);
    }
    if let Some(help) = &diagnostic.help {
        _ = writeln!(out, "{:gutter$} {} help: {help}", "", paint(blue, "="));
    }
    out
}

fn source_line<'a>(sources: &'a [SourceFile], file: &str, line: usize) -> Option<&'a str> {
    let source = sources.iter().find(|source| source.path == file)?;
    source.text.lines().nth(line - 1)
}

/// The part of a line that is shown, and the spaces before the carets. Tabs count as one space, as they do in columns.
fn window(line: &str, column: usize) -> (String, usize) {
    /// Model lines keep below 120 characters; only a broken file has longer ones.
    const WIDEST: usize = 160;
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    if line.chars().count() <= WIDEST {
        return (line.chars().map(printable).collect(), column - 1);
    }
    let start = column.saturating_sub(WIDEST / 2);
    (
        line.chars().skip(start).take(WIDEST).map(printable).collect(),
        column - 1 - start,
    )
}

/// Carets under what is wrong: at least one, at most to the end of the first line.
fn width(span: Span, line: &str) -> usize {
    let rest = (line.trim_end().chars().count() + 1).saturating_sub(span.column);
    let wanted = if span.end_line == span.line {
        span.end_column.saturating_sub(span.column)
    } else {
        rest
    };
    wanted.min(rest).clamp(1, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Vec<SourceFile> {
        vec![SourceFile {
            path: "models/oss/x.yaml".to_owned(),
            text: text.to_owned(),
        }]
    }

    #[test]
    fn a_problem_shows_its_line_and_help() {
        let span = Span {
            line: 2,
            column: 6,
            end_line: 2,
            end_column: 9,
        };
        let diagnostic = Diagnostic::new("M0107", "models/oss/x.yaml", span, "no such thing")
            .related("models/oss/x.yaml", Span::point(1, 1), "the first one")
            .help("try another");
        let text = render_one(&diagnostic, &sources("a: 1\n  b: xyz # é\n"), Style::Plain);
        insta::assert_snapshot!(text, @r"
        error[M0107]: no such thing
         --> models/oss/x.yaml:2:6
          |
        2 |   b: xyz # é
          |      ^^^
         ::: models/oss/x.yaml:1:1
          |
        1 | a: 1
          | ^ the first one
          = help: try another
        ");
        assert!(render_one(&diagnostic, &sources(""), Style::Coloured).contains("\u{1b}[1;31merror[M0107]"));
    }

    #[test]
    fn spans_outside_of_the_text_do_not_panic() {
        for (line, column, end_line, end_column) in [(9, 9, 9, 9), (1, 500, 1, 2), (1, 1, 7, 1), (1, 200, 1, 900)] {
            let span = Span {
                line,
                column,
                end_line,
                end_column,
            };
            let diagnostic = Diagnostic::new("M0001", "models/oss/x.yaml", span, "m");
            for text in ["", "abc", &"long ".repeat(60)] {
                assert!(render_one(&diagnostic, &sources(text), Style::Plain).starts_with("error[M0001]"));
            }
        }
    }
}
