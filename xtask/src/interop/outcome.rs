//! What the clients' programs tell, line by line, and what of it counts as a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How a check ended, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    Passed,
    NotImplemented,
    Failed,
}

/// What one client's program told.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// Operations that the client offers, as `service/Operation`.
    pub(super) offers: BTreeSet<String>,
    /// How the checks of an operation ended.
    pub(super) checks: BTreeMap<String, Vec<Ending>>,
    endings: Vec<Ending>,
}

impl Program {
    /// Reads a program's lines to its end, which must come within the limit, and prints what did not pass. Fewer checks
    /// than `least` are a failure.
    pub(super) fn follow(
        name: &'static str,
        mut process: Child,
        limit: Duration,
        least: usize,
        operations: &[String],
        allowed: &mut Allowed,
    ) -> Result<Self, String> {
        let mut program = Self {
            name,
            offers: BTreeSet::new(),
            checks: BTreeMap::new(),
            endings: Vec::new(),
        };
        let stdout = process.stdout.take().ok_or("a program without output")?;
        let (lines, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let end = Instant::now() + limit;
        loop {
            match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let line = line.map_err(|error| format!("cannot read from {name}: {error}"))?;
                    program.take(&line, operations, allowed)?;
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    program.fail(&format!("it does not end within {} s", limit.as_secs()));
                    // It may have ended by itself in the meantime.
                    let _ = process.kill();
                    break;
                }
            }
        }
        let ended = process
            .wait()
            .map_err(|error| format!("cannot wait for {name}: {error}"))?;
        // A program that breaks off tells fewer checks than it has; its exit code says so.
        if !ended.success() && program.failed() == 0 {
            program.fail(&format!("the program ended with {ended}"));
        }
        if program.endings.len() < least && program.failed() == 0 {
            let told = program.endings.len();
            program.fail(&format!("{told} checks, and it has at least {least}"));
        }
        Ok(program)
    }

    fn fail(&mut self, why: &str) {
        println!("FAILED  {}: {why}", self.name);
        self.endings.push(Ending::Failed);
    }

    fn take(&mut self, line: &str, operations: &[String], allowed: &mut Allowed) -> Result<(), String> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("{}: `{line}` is not JSON: {error}", self.name))?;
        if let Some(offers) = value.get("offers") {
            // Names of methods are of another case at times, and not all of them are operations.
            let known = texts(offers);
            self.offers = operations
                .iter()
                .filter(|operation| known.iter().any(|offer| offer.eq_ignore_ascii_case(operation)))
                .cloned()
                .collect();
            return Ok(());
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let (check, detail) = (text("check"), text("detail"));
        let about = value.get("operations").map(texts).unwrap_or_default();
        let ending = match text("outcome") {
            "ok" => Ending::Passed,
            "not implemented" if allowed.covers(&about) => Ending::NotImplemented,
            _ => Ending::Failed,
        };
        if ending == Ending::Failed {
            println!("FAILED  {}: {check}: {detail}", self.name);
        }
        for operation in about {
            if !operations.contains(&operation) {
                return Err(format!("{}: {check}: no model has {operation}", self.name));
            }
            self.checks.entry(operation).or_default().push(ending);
        }
        self.endings.push(ending);
        Ok(())
    }

    pub(super) fn failed(&self) -> usize {
        self.count(Ending::Failed)
    }

    fn count(&self, ending: Ending) -> usize {
        self.endings.iter().filter(|found| **found == ending).count()
    }

    /// One line that counts the checks, and the operations that none of them is about.
    pub(super) fn summary(&self) -> String {
        let unchecked = self
            .offers
            .iter()
            .filter(|name| !self.checks.contains_key(*name))
            .count();
        format!(
            "{}: {} checks: {} passed, {} failed, {} not implemented; {} operations offered, {unchecked} of them unchecked",
            self.name,
            self.endings.len(),
            self.count(Ending::Passed),
            self.failed(),
            self.count(Ending::NotImplemented),
            self.offers.len(),
        )
    }
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// The table "Not implemented by the emulator" of the README: what may be answered with 501.
pub(super) struct Allowed {
    operations: BTreeMap<String, bool>,
}

impl Allowed {
    pub(super) fn read(readme: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(readme).map_err(|error| format!("{}: {error}", readme.display()))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let section = text
            .split("\n## ")
            .find(|section| section.starts_with("Not implemented by the emulator"));
        let rows = section.unwrap_or_default().lines().filter_map(|line| {
            let name = line.strip_prefix("| `")?;
            name.split_once('`').map(|(name, _)| (name.to_owned(), false))
        });
        Self {
            operations: rows.collect(),
        }
    }

    /// Whether a check of these operations may meet a 501, which uses their rows. It may not when any of them has no
    /// row: nobody knows which one was refused.
    fn covers(&mut self, about: &[String]) -> bool {
        if about.is_empty() || !about.iter().all(|operation| self.operations.contains_key(operation)) {
            return false;
        }
        for operation in about {
            if let Some(used) = self.operations.get_mut(operation) {
                *used = true;
            }
        }
        true
    }

