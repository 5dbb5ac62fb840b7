//! `cargo xtask ci`: everything that CI runs, in the order in which a mistake shows soonest.

use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Args;

use crate::Outcome;
use crate::process::{cargo, must, shown, status, target_directory};

/// Runs everything that CI runs, prints how long each step took, and ends with the first that failed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only list the steps.
    #[arg(long)]
    list: bool,
    /// Run only the steps whose name contains this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// Version of cargo-deny where the machine has none.
const CARGO_DENY: &str = "0.20.2";

/// Feature sets of the SDK that have to build alone, besides all together.
const FEATURE_SETS: [&[&str]; 12] = [
    &["--no-default-features"],
    &["--no-default-features", "--features", "reqwest"],
    &["--no-default-features", "--features", "rustls"],
    &["--features", "vectors"],
    &["--features", "tables"],
    &["--features", "dataprocess"],
    &["--features", "agentic"],
    &["--features", "sts"],
    &["--features", "dynamic"],
    &["--features", "credentials"],
    &["--features", "blocking"],
    &["--features", "testing"],
];

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut steps = steps()?;
    if let Some(name) = &arguments.only {
        steps.retain(|(step, _)| step.contains(name));
    }
    if arguments.list {
        for (_, command) in &steps {
            println!("{}", shown(command));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut times = Vec::new();
    for (name, mut command) in steps {
        // Nothing is built twice here, and what builds twice need is a third of the disk space.
        command.env("CARGO_INCREMENTAL", "0");
        eprintln!("==> {name}: {}", shown(&command));
        let started = Instant::now();
        let ended = status(&mut command)?;
        if !ended.success() {
            eprintln!("==> {name} failed ({ended}): {}", shown(&command));
            return Ok(ExitCode::FAILURE);
        }
        times.push((name, started.elapsed().as_secs_f64()));
    }
    let total: f64 = times.iter().map(|(_, seconds)| seconds).sum();
    for (name, seconds) in &times {
        println!("{seconds:>8.1} s  {name}");
    }
    println!("{total:>8.1} s  in all");
    Ok(ExitCode::SUCCESS)
}

/// Checks the dependency tree against `deny.toml` with cargo-deny, which is built once into the target directory where
/// the machine has none.
pub(crate) fn dependencies() -> Outcome {
    const CHECK: [&str; 4] = ["check", "bans", "licenses", "sources"];
    let installed = cargo(&["deny", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    let mut deny = cargo(&["deny"]);
    if !installed {
        let tools = target_directory()?.join("tools");
        let program = tools
            .join("bin")
            .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            let version = format!("cargo-deny@{CARGO_DENY}");
            let mut install = cargo(&["install", "--quiet", "--locked", "--no-default-features", &version]);
            must(
                install
                    .arg("--root")
                    .arg(&tools)
                    .arg("--target-dir")
                    .arg(tools.join("build")),
            )?;
        }
        deny = Command::new(program);
        deny.current_dir(crate::repository());
    }
    Ok(if status(deny.args(CHECK))?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn steps() -> Result<Vec<(String, Command)>, String> {
    let this = std::env::current_exe().map_err(|error| format!("cannot find this program's own path: {error}"))?;
    let own = |arguments: &[&str]| {
        let mut command = Command::new(&this);
        command.args(arguments);
        command
    };
    let mut steps = vec![
        ("format".to_owned(), cargo(&["fmt", "--all", "--check"])),
        ("generated code".to_owned(), own(&["codegen", "--check"])),
        (
            "lints".to_owned(),
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ]),
        ),
    ];
    for features in FEATURE_SETS {
        let mut command = cargo(&["clippy", "--package", "oss-sdk"]);
        command.args(features).args(["--", "-D", "warnings"]);
        steps.push((format!("features {}", features.join(" ")), command));
    }
    steps.push(("dependencies".to_owned(), own(&["ci-dependencies"])));
    steps.push(("tests".to_owned(), cargo(&["test", "--workspace"])));
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    steps.push(("documentation".to_owned(), doc));
    steps.push((
        "quick start".to_owned(),
        cargo(&["run", "--quiet", "--package", "oss-sdk", "--example", "quickstart"]),
    ));
    for example in ["sts", "blocking", "opentelemetry"] {
        let mut command = cargo(&[
            "run",
            "--quiet",
            "--package",
            "oss-sdk",
            "--all-features",
            "--example",
            example,
        ]);
        command.stdout(std::process::Stdio::null());
        steps.push((format!("example {example}"), command));
    }
    steps.push(("parsers".to_owned(), own(&["soak", "parsers", "--seconds", "5"])));
    steps.push(("hostile requests".to_owned(), own(&["soak", "http", "--seconds", "20"])));
    for ending in ["kill", "term"] {
        steps.push((
            format!("ends by {ending}"),
            own(&["soak", "kills", "--rounds", "5", "--ending", ending]),
        ));
    }
    steps.push((
        "load".to_owned(),
        own(&["soak", "load", "--seconds", "1", "--large", "64"]),
    ));
    steps.push((
        "big upload".to_owned(),
        own(&["soak", "big-upload", "--size", "512", "--part", "16"]),
    ));
    steps.push((
        "broken downloads".to_owned(),
        own(&["soak", "broken-downloads", "--rounds", "10", "--size", "8388608"]),
    ));
    steps.push(("other languages".to_owned(), own(&["start"])));
    steps.push(("official clients".to_owned(), own(&["interop"])));
    steps.push(("page".to_owned(), own(&["page", "--install"])));
    Ok(steps)
}
