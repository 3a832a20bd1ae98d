//! Headers that tell the browser what a page may do: almost nothing.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What pages may load and where forms may lead besides the site itself.
#[derive(Debug, Clone, Default)]
pub struct ContentPolicy {
    /// Origins that scripts may call, for instance the relayer's.
    pub connect: Vec<String>,
    /// Origins to which a form may lead, also by redirects, for instance ESIA's.
    pub form_action: Vec<String>,
    /// Whether scripts may compile WebAssembly.
    pub wasm: bool,
}

impl ContentPolicy {
    fn header(&self, nonce: &str) -> String {
        let connect: String = self.connect.iter().map(|origin| format!(" {origin}")).collect();
        let form_action: String = self.form_action.iter().map(|origin| format!(" {origin}")).collect();
        let wasm = if self.wasm { " 'wasm-unsafe-eval'" } else { "" };
        format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}'{wasm}; style-src 'self'; img-src 'self' data: blob:; \
             font-src 'self'; connect-src 'self'{connect}; worker-src 'self' blob:; manifest-src 'self'; \
             form-action 'self'{form_action}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
        )
    }
}

/// Adds what is missing; a handler may set its own values before.
pub(crate) fn add_headers(headers: &mut HeaderMap, policy: &ContentPolicy, nonce: &str, secure: bool, is_html: bool) {
    let mut add = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    if let Ok(policy) = HeaderValue::from_str(&policy.header(nonce)) {
        add(header::CONTENT_SECURITY_POLICY, policy);
    }
    add(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    add(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    add(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    add(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    add(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    );
    if secure {
        add(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    if is_html {
        add(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("cookie, accept-language"));
    }
}