    /// Rows that nothing needed.
    pub(super) fn unused(&self) -> impl Iterator<Item = &str> {
        let unused = self.operations.iter().filter(|(_, used)| !**used);
        unused.map(|(operation, _)| operation.as_str())
    }
}

/// All operations of the models, as `service/Operation`, in the order of the models.
pub(super) fn known_operations() -> Result<Vec<String>, String> {
    let models = crate::repository().join("models");
    let api = match crate::codegen::load(&models).map_err(|error| error.to_string())? {
        Ok(api) => api,
        Err(_) => return Err("the models have mistakes, which `cargo xtask lint` shows".to_owned()),
    };
    let services = api.services.iter();
    Ok(services
        .flat_map(|service| {
            let groups = service.groups.iter().flat_map(|group| &group.operations);
            groups.map(|operation| format!("{}/{}", service.name, operation.name))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        Program {
            name: "client",
            offers: BTreeSet::new(),
            checks: BTreeMap::new(),
            endings: Vec::new(),
        }
    }

    fn operations() -> Vec<String> {
        ["oss/PutObject", "oss/SelectObject"].map(str::to_owned).to_vec()
    }

    fn line(outcome: &str, operation: &str) -> String {
        format!(r#"{{"check":"c","operations":["{operation}"],"outcome":"{outcome}","detail":""}}"#)
    }

    #[test]
    fn a_501_fails_unless_the_readme_lists_its_operation() {
        let text = "# T\n\n## Not implemented by the emulator\n\n| operation | why |\n| --- | --- |\n| `oss/SelectObject` | x |\n";
        let (mut program, mut allowed) = (program(), Allowed::parse(text));
        for operation in ["oss/SelectObject", "oss/PutObject"] {
            let line = line("not implemented", operation);
            program.take(&line, &operations(), &mut allowed).unwrap();
        }
        assert_eq!(program.endings, [Ending::NotImplemented, Ending::Failed]);
        assert_eq!(allowed.unused().count(), 0);
    }

    #[test]
    fn a_501_fails_when_any_operation_of_its_check_is_implemented() {
        let text = "\n## Not implemented by the emulator\n| `oss/SelectObject` | x |\n";
        let (mut program, mut allowed) = (program(), Allowed::parse(text));
        let line = r#"{"check":"c","operations":["oss/SelectObject","oss/PutObject"],"outcome":"not implemented"}"#;
        program.take(line, &operations(), &mut allowed).unwrap();
        assert_eq!(program.endings, [Ending::Failed]);
    }

    /// A client's program that is a line of shell.
    #[cfg(unix)]
    fn follow(script: &str, limit: u64, least: usize) -> Program {
        let mut shell = std::process::Command::new("sh");
        let process = shell
            .args(["-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let limit = Duration::from_millis(limit);
        Program::follow("client", process, limit, least, &operations(), &mut Allowed::parse("")).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_client_that_does_not_end_fails() {
        let told = follow("exec sleep 600", 50, 0);
        assert_eq!(told.endings, [Ending::Failed]);
    }

    #[cfg(unix)]
    #[test]
    fn a_client_with_fewer_checks_than_it_has_fails() {
        let script = format!("echo '{}'", line("ok", "oss/PutObject"));
        assert_eq!(follow(&script, 60_000, 1).endings, [Ending::Passed]);
        assert_eq!(follow(&script, 60_000, 2).endings, [Ending::Passed, Ending::Failed]);
    }

    #[test]
    fn rows_that_nothing_needs_are_told() {
        let text =
            "\n## Not implemented by the emulator\n| `oss/SelectObject` | x |\n\n## Other\n| `oss/PutObject` | y |\n";
        let mut allowed = Allowed::parse(text);
        let mut program = program();
        program
            .take(&line("ok", "oss/SelectObject"), &operations(), &mut allowed)
            .unwrap();
        assert_eq!(allowed.unused().collect::<Vec<_>>(), ["oss/SelectObject"]);
    }

    #[test]
    fn operations_that_no_model_has_are_mistakes() {
        let mut allowed = Allowed::parse("");
        let told = program().take(&line("ok", "oss/PutObjekt"), &operations(), &mut allowed);
        assert_eq!(told.unwrap_err(), "client: c: no model has oss/PutObjekt");
    }

    #[test]
    fn offers_are_found_in_any_case() {
        let (mut program, mut allowed) = (program(), Allowed::parse(""));
        let offers = r#"{"offers":["oss/putobject","oss/IsObjectExist"]}"#;
        program.take(offers, &operations(), &mut allowed).unwrap();
        assert_eq!(program.offers, BTreeSet::from(["oss/PutObject".to_owned()]));
    }
}
