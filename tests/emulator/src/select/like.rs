//! Patterns of `like`: `%` stands for any run of characters, `_` for any one.

use std::cell::Cell;

use super::value::Unfit;

/// Longest pattern.
const MAX_PATTERN: usize = 1024;

/// What may still be spent on a row: steps of all its patterns and the cost of all values together.
pub(super) struct Steps(Cell<u64>);

impl Steps {
    /// Enough for every sane pattern over the longest row, and worth some tenths of a second.
    pub(super) fn of_a_row() -> Self {
        Self(Cell::new(64 * 1024 * 1024))
    }

    pub(super) fn take(&self, steps: u64) -> Result<(), Unfit> {
        self.0.set(self.0.get().checked_sub(steps).ok_or(Unfit)?);
        Ok(())
    }
}

/// A pattern, taken apart once for all rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

/// A character of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Run,
    One,
    Exactly(char),
}

impl Pattern {
    pub(super) fn new(pattern: &str, escape: Option<char>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(c) = characters.next() {
            pieces.push(match c {
                c if Some(c) == escape => Piece::Exactly(characters.next().unwrap_or(c)),
                '%' => Piece::Run,
                '_' => Piece::One,
                c => Piece::Exactly(c),
            });
        }
        match pieces.len() <= MAX_PATTERN {
            true => Ok(Self(pieces)),
            false => Err(format!("a pattern is longer than {MAX_PATTERN} characters")),
        }
    }

    /// Whether a text matches, found without backing up further than the last run.
    pub(super) fn matches(&self, text: &str, steps: &Steps) -> Result<bool, Unfit> {
        let mut rest = text.chars();
        let mut piece = 0;
        // Where to go on in the pattern, and the text from which that was tried last.
        let mut run = None;
        loop {
            steps.take(1)?;
            let before = rest.clone();
            let Some(c) = rest.next() else { break };
            match self.0.get(piece) {
                Some(Piece::Run) => {
                    piece += 1;
                    rest = before;
                    run = Some((piece, rest.clone()));
                }
                Some(Piece::One) => piece += 1,
                Some(Piece::Exactly(wanted)) if *wanted == c => piece += 1,
                _ => match run.as_mut() {
                    Some((after, from)) => {
                        from.next();
                        rest = from.clone();
                        piece = *after;
                    }
                    None => return Ok(false),
                },
            }
        }
        let left = self.0.get(piece..).unwrap_or_default();
        Ok(left.iter().all(|piece| *piece == Piece::Run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_runs_single_characters_and_escapes() {
        for (pattern, escape, text, expected) in [
            ("a%", None, "abc", true),
            ("a%", None, "bac", false),
            ("%b%c", None, "abbc", true),
            ("%b_c", None, "äbbbxc", true),
            ("a_c", None, "abc", true),
            ("a_c", None, "ac", false),
            ("10\\%", Some('\\'), "10%", true),
            ("10\\%", Some('\\'), "100", false),
            ("", None, "", true),
            ("", None, "a", false),
            ("%", None, "", true),
            ("_", None, "", false),
        ] {
            let parsed = Pattern::new(pattern, escape).unwrap();
            let found = parsed.matches(text, &Steps::of_a_row());
            assert_eq!(found, Ok(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_that_costs_too_much_fits_no_row() {
        let pattern = Pattern::new(&format!("%{}b", "a".repeat(1000)), None).unwrap();
        let text = "a".repeat(1024 * 1024);
        assert_eq!(pattern.matches(&text, &Steps::of_a_row()), Err(Unfit));
    }
}
