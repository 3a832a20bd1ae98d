//! The messages that scripts show: every one whose key begins with `js-` or `now-`, in the reader's language, with its
//! placeholders left for the script as `{name}`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kopilka_web::Page;

const SOURCE: &str = include_str!("../locales/ru.ftl");

/// Keys with the names of their placeholders.
static KEYS: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    SOURCE
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(key, _)| key.starts_with("js-") || key.starts_with("now-"))
        .map(|(key, text)| (key, placeholders(text)))
        .collect()
});

fn placeholders(text: &'static str) -> Vec<&'static str> {
    text.split("{ $").skip(1).filter_map(|rest| rest.split_once(" }")).map(|(name, _)| name).collect()
}

/// JSON that may stand inside a `<script>` element.
pub(crate) fn for_script(page: &Page) -> String {
    let texts: BTreeMap<&str, String> = KEYS
        .iter()
        .map(|(key, names)| {
            let text = names.iter().fold(page.text(key), |text, name| text.arg(name, format!("{{{name}}}")));
            (*key, text.to_string())
        })
        .collect();
    serde_json::to_string(&texts).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found() {
        assert_eq!(placeholders("a { $one } b { $two }"), ["one", "two"]);
        assert!(KEYS.iter().any(|(key, names)| *key == "js-wait-until" && names == &["time"]));
        assert!(KEYS.len() > 60);
    }
}
