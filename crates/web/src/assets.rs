//! Static files: the style sheet and the icon are part of the program, scripts come from the folder into which
//! `npm run build` writes them. All are read once at start and served under names that hold the hash of their content.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::error::WebError;

/// Where the files are served.
pub const PREFIX: &str = "/assets";

/// Why static files cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// The folder is missing or unreadable.
    #[error(
        "the folder of scripts {path} cannot be read: run `npm run build`, or name the right folder in the configuration"
    )]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that the site needs is not there.
    #[error("the folder of scripts has no {name}: run `npm run build`")]
    Missing {
        /// Its name.
        name: String,
    },
}

#[derive(Debug)]
struct Asset {
    content: Bytes,
    kind: &'static str,
    tag: String,
}

/// The files of a site.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// By plain name.
    files: Arc<HashMap<String, Asset>>,
}

impl Assets {
    /// The files of this crate alone: pages then have style but no scripts.
    pub fn embedded() -> Self {
        let mut files = HashMap::new();
        add(&mut files, "site.css", Bytes::from_static(include_bytes!("../assets/site.css")));
        add(&mut files, "icon.svg", Bytes::from_static(include_bytes!("../assets/icon.svg")));
        Self { files: Arc::new(files) }
    }

    /// The files of this crate and those of a folder, including its subfolders.
    ///
    /// # Errors
    /// [`AssetsError::Unreadable`].
    pub fn load(dir: &Path) -> Result<Self, AssetsError> {
        let mut files = HashMap::new();
        let mut pending = vec![dir.to_owned()];
        while let Some(path) = pending.pop() {
            let unreadable = |source| AssetsError::Unreadable { path: path.clone(), source };
            for entry in std::fs::read_dir(&path).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                if path.is_dir() {
                    pending.push(path);
                    continue;
                }
                let Some(name) = path.strip_prefix(dir).ok().and_then(Path::to_str) else {
                    continue;
                };
                let content = std::fs::read(&path).map_err(unreadable)?;
                add(&mut files, name, Bytes::from(content));
            }
        }
        for (name, content) in [
            ("site.css", &include_bytes!("../assets/site.css")[..]),
            ("icon.svg", include_bytes!("../assets/icon.svg")),
        ] {
            add(&mut files, name, Bytes::from_static(content));
        }
        Ok(Self { files: Arc::new(files) })
    }

    /// Checks at start that the site has what its pages name.
    ///
    /// # Errors
    /// [`AssetsError::Missing`] names the first missing file.
    pub fn require(&self, names: &[&str]) -> Result<(), AssetsError> {
        match names.iter().find(|name| !self.files.contains_key(**name)) {
            Some(name) => Err(AssetsError::Missing { name: (*name).to_owned() }),
            None => Ok(()),
        }
    }

    /// URL of a file, its hash in the name; the plain name if there is no such file.
    pub fn url(&self, name: &str) -> String {
        match (self.files.get(name), name.rsplit_once('.')) {
            (Some(asset), Some((stem, extension))) => {
                format!("{PREFIX}/{stem}.{}.{extension}", asset.tag)
            }
            _ => format!("{PREFIX}/{name}"),
        }
    }

    /// Finds a file by its plain name or by the name with its hash; the flag says which.
    fn find(&self, name: &str) -> Option<(&Asset, bool)> {
        if let Some(asset) = self.files.get(name) {
            return Some((asset, false));
        }
        let (stem, extension) = name.rsplit_once('.')?;
        let (stem, tag) = stem.rsplit_once('.')?;
        let asset = self.files.get(&format!("{stem}.{extension}"))?;
        (asset.tag == tag).then_some((asset, true))
    }
}

fn add(files: &mut HashMap<String, Asset>, name: &str, content: Bytes) {
    let hash = Sha256::digest(&content);
    let tag = hex::encode(&hash[..6]);
    files.insert(name.to_owned(), Asset { content, kind: content_type(name), tag });
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `GET /assets/{name}`.
pub(crate) async fn serve(
    Extension(assets): Extension<Assets>,
    axum::extract::Path(name): axum::extract::Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some((asset, hashed)) = assets.find(&name) else {
        return WebError::not_found("error-page-missing").into_response();
    };
    let tag = format!("\"{}\"", asset.tag);
    let caching = if hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let head = [
        (header::CONTENT_TYPE, asset.kind.to_owned()),
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::ETAG, tag),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, Body::from(asset.content.clone())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_the_hash() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("chunks")).unwrap();
        std::fs::write(dir.path().join("app.js"), "1").unwrap();
        std::fs::write(dir.path().join("chunks/a.js"), "2").unwrap();
        let assets = Assets::load(dir.path()).unwrap();
        assert!(assets.require(&["app.js", "chunks/a.js", "site.css"]).is_ok());
        let error = assets.require(&["app.js", "other.js"]).unwrap_err().to_string();
        assert!(error.contains("other.js") && error.contains("npm run build"), "{error}");
        let url = assets.url("app.js");
        assert!(matches!(assets.find(url.strip_prefix("/assets/").unwrap()), Some((_, true))), "{url}");
        assert!(matches!(assets.find("app.js"), Some((_, false))));
        assert!(assets.find("app.000000000000.js").is_none());
        let error = Assets::load(&dir.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("none"), "{error}");
    }
}
