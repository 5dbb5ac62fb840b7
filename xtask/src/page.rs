//! `cargo xtask page`: the emulator's page, and an upload form of the SDK, in a real browser.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use clap::Args;

use crate::Outcome;
use crate::interop::setup;
use crate::process::{cargo, must, status, target_directory};
use crate::runtime::program;

/// Names that browsers of the family have.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Uses the emulator's page in a headless Chromium: every view, hostile names, faults. Then the page of the SDK's example
/// `browser_upload`, whose form sends files to the emulator.
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
    let script = |name: &str| {
        let mut script = Command::new("node");
        script
            .arg(name)
            .current_dir(&scripts)
            .env("NODE_PATH", &modules)
            .env("CHROMIUM", &browser)
            .envs(emulator.keys());
        script
    };
    let mut page = script("main.js");
    page.env("PAGE_LINK", &emulator.link)
        .env("PAGE_FAILURE", target.join("page-failure.png"));
    if arguments.screenshots {
        page.env("PAGE_SCREENSHOTS", repository.join("docs/emulator"));
    }
    if !status(&mut page)?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let upload = Upload::start(&emulator)?;
    let mut form = script("upload.js");
    form.env("UPLOAD_PAGE", &upload.page)
        .env("UPLOAD_BUCKET", &upload.bucket);
    Ok(if status(&mut form)?.success() {
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

    /// How clients reach it.
    fn keys(&self) -> [(&'static str, &str); 4] {
        [
            ("OSS_ENDPOINT", &self.endpoint),
            ("OSS_REGION", "cn-hangzhou"),
            ("OSS_ACCESS_KEY_ID", "oss-emulator"),
            ("OSS_ACCESS_KEY_SECRET", "oss-emulator-secret"),
        ]
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing left to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The running example `browser_upload`, stopped when dropped.
struct Upload {
    process: Child,
    page: String,
    bucket: String,
}

impl Upload {
    fn start(emulator: &Emulator) -> Result<Self, String> {
        let mut process = cargo(&["run", "--quiet", "--package", "oss-sdk", "--example", "browser_upload"])
            .arg("--target-dir")
            .arg(target_directory()?)
            .envs(emulator.keys())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the example browser_upload: {error}"))?;
        let stdout = process.stdout.take();
        let mut started = Self {
            process,
            page: String::new(),
            bucket: String::new(),
        };
        for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
            let line = line.map_err(|error| format!("cannot read from the example: {error}"))?;
            if let Some(bucket) = line.strip_prefix("bucket ") {
                bucket.clone_into(&mut started.bucket);
            }
            if let Some(rest) = line.strip_prefix("page on ") {
                rest.split(' ').next().unwrap_or_default().clone_into(&mut started.page);
                return Ok(started);
            }
        }
        Err("the example did not tell where its page is".to_owned())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // The end of its input ends it, after it has put its bucket away.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
