//! What is wrong with a model, where, and what to do about it. Finding and showing are apart: see [`render`].

pub mod render;

use std::fmt;

use crate::spans::Span;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Rule, e.g. `M0107`; [`crate::explain`] says more about it.
    pub code: &'static str,
    /// Path of the file.
    pub file: String,
    /// What is underlined.
    pub span: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that matter, such as the first of two duplicates.
    pub related: Vec<Related>,
}

/// Another place that belongs to a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Path of the file.
    pub file: String,
    /// What is underlined.
    pub span: Span,
    /// What it has to do with the problem.
    pub message: String,
}

impl Diagnostic {
    /// A problem at a place.
    pub fn new(code: &'static str, file: &str, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            file: file.to_owned(),
            span,
            message: message.into(),
            help: None,
            related: Vec::new(),
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what to do, if there is something to say.
    #[must_use]
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, file: &str, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related {
            file: file.to_owned(),
            span,
            message: message.into(),
        });
        self
    }
}

/// One line, as editors and terminals link it.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { line, column, .. } = self.span;
        write!(
            f,
            "{}:{line}:{column}: error[{}]: {}",
            self.file, self.code, self.message
        )
    }
}

/// The problems of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a problem.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them; sorted by place once [`crate::load`] has returned them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Orders by file, line and column.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.file.clone(), d.span, d.code, d.message.clone());
            key(a).cmp(&key(b))
        });
        self.0.dedup();
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One line a problem. [`render::render`] shows the source too.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// The candidate that someone who wrote `wrong` most likely meant.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = |name: &str| {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>()
            .to_lowercase()
    };
    // Nobody means a name of this length, and comparing would take its square.
    if wrong.chars().count() > 100 {
        return None;
    }
    let (written, wrong) = (wrong, folded(wrong));
    // A third of the letters may differ; more is another name, and suggesting it would mislead.
    let allowed = (wrong.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count() <= 100)
        .map(|candidate| {
            (
                distance(&wrong, &folded(candidate)),
                distance(written, candidate),
                candidate,
            )
        })
        .filter(|(distance, ..)| *distance <= allowed)
        .min()
        .map(|(.., candidate)| candidate)
}

/// Edits between two texts, where exchanging two neighbours is one edit.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = (0..=a.len()).map(|i| (i..=i + b.len()).collect()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_or_none() {
        let names = ["CorsRule", "CorsConfiguration", "Owner"];
        assert_eq!(nearest("CorsRulee", names), Some("CorsRule"));
        assert_eq!(nearest("CORSRule", names), Some("CorsRule"));
        assert_eq!(nearest("ower", names), Some("Owner"));
        assert_eq!(nearest("Onwer", names), Some("Owner"));
        assert_eq!(nearest("Bucket", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("fats", ["Fast", "fast"]), Some("fast"));
        assert_eq!(nearest(&"CorsRule".repeat(20), names), None);
    }
}
