//! The lines of INI files, in which tools keep settings and keys.

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// `[name]`.
    Section(&'a str),
    /// `name = value`.
    Entry(&'a str, &'a str),
}

/// The lines that say something; others are passed over.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().filter_map(|line| {
        let line = without_comment(line).trim();
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => Some(Line::Section(name.trim())),
            None => line
                .split_once('=')
                .map(|(name, value)| Line::Entry(name.trim(), value.trim())),
        }
    })
}

/// A comment begins with `#` or `;` at the beginning of a line, or with `#` behind a blank.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let comment = line
        .char_indices()
        .find(|(at, character)| *character == '#' && line[..*at].ends_with(char::is_whitespace));
    comment.map_or(line, |(at, _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_entries_comments_and_blanks_are_told_apart() {
        let text = "\u{20}; first\n[default] # the usual one\r\ntype = access_key\n  id=a#b \t# comment\n\n# id = no\n\
                    nonsense\n[ other ]\nx = 1 = 2\nempty=";
        let found: Vec<_> = lines(text).collect();
        assert_eq!(
            found,
            [
                Line::Section("default"),
                Line::Entry("type", "access_key"),
                Line::Entry("id", "a#b"),
                Line::Section("other"),
                Line::Entry("x", "1 = 2"),
                Line::Entry("empty", ""),
            ]
        );
    }
}
