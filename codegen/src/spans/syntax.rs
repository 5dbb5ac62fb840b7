//! Mistakes of syntax, in words that help: the scanner knows where it stopped, rarely why.

use super::Span;
use crate::diagnostic::Diagnostic;
use crate::lint::codes;

/// Says what the scanner found, and looks for the two mistakes that are behind most of them.
pub(super) fn error(file: &str, text: &str, at: Span, info: &str) -> Diagnostic {
    let lines: Vec<&str> = text.lines().collect();
    // The scanner notices many mistakes only where the next token starts; the end of the file has no line to show.
    let line = at.line.min(lines.len().max(1));
    let source = lines.get(line - 1).copied().unwrap_or_default();
    let column = if line == at.line {
        at.column
    } else {
        source.chars().count() + 1
    };
    let diagnostic = Diagnostic::new(
        codes::SYNTAX,
        file,
        Span::point(line, column),
        format!("not valid YAML: {info}"),
    );
    if let Some(tab) = lines.iter().take(line).position(|line| indent(line).contains('\t')) {
        return diagnostic.help(format!("line {} is indented by a tab; YAML wants spaces", tab + 1));
    }
    let levels = open_levels(&lines[..line.saturating_sub(1).min(lines.len())]);
    let width = indent(source).len();
    if !source.trim().is_empty() && !levels.contains(&width) && levels.last().is_some_and(|last| width < *last) {
        let levels = levels.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        return diagnostic.help(format!(
            "the line is indented by {width} spaces; the levels that are open above it are {levels}"
        ));
    }
    diagnostic.help("look at the indentation, and quote text that has `: `, ` #`, or starts with one of `{[&*!|>%@\"'` or a back-tick")
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Indentation of the blocks that are open after some lines.
fn open_levels(lines: &[&str]) -> Vec<usize> {
    let mut levels: Vec<usize> = Vec::new();
    for line in lines {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let width = indent(line).len();
        levels.retain(|level| *level < width);
        levels.push(width);
    }
    levels
}
