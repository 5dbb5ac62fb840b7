//! `cargo xtask codegen`: the models as Rust and as Markdown, written or compared.

use std::path::Path;
use std::process::ExitCode;

use oss_codegen::diagnostic::render::{Style, render};
use oss_codegen::emit::{self, Files, Options, Place, pages};
use oss_codegen::output::{self, Change, Changes};
use oss_codegen::{Diagnostics, SourceFile, api::Api};
use similar::{ChangeTag, TextDiff};

use crate::Outcome;

/// Name of the SDK's crate in emitted code and examples.
const CRATE_NAME: &str = "oss_sdk";

/// Models with every name and structure that is hard to generate from. Their code is compiled with the suite.
const OBSTACLE_MODELS: &str = "codegen/tests/fixtures/obstacle";

/// Directory of the pages.
const PAGES: &str = "docs/api";

/// Directories in which every file is generated.
const DIRECTORIES: [&str; 3] = [PAGES, "oss-sdk/src/generated", "tests/suite/src/generated"];

/// The text by hand that holds the table of coverage.
const COVERAGE: &str = "README.md";

/// Lines of difference that are shown of one file.
const SHOWN_LINES: usize = 40;

/// Files whose difference is shown; the others are named.
const SHOWN_FILES: usize = 10;

/// Regenerates the Rust code, the pages of `docs/api` and the README's table of coverage from the models.
///
/// Nothing is written when a model is broken. Files that are up to date are not touched, and files of removed groups
/// are deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask codegen --check")]
pub(crate) struct Arguments {
    /// Write nothing; show what is out of date and exit with 1 if anything is.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let root = crate::repository();
    let generated = match generate(&root)? {
        Ok(generated) => generated,
        Err(broken) => {
            eprint!("{}", render(&broken.diagnostics, &broken.sources, Style::default()));
            return Ok(ExitCode::from(1));
        }
    };
    let changes = compare(&root, &generated)?;
    if changes.is_empty() {
        eprintln!("generated files are up to date ({} files)", generated.files.len());
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.check {
        print!("{}", report(&changes));
        return Ok(ExitCode::from(1));
    }
    output::apply(&root, &changes)?;
    for change in &changes.files {
        println!("{} {}", verb(change), change.path);
    }
    Ok(ExitCode::SUCCESS)
}

/// Models with mistakes, and their text to show them in.
pub(crate) struct Broken {
    pub(crate) diagnostics: Diagnostics,
    pub(crate) sources: Vec<SourceFile>,
}

/// Everything that is generated.
#[derive(PartialEq)]
pub(crate) struct Generated {
    files: Files,
    /// What stands between the lines of [`COVERAGE`] that are for it.
    coverage: String,
}

/// What has to be done to a checkout.
fn compare(root: &Path, generated: &Generated) -> Result<Changes, Box<dyn std::error::Error>> {
    let mut changes = output::compare(root, &generated.files, &DIRECTORIES)?;
    let before = std::fs::read_to_string(root.join(COVERAGE)).map_err(|error| format!("{COVERAGE}: {error}"))?;
    let after = pages::splice(&before, &generated.coverage).map_err(|error| format!("{COVERAGE} {error}"))?;
    if before != after {
        changes.files.push(Change {
            path: COVERAGE.to_owned(),
            before: Some(before),
            after: Some(after),
        });
        changes.files.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(changes)
}

/// All that is generated for a checkout.
pub(crate) fn generate(root: &Path) -> Result<Result<Generated, Broken>, Box<dyn std::error::Error>> {
    let api = match load(&root.join("models"))? {
        Ok(api) => api,
        Err(broken) => return Ok(Err(broken)),
    };
    let sdk = Options::sdk_code(CRATE_NAME);
    let mut files = emit::emit(&api, &sdk);
    files.extend(emit::emit_wire_samples(&api, &sdk, "tests/suite/src/generated/wire"));
    match load(&root.join(OBSTACLE_MODELS))? {
        Ok(obstacle) => files.extend(emit::emit(&obstacle, &obstacle_options())),
        Err(broken) => return Ok(Err(broken)),
    }
    files.extend(pages::emit(&api, &sdk, PAGES));
    let coverage = pages::coverage(&api, &sdk, PAGES);
    Ok(Ok(Generated { files, coverage }))
}

fn obstacle_options() -> Options {
    Options {
        crate_name: CRATE_NAME.to_owned(),
        place: Place::Fixture {
            directory: "tests/suite/src/generated/obstacle".to_owned(),
            module: "crate::generated::obstacle".to_owned(),
            client: "crate::obstacle::Client".to_owned(),
        },
    }
}

/// Reads and checks a models directory.
pub(crate) fn load(models: &Path) -> Result<Result<Api, Broken>, Box<dyn std::error::Error>> {
    let sources = oss_codegen::load_dir(models)?;
    Ok(oss_codegen::load(&sources).map_err(|diagnostics| Broken { diagnostics, sources }))
}

fn verb(change: &Change) -> &'static str {
    match (&change.before, &change.after) {
        (Some(_), Some(_)) => "changed",
        (None, _) => "created",
        (_, None) => "deleted",
    }
}

/// What `--check` prints: a short difference of each file, and the command to run.
fn report(changes: &Changes) -> String {
    let mut out = String::new();
    for change in changes.files.iter().take(SHOWN_FILES) {
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => difference(&mut out, &change.path, before, after),
            (None, _) => out.push_str(&format!("missing: {}\n", change.path)),
            (_, None) => out.push_str(&format!("extra: {} is no longer generated\n", change.path)),
        }
    }
    for change in changes.files.iter().skip(SHOWN_FILES) {
        out.push_str(&format!("also: {}\n", change.path));
    }
    let count = changes.files.len();
    let files = if count == 1 { "file is" } else { "files are" };
    out.push_str(&format!(
        "\n{count} {files} not as the models say. Run:\n\n    cargo xtask codegen\n"
    ));
    out
}

