//! The program's settings: flags, a file, and what they make of each other.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oss-emulator"));
    command.args(arguments).env_remove("OSS_EMULATOR_ADMIN_TOKEN");
    command
}

fn run(file: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("emulator.toml");
    std::fs::write(&path, file).unwrap();
    program(&["--config", path.to_str().unwrap()])
        .args(more)
        .current_dir(Path::new("/"))
        .output()
        .unwrap()
}

#[test]
fn a_file_says_what_flags_say_and_flags_go_before_it() {
    let file = "port = 9123\nregion = \"cn-beijing\"\naccess-key = [\"me:very-secret\"]\nadmin = \"127.0.0.1:0\"\n\
                admin-token = \"0123456789abcdef\"\ntls = true\nmetrics-open = false\nfault = [\"action=stall\"]\n";
    let output = run(file, &["--print-config", "--region", "cn-shanghai"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for line in [
        "port = 9123",
        "region = \"cn-shanghai\"",
        "access-key = [\"me:***\"]",
        "admin = \"127.0.0.1:0\"",
        "admin-token = \"***\"",
        "tls = true",
        "fault = [\"action=stall\"]",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    assert!(
        !text.contains("very-secret") && !text.contains("0123456789abcdef"),
        "{text}"
    );
    // What is printed can be read again.
    let again = run(&text, &["--print-config"]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), text);
}

#[test]
fn mistakes_name_key_and_line_and_no_secret() {
    for (file, expected) in [
        ("# ports\nprot = 1\n", "emulator.toml:2: `prot` is no setting"),
        ("port = \"x\"\n", "emulator.toml:1: `port`: invalid value 'x'"),
        ("region = [1]\n", "emulator.toml:1: `region` must be"),
        ("\nport = 1.5\n", "emulator.toml:2: `port` must be"),
        ("port = \n", "emulator.toml: TOML parse error at line 1"),
        ("config = \"other.toml\"\n", "emulator.toml:1: `config` is no setting"),
        (
            "access-key = [\"hidden-word\"]\n",
            "emulator.toml:1: `access-key`: the value is not of the right form",
        ),
        ("fault = [\"action=explode\"]\n", "there is no fault `explode`"),
    ] {
        let output = run(file, &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(
            error.contains(expected) && !error.contains("hidden-word"),
            "{file}: {error}"
        );
    }
}

#[test]
fn the_start_is_told_and_a_signal_ends_it() {
    let mut child = program(&["--port", "0", "--admin", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(2)
        .map(Result::unwrap)
        .collect();
    assert!(lines[0].starts_with("listening on http://127.0.0.1:"), "{lines:?}");
    assert!(lines[1].contains("/_ui?token="), "{lines:?}");
    let ended = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(ended.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn management_elsewhere_needs_a_chosen_token() {
    let output = program(&["--port", "0", "--admin", "0.0.0.0:0"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("needs a token of your own"), "{error}");
}
