//! The certificate, as one PEM file and as ESIA's `esia.zip`.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::oauth::ServerState;

/// `GET /public/esia.pem` (the stand-in's own convenience).
pub(super) async fn pem(State(shared): ServerState) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-pem-file")];
    (kind, shared.signer.certificate_pem().to_owned()).into_response()
}

/// `GET /public/esia.zip`
pub(super) async fn zip(State(shared): ServerState) -> Response {
    let pem = shared.signer.certificate_pem();
    let hash = hex::encode(digest(&SHA256, pem.as_bytes()));
    let readme = format!(
        "Учебный стенд, не Госуслуги. Сертификат создан при запуске и пропадёт вместе со стендом.\nSHA-256 файла: {hash}\n"
    );
    let files = [("esia-standin_rsa.cer", pem.as_bytes()), ("README.txt", readme.as_bytes())];
    let kind = [(header::CONTENT_TYPE, "application/zip")];
    (kind, store(&files)).into_response()
}

/// A ZIP archive of small files, stored without compression (APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12, 4.3.16).
fn store(files: &[(&str, &[u8])]) -> Vec<u8> {
    // Version 2.0, UTF-8 names, method "stored", 1 January 1980.
    const COMMON: [u8; 10] = [20, 0, 0, 0x08, 0, 0, 0, 0, 0x21, 0];
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let offset = archive.len() as u32;
        let mut sizes = crc32(content).to_le_bytes().to_vec();
        sizes.extend((content.len() as u32).to_le_bytes());
        sizes.extend((content.len() as u32).to_le_bytes());
        sizes.extend((name.len() as u16).to_le_bytes());
        sizes.extend(0u16.to_le_bytes());

        archive.extend(b"PK\x03\x04");
        archive.extend(COMMON);
        archive.extend(&sizes);
        archive.extend(name.as_bytes());
        archive.extend(*content);

        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(COMMON);
        directory.extend(&sizes);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = archive.len() as u32;
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00");
    archive.extend((files.len() as u16).to_le_bytes());
    archive.extend((files.len() as u16).to_le_bytes());
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend(0u16.to_le_bytes());
    archive
}

/// CRC-32 (IEEE 802.3), bit by bit: the files are small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_sums_as_everybody() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
