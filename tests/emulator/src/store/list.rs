//! The listing algorithm, one for objects, versions and uploads: a pure function over ordered keys.

use std::ops::Bound;

use super::types::{ListQuery, Page};

/// An entry on its way into a page: key, version or upload id (may be empty), payload.
pub(crate) type Entry<'a, V> = (&'a str, &'a str, V);

/// Cuts one page.
///
/// `seek` yields entries from a bound on, in key order. `skip` is the number of entries of the key
/// `query.marker` that earlier pages had; it counts only when `query.id_marker` is not empty. No key
/// is empty.
///
/// A group counts as one entry. It stands in the listing where its first key stands, and is shown
/// when any of its keys comes after the marker, except when the marker is the group itself: then an
/// earlier page showed it.
pub(crate) fn page<'a, V, I>(query: &ListQuery, skip: usize, seek: impl Fn(Bound<&str>) -> I) -> Page<V>
where
    I: Iterator<Item = Entry<'a, V>>,
{
    let mut page = Page {
        entries: Vec::new(),
        common_prefixes: Vec::new(),
        truncated: false,
        next_marker: None,
        next_id_marker: None,
    };
    if query.max == 0 {
        return page;
    }
    let Some(mut entries) = first_entries(query, &seek) else {
        return page;
    };
    let resumes_within = !query.marker.is_empty() && !query.id_marker.is_empty();
    let mut to_skip = if resumes_within { skip } else { 0 };
    let mut last: Option<(String, Option<String>)> = None;

    while let Some((key, id, value)) = entries.next() {
        if !key.starts_with(&query.prefix) {
            break;
        }
        if to_skip > 0 && key == query.marker {
            to_skip -= 1;
            continue;
        }
        if page.entries.len() + page.common_prefixes.len() == query.max {
            page.truncated = true;
            break;
        }
        match group_of(query, key) {
            None => {
                page.entries.push(value);
                last = Some((key.to_owned(), Some(id.to_owned())));
            }
            Some(group) => {
                page.common_prefixes.push(group.to_owned());
                last = Some((group.to_owned(), None));
                match successor(group) {
                    Some(next) => entries = seek(Bound::Included(&next)),
                    None => break,
                }
            }
        }
    }
    if page.truncated
        && let Some((key, id)) = last
    {
        page.next_marker = Some(key);
        page.next_id_marker = id.filter(|id| !id.is_empty());
    }
    page
}

fn first_entries<I>(query: &ListQuery, seek: &impl Fn(Bound<&str>) -> I) -> Option<I> {
    let marker = query.marker.as_str();
    if marker.is_empty() || marker < query.prefix.as_str() {
        return Some(seek(Bound::Included(&query.prefix)));
    }
    if group_of(query, marker) == Some(marker) {
        return successor(marker).map(|next| seek(Bound::Included(&next)));
    }
    Some(if query.id_marker.is_empty() {
        seek(Bound::Excluded(marker))
    } else {
        seek(Bound::Included(marker))
    })
}

/// The group a key belongs to: up to and with the first delimiter after the prefix.
fn group_of<'k>(query: &ListQuery, key: &'k str) -> Option<&'k str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let end = query.prefix.len() + rest.find(&query.delimiter)? + query.delimiter.len();
    Some(&key[..end])
}

