//! `cargo xtask page`: the emulator's page in a real browser.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use clap::Args;

use crate::Outcome;
use crate::interop::setup;
use crate::process::{must, status, target_directory};
use crate::runtime::program;

/// Names that browsers of the family have.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Uses the emulator's page in a headless Chromium: every view, hostile names, faults.
///
/// Needs Chromium (the one of CHROMIUM, or of the path), Node.js and, the first time, the package index.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Renew the pictures under docs/emulator.
    #[arg(long)]
    screenshots: bool,
    /// Where there is no browser, install Debian's by apt-get.
    #[arg(long)]
    install: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let browser = match browser() {
        Some(browser) => browser,
        None if arguments.install => install()?,
        None => return Err(missing().into()),
    };
    let repository = crate::repository();
    let scripts = repository.join("tests/page");
    let target = target_directory()?;
    let modules = setup::node(&scripts, &target.join("page-node"))?;
    let emulator = Emulator::start(&program("oss-emulator")?)?;
    let mut page = Command::new("node");
    page.arg("main.js")
        .current_dir(&scripts)
        .env("NODE_PATH", modules)
        .env("CHROMIUM", browser)
        .env("PAGE_LINK", &emulator.link)
        .env("PAGE_FAILURE", target.join("page-failure.png"))
        .env("OSS_ENDPOINT", &emulator.endpoint)
        .env("OSS_ACCESS_KEY_ID", "oss-emulator")
        .env("OSS_ACCESS_KEY_SECRET", "oss-emulator-secret");
    if arguments.screenshots {
        page.env("PAGE_SCREENSHOTS", repository.join("docs/emulator"));
    }
    Ok(if status(&mut page)?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The browser that `CHROMIUM` names, or the first on the path.
fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").filter(|name| !name.is_empty());
    let names = match named {
        Some(name) => vec![name],
        None => BROWSERS.iter().map(OsString::from).collect(),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .find(|program| program.is_file())
}

/// Installs the browser of the system's packages, where that is Debian and we may.
fn install() -> Result<PathBuf, String> {
    eprintln!("no Chromium is installed: installing the package `chromium`");
    let apt = |arguments: &[&str]| {
        must(
            Command::new("apt-get")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null()),
        )
    };
    let packages = [
        "install",
        "-y",
        "--no-install-recommends",
        "chromium",
        "fonts-liberation",
    ];
    apt(&["update"])
        .and_then(|()| apt(&packages))
        .map_err(|error| format!("{}; installing it failed: {error}", missing()))?;
    browser().ok_or_else(missing)
}

fn missing() -> String {
    format!(
        "there is no Chromium to look at the page with: install one, such as Debian's package `chromium`, or name it in \
         CHROMIUM (looked for {} on the path)",
        BROWSERS.join(", ")
    )
}

/// A running emulator with its management listener, stopped when dropped.
struct Emulator {
    process: Child,
    endpoint: String,
    /// Address of the page with the token.
    link: String,
}

impl Emulator {
    fn start(program: &Path) -> Result<Self, String> {
        let mut process = Command::new(program)
            .args(["--port", "0", "--admin", "127.0.0.1:0"])
            .env_remove("OSS_EMULATOR_ADMIN_TOKEN")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let stdout = process.stdout.take();
        let mut started = Self {
            process,
            endpoint: String::new(),
            link: String::new(),
        };
        for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
            let line = line.map_err(|error| format!("cannot read from the emulator: {error}"))?;
            if let Some(endpoint) = line.strip_prefix("listening on ") {
                endpoint.clone_into(&mut started.endpoint);
            }
            if let Some(link) = line.strip_prefix("management on ") {
                link.clone_into(&mut started.link);
                return Ok(started);
            }
        }
        Err("the emulator did not tell where its management listener is".to_owned())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing left to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
