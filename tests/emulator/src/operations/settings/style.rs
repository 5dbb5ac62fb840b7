//! Image styles: parameters of a processing under a name.

use serde::{Deserialize, Serialize};

use super::items;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::time;
use crate::value::Record;

const PREFIX: &str = "style/";
const MOST: usize = 100;

#[derive(Serialize, Deserialize)]
struct Style {
    content: String,
    category: String,
    created: String,
    modified: String,
}

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = name(call)?;
    let content = call
        .input
        .record("style")
        .map(|style| style.text_or_empty("content"))
        .unwrap_or_default();
    if content.is_empty() {
        return Err(ServiceError::invalid_argument(
            "The style has no content.",
            "Content",
            content,
        ));
    }
    let kind = format!("{PREFIX}{name}");
    let style = Style {
        content: content.to_owned(),
        category: call.input.text("category").unwrap_or("image").to_owned(),
        created: time::http_date(call.now),
        modified: time::http_date(call.now),
    };
    let name = name.to_owned();
    items::change_bucket(call, move |draft| {
        let old: Option<Style> = draft.document(&kind).map(items::read).transpose()?;
        if old.is_none() && draft.named(PREFIX).count() >= MOST {
            return Err(ServiceError::invalid_argument(
                format!("A bucket has at most {MOST} styles."),
                "styleName",
                &name,
            ));
        }
        let created = old.map_or_else(|| style.created.clone(), |old| old.created);
        draft.put(kind, items::write(&Style { created, ..style })?);
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = name(call)?;
    let style: Option<Style> = items::find(call.store(), call.bucket()?, &format!("{PREFIX}{name}"))?;
    let style = style.ok_or_else(|| {
        ServiceError::new(404, "NoSuchStyle", "The specified style does not exist.").detail("StyleName", name)
    })?;
    Ok(Answer::ok(Record::new().with("style", shown(name, &style))))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let styles: Vec<(String, Style)> = items::all(call.store(), call.bucket()?, PREFIX)?;
    let styles: Vec<Record> = styles.iter().map(|(name, style)| shown(name, style)).collect();
    Ok(Answer::ok(
        Record::new().with("style_list", Record::new().with("styles", styles)),
    ))
}

/// The processing that a style stands for.
pub(in crate::operations) fn content(call: &Call<'_>, name: &str) -> Result<Option<String>, ServiceError> {
    let style: Option<Style> = items::find(call.store(), call.bucket()?, &format!("{PREFIX}{name}"))?;
    Ok(style.map(|style| style.content))
}

fn shown(name: &str, style: &Style) -> Record {
    Record::new()
        .with("name", name)
        .with("content", &style.content)
        .with("category", &style.category)
        .with("create_time", &style.created)
        .with("last_modify_time", &style.modified)
}

fn name<'c>(call: &'c Call<'_>) -> Result<&'c str, ServiceError> {
    let name = call.input.text_or_empty("style_name");
    let fits = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if fits {
        Ok(name)
    } else {
        Err(ServiceError::invalid_argument(
            "A style has a name of 1 to 63 letters, digits, dots, hyphens and underscores.",
            "styleName",
            name,
        ))
    }
}
