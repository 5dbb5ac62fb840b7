//! `cargo xtask start`: the emulator installed as a user installs it, and started from other languages.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::Outcome;
use crate::process::{cargo, must, shown, target_directory};

/// Longest time from the start of a language's tools to the end of its program.
const LIMIT: Duration = Duration::from_secs(180);

/// Installs the emulator into the target directory and runs the start programs of all languages that are here.
///
/// Python and Node.js have to be here; Go and Java are left out where they are missing.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Fail when any language is missing.
    #[arg(long)]
    all: bool,
}

/// What runs a start program. The emulator's path follows.
struct Language {
    name: &'static str,
    /// Tells whether the language is here.
    probe: [&'static str; 2],
    program: &'static [&'static str],
    required: bool,
}

const LANGUAGES: [Language; 4] = [
    Language {
        name: "Python",
        probe: ["python3", "--version"],
        program: &["python3", "-B", "start.py"],
        required: true,
    },
    Language {
        name: "Node.js",
        probe: ["node", "--version"],
        program: &["node", "start.mjs"],
        required: true,
    },
    Language {
        name: "Go",
        probe: ["go", "version"],
        program: &["go", "run", "start.go"],
        required: false,
    },
    Language {
        name: "Java",
        probe: ["javac", "-version"],
        program: &["java", "Start.java"],
        required: false,
    },
];

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let emulator = install()?;
    let mut good = true;
    for language in &LANGUAGES {
        let [program, question] = language.probe;
        let answer = Command::new(program)
            .arg(question)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !answer.is_ok_and(|status| status.success()) {
            good &= !language.required && !arguments.all;
            println!("{}: not on this machine", language.name);
            continue;
        }
        match start(language, &emulator) {
            Ok(line) => println!("{}: {line}", language.name),
            Err(problem) => {
                good = false;
                println!("FAILED  {}: {problem}", language.name);
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `cargo install --path tests/emulator`, with what other builds left in the target directory.
fn install() -> Result<std::path::PathBuf, String> {
    let target = target_directory()?;
    let root = target.join("installed");
    let mut install = cargo(&[
        "install",
        "--quiet",
        "--debug",
        "--locked",
        "--force",
        "--path",
        "tests/emulator",
    ]);
    must(install.arg("--root").arg(&root).arg("--target-dir").arg(&target))?;
    Ok(root
        .join("bin")
        .join(format!("oss-emulator{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs a start program, which tells the emulator's address and the status of an answer, and ends the emulator.
fn start(language: &Language, emulator: &Path) -> Result<String, String> {
    let [program, arguments @ ..] = language.program else {
        return Err("no program".to_owned());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(emulator)
        .current_dir(crate::repository().join("tests/interop/start"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut process = command
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", shown(&command)))?;
    let end = Instant::now() + LIMIT;
    let ended = loop {
        match process.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = process.kill();
                let _ = process.wait();
                return Err(format!("it does not end within {} s", LIMIT.as_secs()));
            }
            Err(error) => return Err(format!("cannot wait for it: {error}")),
        }
    };
    if !ended.success() {
        return Err(format!("it ended with {ended}"));
    }
    let mut told = String::new();
    if let Some(mut output) = process.stdout.take() {
        output
            .read_to_string(&mut told)
            .map_err(|error| format!("cannot read what it told: {error}"))?;
    }
    judge(&told, |address| TcpStream::connect(address).is_ok())
}

/// What a start program told, if an emulator answered it and is gone.
fn judge(told: &str, listens: impl Fn(&str) -> bool) -> Result<String, String> {
    let line = told.trim();
    let address = line
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix(" 200"))
        .ok_or_else(|| format!("it told `{line}` instead of an address and 200"))?;
    if listens(address) {
        return Err(format!("the emulator at {address} still listens"));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn an_answer_of_an_emulator_that_is_gone_is_good() {
        assert_eq!(
            judge("http://127.0.0.1:1 200\n", |_| false).unwrap(),
            "http://127.0.0.1:1 200"
        );
    }

    #[test]
    fn another_status_silence_and_an_emulator_left_behind_are_not() {
        for told in ["http://127.0.0.1:1 503", "", "200"] {
            assert!(judge(told, |_| false).is_err(), "{told}");
        }
        assert!(judge("http://127.0.0.1:1 200", |_| true).is_err());
    }
}
