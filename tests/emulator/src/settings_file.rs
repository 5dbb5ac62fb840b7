//! The settings file: TOML whose keys are the names of the flags. What it says is put behind the flags that were given, so both are
//! read and judged by the same code, and every flag has its key.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Flags that make no sense in a file.
const FLAGS_ONLY: [&str; 4] = ["config", "print-config", "help", "version"];

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct SettingsFile {
    /// More arguments of the command line.
    pub(crate) arguments: Vec<OsString>,
    /// Key and line of each.
    lines: Vec<(String, usize)>,
    path: String,
}

impl SettingsFile {
    /// Reads a file. Keys whose flag was given are left out.
    pub(crate) fn read(path: &str, text: &str, command: &Command, given: &ArgMatches) -> Result<Self, String> {
        let table = DeTable::parse(text).map_err(|error| format!("{path}: {error}"))?;
        let mut file = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        for (key, value) in table.get_ref() {
            let line = 1 + text[..key.span().start].matches('\n').count();
            let name = key.get_ref().as_ref();
            let at = |why: &str| format!("{path}:{line}: `{name}` {why}");
            let flag = command
                .get_arguments()
                .find(|flag| flag.get_long() == Some(name))
                .filter(|_| !FLAGS_ONLY.contains(&name))
                .ok_or_else(|| at("is no setting; settings are named like the flags of `--help`"))?;
            if given.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine) {
                continue;
            }
            let values: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
                DeValue::Array(values) if matches!(flag.get_action(), ArgAction::Append) => values.iter().collect(),
                _ => vec![value],
            };
            for value in values {
                match argument(name, value.get_ref()) {
                    Some(argument) => file.arguments.extend(argument.map(OsString::from)),
                    None => return Err(at("must be a text, a number, true or false")),
                }
            }
            file.lines.push((name.to_owned(), line));
        }
        Ok(file)
    }

    /// Names the line when the file is to blame. The values of secrets are not repeated.
    pub(crate) fn blame(&self, error: &clap::Error) -> Option<String> {
        let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
            return None;
        };
        let name = flag.trim_start_matches('-').split([' ', '=', '[']).next()?;
        let (name, line) = self.lines.iter().find(|(other, _)| other == name)?;
        let why = match is_secret(name) {
            true => "the value is not of the right form".to_owned(),
            false => error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .replace("error: ", ""),
        };
        Some(format!("{}:{line}: `{name}`: {why}", self.path))
    }
}

/// The argument of a value; nothing inside for `false`, nothing at all for what no flag takes.
fn argument(name: &str, value: &DeValue<'_>) -> Option<Option<String>> {
    Some(match value {
        DeValue::Boolean(true) => Some(format!("--{name}")),
        DeValue::Boolean(false) => None,
        DeValue::String(text) => Some(format!("--{name}={text}")),
        DeValue::Integer(number) => Some(format!("--{name}={number}")),
        _ => return None,
    })
}

fn is_secret(name: &str) -> bool {
    name == "access-key" || ["token", "secret", "password"].iter().any(|word| name.contains(word))
}

/// The settings in effect, as a file that says the same but for the secrets.
pub(crate) fn print(command: &Command, matches: &ArgMatches) -> String {
    let mut text = String::new();
    for flag in command.get_arguments() {
        let Some(name) = flag.get_long().filter(|name| !FLAGS_ONLY.contains(name)) else {
            continue;
        };
        let id = flag.get_id().as_str();
        if matches!(flag.get_action(), ArgAction::SetTrue) {
            if matches.get_flag(id) {
                text.push_str(&format!("{name} = true\n"));
            }
            continue;
        }
        let Some(values) = matches.get_raw(id) else { continue };
        let values: Vec<_> = values.map(|value| shown(name, &value.to_string_lossy())).collect();
        match flag.get_action() {
            ArgAction::Append => text.push_str(&format!("{name} = [{}]\n", values.join(", "))),
            _ => text.push_str(&format!("{name} = {}\n", values.join(""))),
        }
    }
    text
}

fn shown(name: &str, value: &str) -> String {
    let masked = match value.split_once(':') {
        _ if !is_secret(name) => value.to_owned(),
        Some((id, _)) if name == "access-key" => format!("{id}:***"),
        _ => "***".to_owned(),
    };
    let is_number = masked.parse::<u32>().is_ok_and(|number| number.to_string() == masked);
    // The escapes of JSON are escapes of TOML.
    if is_number {
        masked
    } else {
        serde_json::Value::from(masked).to_string()
    }
}
