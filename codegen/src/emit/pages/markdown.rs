//! Markdown as it grows, with everything from the model escaped: paragraphs, lists, tables and code.

use crate::emit::docs;

/// A page: blocks with a blank line between them.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// A page that starts with its banner.
    pub(super) fn new(banner: &str) -> Self {
        Self {
            text: format!("{banner}\n"),
        }
    }

    /// Adds a heading of a level. Headings are names and words of ours, so nothing in them is escaped.
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    /// Adds a paragraph of Markdown.
    pub(super) fn paragraph(&mut self, markdown: &str) {
        if !markdown.trim().is_empty() {
            self.block(markdown);
        }
    }

    /// Adds a list of Markdown items; none when there are no items.
    pub(super) fn list<T: AsRef<str>>(&mut self, items: &[T]) {
        if !items.is_empty() {
            let lines: Vec<String> = items.iter().map(|item| format!("- {}", item.as_ref())).collect();
            self.block(&lines.join("\n"));
        }
    }

    /// Adds a fenced block.
    pub(super) fn code<T: AsRef<str>>(&mut self, language: &str, lines: &[T]) {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let text = lines.join("\n");
        let fence = "`".repeat(longest_run(&text).max(2) + 1);
        self.block(&format!("{fence}{language}\n{text}\n{fence}"));
    }

    /// Adds a table of Markdown cells; none when there are no rows.
    pub(super) fn table<const N: usize>(&mut self, head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        let rows: Vec<String> = rows.into_iter().map(|row| table_row(&row)).collect();
        if rows.is_empty() {
            return;
        }
        let head = table_row(&head.map(str::to_owned));
        let rule = table_row(&[const { "---" }; N].map(str::to_owned));
        self.block(&format!("{head}\n{rule}\n{}", rows.join("\n")));
    }

    fn block(&mut self, text: &str) {
        self.text.push('\n');
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// The text of the file.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A row of a table. A pipe ends a cell even inside of a code span, unless it is escaped.
pub(super) fn table_row(cells: &[String]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| {
            cell.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace('|', "\\|")
        })
        .collect();
    // Without the second blank of an empty cell no line has more than one in a row.
    let mut row = String::from("|");
    for cell in cells {
        match cell.as_str() {
            "" => row.push_str(" |"),
            cell => row.push_str(&format!(" {cell} |")),
        }
    }
    row
}

/// Stands for a backtick without a pair while the rest of its text is escaped; no text of people has it.
const LONE_BACKTICK: char = '\u{E000}';

/// Sentences of the model as Markdown: code spans and addresses stay what they are, everything else is literal.
pub(super) fn sentences(text: &str) -> String {
    let is_paired = text.matches('`').count().is_multiple_of(2);
    let escaped = match is_paired {
        true => docs::escape(text),
        false => docs::escape(&text.replace('`', &LONE_BACKTICK.to_string())),
    };
    let text = outside_code(&escaped, |part| part.replace('&', "&amp;").replace('~', "\\~"));
    escape_start(text.replace(LONE_BACKTICK, "\\`"))
}

/// Changes what is not in a code span or an address.
fn outside_code(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        if index % 2 == 1 {
            out.push_str(part);
            continue;
        }
        let mut rest = part;
        while let Some((before, address)) = rest.split_once("<http") {
            let end = address.find('>').map_or(address.len(), |at| at + 1);
            out.push_str(&change(before));
            out.push_str("<http");
            out.push_str(&address[..end]);
            rest = &address[end..];
        }
        out.push_str(&change(rest));
    }
    out
}

/// Escapes what would make a heading, a list or a quotation of a paragraph.
fn escape_start(text: String) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let is_number = (1..10).contains(&digits) && text[digits..].starts_with(['.', ')']);
    if is_number {
        format!("{}\\{}", &text[..digits], &text[digits..])
    } else if text.starts_with(['#', '+', '-', '=', '>']) {
        format!("\\{text}")
    } else {
        text
    }
}

/// Any text as a code span.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let needs_blanks = text.starts_with('`') || text.ends_with('`');
    let blank = if needs_blanks { " " } else { "" };
    match text.is_empty() {
        true => String::new(),
        false => format!("{fence}{blank}{text}{blank}{fence}"),
    }
}

/// Code spans of all texts.
pub(super) fn codes<T: AsRef<str>>(texts: &[T]) -> Vec<String> {
    texts.iter().map(|text| code(text.as_ref())).collect()
}

/// A link. The text is Markdown.
pub(super) fn link(text: &str, target: &str) -> String {
    format!("[{text}]({target})")
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// The anchor that a heading gets where Markdown is shown with anchors: small letters, digits, `-` and `_` remain, blanks
/// become `-`.
pub fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_model_stays_text() {
        for (text, markdown) in [
            ("A <b> [x] `Vec<T>` & `a&b`.", r"A \<b\> \[x\] `Vec<T>` &amp; `a&b`."),
            ("~~no~~ *x* a_b", r"\~\~no\~\~ \*x\* a\_b"),
            ("One ` is left <b>.", r"One \` is left \<b\>."),
            ("# of parts", r"\# of parts"),
            ("- or +", r"\- or +"),
            ("3. of May", r"3\. of May"),
            ("3 of May", "3 of May"),
            (
                "See https://example.com/?a=1&b=2.",
                "See <https://example.com/?a=1&b=2>.",
            ),
            ("Two\nlines", "Two lines"),
        ] {
            assert_eq!(sentences(text), markdown, "{text}");
        }
    }

    #[test]
    fn code_spans_hold_any_text() {
        for (text, markdown) in [
            ("a|b", "`a|b`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("", ""),
            ("a\nb", "`a b`"),
        ] {
            assert_eq!(code(text), markdown, "{text}");
        }
    }

    #[test]
    fn a_cell_cannot_break_its_row() {
        let row = table_row(&["`a|b`".to_owned(), "two\nlines".to_owned(), String::new()]);
        assert_eq!(row, r"| `a\|b` | two lines | |");
    }

    #[test]
    fn code_with_fences_gets_a_longer_fence() {
        let mut page = Page::new("banner");
        page.code("text", &["```", "x"]);
        assert_eq!(page.finish(), "banner\n\n````text\n```\nx\n````\n");
    }

    #[test]
    fn slugs_are_those_of_the_place_where_pages_are_read() {
        for (heading, anchor) in [
            ("PutBucketCors", "putbucketcors"),
            ("`wait_until_ready`", "wait_until_ready"),
            ("Result (structure)", "result-structure"),
        ] {
            assert_eq!(slug(heading), anchor);
        }
    }
}
