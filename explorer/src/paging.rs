//! Lists cut by keys: `?after=123-4` goes on after the log or transaction 4 of block 123.

use kopilka_store::chain::query::Position;
use serde::Deserialize;

/// Rows on a page.
pub(crate) const PAGE: usize = 25;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct After {
    after: Option<String>,
}

impl After {
    /// The place after which the list goes on; the newest without one, and for what is malformed.
    pub(crate) fn position(&self) -> Position {
        self.after.as_deref().and_then(parse).unwrap_or(Position::NEWEST)
    }

    /// The same as a bare number.
    pub(crate) fn number(&self) -> Option<u64> {
        self.after.as_deref()?.parse().ok()
    }

    /// The text.
    pub(crate) fn text(&self) -> Option<&str> {
        self.after.as_deref()
    }

    pub(crate) fn is_first(&self) -> bool {
        self.after.is_none()
    }
}

fn parse(text: &str) -> Option<Position> {
    let (block, index) = text.split_once('-')?;
    Some(Position { block: block.parse().ok()?, index: index.parse().ok()? })
}

pub(crate) fn to_text(position: Position) -> String {
    format!("{}-{}", position.block, position.index)
}

/// One page of a list for which one row more than a page was fetched: the row more tells that there is a next page.
pub(crate) fn cut<T>(rows: &mut Vec<T>, key: impl Fn(&T) -> String) -> Option<String> {
    if rows.len() <= PAGE {
        return None;
    }
    rows.truncate(PAGE);
    rows.last().map(key)
}

/// Rows to fetch for a page.
pub(crate) const FETCH: i64 = PAGE as i64 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_after_the_last_row() {
        let mut rows: Vec<usize> = (0..=PAGE).collect();
        assert_eq!(cut(&mut rows, |row| row.to_string()), Some((PAGE - 1).to_string()));
        assert_eq!(rows.len(), PAGE);
        assert_eq!(cut(&mut rows, |row| row.to_string()), None);
        let after = After { after: Some("12-3".to_owned()) };
        assert_eq!(after.position(), Position { block: 12, index: 3 });
        assert_eq!(After { after: Some("x".to_owned()) }.position(), Position::NEWEST);
    }
}