fn difference(out: &mut String, path: &str, before: &str, after: &str) {
    let diff = TextDiff::from_lines(before, after);
    out.push_str(&format!("--- {path}\n+++ {path} (generated)\n"));
    let mut shown = 0;
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        if shown >= SHOWN_LINES {
            break;
        }
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            shown += 1;
            if shown > SHOWN_LINES {
                out.push_str("... more lines differ\n");
                break;
            }
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            out.push(sign);
            out.push_str(change.value().trim_end_matches('\n'));
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_what_the_models_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let Ok(generated) = generate(root).unwrap() else {
            panic!("a model is broken: run `cargo xtask lint`")
        };
        let changes = compare(root, &generated).unwrap();
        assert!(changes.is_empty(), "{}", report(&changes));
    }

    #[test]
    fn stale_pages_and_an_old_table_are_reported_and_mended() {
        let root = tempfile::tempdir().unwrap();
        let readme = |table: &str| format!("text\n{}\n{table}{}\n", pages::BEGIN, pages::END);
        let page = |text: &str| format!("{} from x. -->\n{text}", pages::MARKER);
        std::fs::create_dir_all(root.path().join("docs/api/gone")).unwrap();
        std::fs::write(root.path().join("docs/api/gone/a.md"), page("old")).unwrap();
        std::fs::write(root.path().join(COVERAGE), readme("old\n")).unwrap();
        let generated = Generated {
            files: Files::from([("docs/api/b.md".to_owned(), page("new"))]),
            coverage: "new\n".to_owned(),
        };
        let changes = compare(root.path(), &generated).unwrap();
        let paths: Vec<&str> = changes.files.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, [COVERAGE, "docs/api/b.md", "docs/api/gone/a.md"]);
        output::apply(root.path(), &changes).unwrap();
        assert!(compare(root.path(), &generated).unwrap().is_empty());
        let text = std::fs::read_to_string(root.path().join(COVERAGE)).unwrap();
        assert_eq!(text, readme("new\n"));
    }

    #[test]
    fn generating_twice_gives_the_same_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (Ok(first), Ok(second)) = (generate(root).unwrap(), generate(root).unwrap()) else {
            panic!("a model is broken: run `cargo xtask lint`")
        };
        assert!(first == second);
    }

    #[test]
    fn a_report_shows_the_lines_and_the_command() {
        let change = |path: &str, before: Option<&str>, after: Option<&str>| Change {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let changes = Changes {
            files: vec![
                change("a.rs", Some("one\ntwo\n"), Some("one\n2\n")),
                change("b.rs", None, Some("new\n")),
                change("c.rs", Some("old\n"), None),
            ],
        };
        let text = report(&changes);
        assert!(
            text.contains("--- a.rs\n+++ a.rs (generated)\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"),
            "{text}"
        );
        assert!(text.contains("missing: b.rs\n"), "{text}");
        assert!(text.contains("extra: c.rs is no longer generated\n"), "{text}");
        assert!(
            text.ends_with("3 files are not as the models say. Run:\n\n    cargo xtask codegen\n"),
            "{text}"
        );
    }
}