/// The least text above everything that starts with `prefix`. Byte order of UTF-8 is the order of
/// code points, so counting up the last character does it.
pub(crate) fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            char::MAX => continue,
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(other as u32 + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const KEYS: &[&str] = &[
        "a",
        "a/",
        "a/b",
        "a/b/c",
        "a/b/d",
        "a/\u{10FFFF}",
        "a/\u{10FFFF}z",
        "a0",
        "b//",
        "b//x",
        "b/x",
        "c",
        "d/e/f",
        "é/1",
        "é/2",
        "\u{D7FF}/1",
        "\u{E000}/1",
        "\u{10FFFF}",
        "\u{10FFFF}/1",
        "\u{10FFFF}/2",
    ];

    fn store(entries: &[(&str, usize)]) -> BTreeMap<String, Vec<String>> {
        entries
            .iter()
            .map(|(key, n)| {
                let ids = (0..*n).map(|i| format!("id{i}")).collect();
                ((*key).to_owned(), ids)
            })
            .collect()
    }

    fn run(map: &BTreeMap<String, Vec<String>>, query: &ListQuery) -> Page<(String, String)> {
        let skip = map.get(&query.marker).map_or(0, |ids| {
            ids.iter().position(|id| *id == query.id_marker).map_or(0, |at| at + 1)
        });
        page(query, skip, |from| {
            map.range::<str, _>((from, Bound::Unbounded)).flat_map(|(key, ids)| {
                ids.iter().map(move |id| {
                    let value = (key.clone(), id.clone());
                    (key.as_str(), id.as_str(), value)
                })
            })
        })
    }

    /// The listing by its definition, without paging.
    fn expected(map: &BTreeMap<String, Vec<String>>, query: &ListQuery) -> (Vec<(String, String)>, Vec<String>) {
        let mut entries = Vec::new();
        let mut groups: Vec<String> = Vec::new();
        for (key, ids) in map {
            let Some(rest) = key.strip_prefix(query.prefix.as_str()) else {
                continue;
            };
            let cut = if query.delimiter.is_empty() {
                None
            } else {
                rest.find(&query.delimiter)
            };
            match cut {
                Some(at) => {
                    let end = query.prefix.len() + at + query.delimiter.len();
                    if groups.last().is_none_or(|last| *last != key[..end]) {
                        groups.push(key[..end].to_owned());
                    }
                }
                None => entries.extend(ids.iter().map(|id| (key.clone(), id.clone()))),
            }
        }
        (entries, groups)
    }

    #[test]
    fn every_page_size_walks_the_whole_listing_once() {
        let single: Vec<_> = KEYS.iter().map(|key| (*key, 1)).collect();
        let several: Vec<_> = KEYS.iter().enumerate().map(|(i, key)| (*key, 1 + i % 4)).collect();
        for map in [store(&single), store(&several)] {
            for prefix in ["", "a", "a/", "b/", "é", "\u{10FFFF}", "nothing"] {
                for delimiter in ["", "/", "//", "b", "/b", "\u{10FFFF}"] {
                    for max in 1..=KEYS.len() * 4 {
                        walk(&map, prefix, delimiter, max);
                    }
                }
            }
        }
    }

    fn walk(map: &BTreeMap<String, Vec<String>>, prefix: &str, delimiter: &str, max: usize) {
        let mut query = ListQuery {
            prefix: prefix.to_owned(),
            delimiter: delimiter.to_owned(),
            max,
            ..ListQuery::default()
        };
        let (entries, groups) = expected(map, &query);
        let total = entries.len() + groups.len();
        let what = format!("prefix {prefix:?} delimiter {delimiter:?} max {max}");
        let mut seen = (Vec::new(), Vec::new());
        let mut pages = 0;
        loop {
            let page = run(map, &query);
            let size = page.entries.len() + page.common_prefixes.len();
            pages += 1;
            assert!(pages <= total.max(1), "{what}: too many pages");
            assert!(size <= max, "{what}: page too large");
            assert_eq!(page.truncated, page.next_marker.is_some(), "{what}");
            seen.0.extend(page.entries);
            seen.1.extend(page.common_prefixes);
            if !page.truncated {
                break;
            }
            assert_eq!(size, max, "{what}: a truncated page is full");
            query.marker = page.next_marker.unwrap();
            query.id_marker = page.next_id_marker.unwrap_or_default();
        }
        assert_eq!(seen, (entries, groups), "{what}");
        assert_eq!(pages, total.div_ceil(max).max(1), "{what}");
    }

    #[test]
    fn a_marker_inside_a_group_still_shows_the_group() {
        let map = store(&[("a/1", 1), ("a/2", 1), ("b", 1)]);
        let query = |marker: &str| ListQuery {
            delimiter: "/".into(),
            marker: marker.into(),
            max: 10,
            ..ListQuery::default()
        };
        assert_eq!(run(&map, &query("a/1")).common_prefixes, ["a/"]);
        assert!(run(&map, &query("a/2")).common_prefixes.is_empty());
        assert!(run(&map, &query("a/")).common_prefixes.is_empty());
        assert_eq!(run(&map, &query("a/")).entries.len(), 1);
    }

    #[test]
    fn a_marker_that_is_no_key_starts_after_it() {
        let map = store(&[("a", 2), ("c", 2)]);
        let query = ListQuery {
            marker: "b".into(),
            id_marker: "id0".into(),
            max: 10,
            ..ListQuery::default()
        };
        assert_eq!(run(&map, &query).entries.len(), 2);
        let below_prefix = ListQuery {
            prefix: "c".into(),
            marker: "a".into(),
            max: 10,
            ..ListQuery::default()
        };
        assert_eq!(run(&map, &below_prefix).entries.len(), 2);
    }

    #[test]
    fn nothing_is_asked_nothing_is_given() {
        let map = store(&[("a", 1)]);
        let page = run(&map, &ListQuery::default());
        assert!(page.entries.is_empty() && !page.truncated);
    }

    #[test]
    fn the_successor_steps_over_surrogates_and_the_last_character() {
        assert_eq!(successor("a").as_deref(), Some("b"));
        assert_eq!(successor("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(successor("\u{10FFFF}"), None);
        assert_eq!(successor(""), None);
    }
}
