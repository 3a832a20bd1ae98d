//! Looks over the markup of rendered pages in tests: tags that match, attributes that are quoted, ids that are unique, the
//! landmarks that every page must have.

use std::collections::HashSet;

/// Elements without an end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Everything wrong with a page.
pub(crate) fn faults(html: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut ids = HashSet::new();
    let mut labelled = HashSet::new();
    let mut headings = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        if rest[..start].contains("⟨") || rest[..start].contains('\u{2329}') {
            faults.push(format!("a message is missing in “{}”", &rest[..start]));
        }
        let Some(end) = end_of_tag(&rest[start..]) else {
            faults.push("a tag does not end".to_owned());
            break;
        };
        let tag = &rest[start + 1..start + end];
        rest = &rest[start + end + 1..];
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name.trim() => {}
                expected => faults.push(format!("</{name}> ends {expected:?}")),
            }
            continue;
        }
        let closed = tag.ends_with('/');
        let (name, attributes) =
            tag.trim_end_matches('/').split_once(char::is_whitespace).unwrap_or((tag.trim_end_matches('/'), ""));
        for (key, value) in parse(attributes, &mut faults) {
            match key {
                "id" if !ids.insert(value.to_owned()) => faults.push(format!("the id {value} stands twice")),
                "for" => {
                    labelled.insert(value.to_owned());
                }
                "style" => faults.push(format!("<{name}> has a style, which the content policy forbids")),
                key if key.starts_with("on") => {
                    faults.push(format!("<{name}> has {key}, which the content policy forbids"))
                }
                _ => {}
            }
        }
        if matches!(name, "h1" | "h2" | "h3" | "h4") {
            headings.push(name[1..].parse::<u8>().unwrap_or(0));
        }
        if !closed && !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    if !open.is_empty() {
        faults.push(format!("not ended: {open:?}"));
    }
    if headings.iter().filter(|level| **level == 1).count() != 1 {
        faults.push(format!("a page has one h1, this one has headings {headings:?}"));
    }
    if headings.windows(2).any(|pair| pair[1] > pair[0] + 1) {
        faults.push(format!("a level of headings is left out: {headings:?}"));
    }
    for name in labelled.difference(&ids) {
        faults.push(format!("a label is for {name}, which is not there"));
    }
    for part in ["<html lang=", "<title>", "<main id=\"main\"", "class=\"skip\""] {
        if !html.contains(part) {
            faults.push(format!("{part} is missing"));
        }
    }
    faults
}

/// Where a tag ends; a `>` inside an attribute's value does not end it.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(place, character)| {
        quoted ^= character == '"';
        (character == '>' && !quoted).then_some(place)
    })
}

fn parse<'a>(attributes: &'a str, faults: &mut Vec<String>) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let end = rest.find(|character: char| character == '=' || character.is_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix("=\"") {
            match after.split_once('"') {
                Some((inside, after)) => (value, rest) = (inside, after),
                None => break,
            }
        } else if rest.starts_with('=') {
            faults.push(format!("the attribute {key} is not quoted"));
            break;
        }
        if found.iter().any(|(name, _)| *name == key) {
            faults.push(format!("the attribute {key} stands twice in one tag"));
        }
        found.push((key, value));
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            faults.push(format!("no space after the attribute {key}"));
        }
        rest = rest.trim_start();
    }
    found
}

#[test]
fn faults_are_found() {
    let page = |inner: &str| {
        format!(
            "<!doctype html><html lang=\"ru\"><title>T</title><a class=\"skip\" href=\"#main\"></a><main id=\"main\"><h1>H</h1>{inner}</main></html>"
        )
    };
    assert_eq!(faults(&page("<p title=\"a > b\">x<br></p>")), Vec::<String>::new());
    for bad in [
        "<p>",
        "</p>",
        "<p><b></p></b>",
        "<p id=x></p>",
        "<p id=\"main\"></p>",
        "<h1></h1>",
        "<h3></h3>",
        "<label for=\"q\"></label>",
        "<p style=\"\"></p>",
        "<p title=\"a\"lang=\"ru\"></p>",
        "<p>\u{2329}key\u{232a}</p>",
    ] {
        assert!(!faults(&page(bad)).is_empty(), "{bad}");
    }
}
