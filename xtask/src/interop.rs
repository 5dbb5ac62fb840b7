//! `cargo xtask interop`: official clients, unmodified, against the emulator; and the requests of one beside this SDK's.

mod emulator;
mod outcome;
pub(crate) mod setup;
mod table;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Args;

use crate::Outcome;
use crate::process::{shown, status, target_directory};
use crate::runtime::program;
use emulator::Emulator;
use outcome::{Allowed, Program, known_operations};

/// Runs official clients against the emulator, and compares the Python SDK's requests with this one's.
///
/// Needs Python, Node.js and, the first time, their package indexes.
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo xtask interop --only ali-oss presigned")]
pub(crate) struct Arguments {
    /// The Python to make the virtual environment with.
    #[arg(long, default_value = "python3")]
    python: String,
    /// Run only the clients whose name contains this, and do not compare requests.
    #[arg(long, value_name = "CLIENT")]
    only: Option<String>,
    /// Run only the checks whose name contains one of these.
    checks: Vec<String>,
}

/// A run of a client's program with one signature version.
struct Run {
    name: &'static str,
    /// The Python module, or the Node.js program.
    program: Language,
    signature: &'static str,
    /// Whether the emulator keeps its data in a directory.
    on_disk: bool,
    /// Checks that it has at least. More are welcome; a program that loses some must not pass for that.
    checks: usize,
}

#[derive(Clone, Copy)]
enum Language {
    Python(&'static str),
    Node(&'static str),
}

/// Longest run of a client's program, which takes less than a minute on an idle machine.
const LIMIT: Duration = Duration::from_secs(600);

const RUNS: [Run; 7] = [
    run_of("python-v2 V4", Language::Python("python_v2"), "v4", 208),
    run_of("python-v2 V1", Language::Python("python_v2"), "v1", 156),
    run_of("python-v2 async", Language::Python("python_v2_async"), "v4", 62),
    Run {
        on_disk: true,
        ..run_of("oss2 V4", Language::Python("python_oss2"), "v4", 100)
    },
    run_of("oss2 V1", Language::Python("python_oss2"), "v1", 100),
    run_of("ali-oss V4", Language::Node("ali_oss"), "v4", 90),
    run_of("ali-oss V1", Language::Node("ali_oss"), "v1", 90),
];

const fn run_of(name: &'static str, program: Language, signature: &'static str, checks: usize) -> Run {
    Run {
        name,
        program,
        signature,
        on_disk: false,
        checks,
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let target = target_directory()?;
    let scripts = crate::repository().join("tests/interop");
    let chosen: Vec<&Run> = RUNS
        .iter()
        .filter(|run| arguments.only.as_deref().is_none_or(|part| run.name.contains(part)))
        .collect();
    let python = setup::python(&arguments.python, &target.join("interop-python"))?;
    let mut good = true;
    if arguments.only.is_none() && arguments.checks.is_empty() {
        let compared = status(
            Command::new(&python)
                .arg("-B")
                .arg(scripts.join("compare_requests.py"))
                .env("OSS_REQUESTS", program("xtask-runtime")?),
        )?;
        good = compared.success();
    }
    let modules = if chosen.iter().any(|run| matches!(run.program, Language::Node(_))) {
        Some(setup::node(&scripts.join("ali_oss"), &target.join("interop-node"))?)
    } else {
        None
    };
    let server = program("oss-emulator")?;
    let operations = known_operations()?;
    let mut allowed = Allowed::read(&scripts.join("README.md"))?;
    let mut programs = Vec::new();
    for run in chosen {
        let directory = target.join("interop-data");
        let emulator = Emulator::start(&server, run.on_disk.then_some(directory.as_path()))?;
        let mut command = match (run.program, &modules) {
            (Language::Python(module), _) => {
                let mut command = Command::new(&python);
                command.args(["-B", "-m", module]);
                command
            }
            (Language::Node(directory), modules) => {
                let mut command = Command::new("node");
                command.arg(format!("{directory}/main.js"));
                if let Some(modules) = modules {
                    command.env("NODE_PATH", modules);
                }
                command
            }
        };
        command
            .args(&arguments.checks)
            .current_dir(&scripts)
            .stdout(Stdio::piped())
            .env("OSS_ENDPOINT", &emulator.endpoint)
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_ACCOUNT_ID", "1234567890123456")
            .env("OSS_ACCESS_KEY_ID", "oss-emulator")
            .env("OSS_ACCESS_KEY_SECRET", "oss-emulator-secret")
            .env("OSS_SIGNATURE_VERSION", run.signature);
        let process = command
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", shown(&command)))?;
        let least = if arguments.checks.is_empty() { run.checks } else { 0 };
        programs.push(Program::follow(
            run.name,
            process,
            LIMIT,
            least,
            &operations,
            &mut allowed,
        )?);
    }
    let whole = arguments.only.is_none() && arguments.checks.is_empty();
    let rendered = table::render(&operations, &programs);
    let path = target.join("interop-table.md");
    std::fs::write(&path, &rendered).map_err(|error| format!("{}: {error}", path.display()))?;
    if whole {
        println!("{rendered}");
        for operation in allowed.unused() {
            good = false;
            println!("FAILED  README.md: {operation} is listed as not implemented, and nothing needs it");
        }
    }
    for program in &programs {
        good &= program.failed() == 0;
        println!("{}", program.summary());
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
