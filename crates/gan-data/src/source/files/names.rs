//! What the name of a file tells of it.

use crate::decode;
use crate::source::base_name;

/// Files that are tables about pictures rather than pictures.
const SIDECARS: [&str; 5] = [
    "dataset.json",
    "list_attr_celeba.csv",
    "list_attr_celeba.txt",
    "list_eval_partition.csv",
    "list_eval_partition.txt",
];

/// What a name tells of a file.
pub(super) enum Kind {
    Picture,
    Sidecar,
    /// With the reason why it is not taken.
    Other(&'static str),
    /// With the reason why it is not taken, unless its first bytes are a picture's.
    Unlikely(&'static str),
}

pub(super) fn kind(name: &str) -> Kind {
    let last = base_name(name);
    if SIDECARS.contains(&last) {
        return Kind::Sidecar;
    }
    if decode::has_picture_name(last) {
        return Kind::Picture;
    }
    let extension = last.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "heic" | "heif" | "hif" => Kind::Unlikely("HEIC is not read; convert it to JPEG"),
        "avif" => Kind::Unlikely("AVIF is not read; convert it to JPEG"),
        "jxl" | "jp2" => Kind::Unlikely("JPEG XL and JPEG 2000 are not read; convert it to JPEG"),
        // These begin as TIFF does, with a small picture for viewers.
        "arw" | "cr2" | "cr3" | "dng" | "nef" | "orf" | "pef" | "raf" | "rw2" | "srw" => {
            Kind::Other("a camera's raw file is not read; convert it to JPEG")
        }
        "zip" | "rar" | "7z" | "tar" | "tgz" | "gz" | "xz" | "zst" => {
            Kind::Other("an archive inside; unpack it, or prepare it by itself")
        }
        "txt" | "md" | "csv" | "json" | "xml" | "html" | "pdf" | "mp4" | "mov" | "avi" | "mp3" => {
            Kind::Other("no picture")
        }
        _ => Kind::Unlikely("no picture"),
    }
}

/// The reason why a file that begins with `head` is not taken, where that tells one.
pub(super) fn by_content(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'P', b'K', 3, 4, ..] => Some("an archive inside; unpack it, or prepare it by itself"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..] => {
            Some("HEIC is not read; convert it to JPEG")
        }
        _ => None,
    }
}

/// Files of the operating system and of archivers, not of the user.
pub(super) fn is_hidden(name: &str) -> bool {
    matches!(base_name(name), "Thumbs.db" | "desktop.ini" | "ehthumbs.db")
        || name.split('/').any(|part| {
            let hidden = part.starts_with('.') && !matches!(part, "." | "..");
            hidden || matches!(part, "__MACOSX" | "@eaDir")
        })
}

/// Whether a name in an archive points out of it.
pub(super) fn leads_out(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with('/') || drive || name.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_they_can() {
        assert!(matches!(kind("a/B.JPG"), Kind::Picture));
        assert!(matches!(kind("a.jpg/b"), Kind::Unlikely(_)));
        assert!(matches!(kind("DSC_1.NEF"), Kind::Other(_)));
        assert!(matches!(kind("x/dataset.json"), Kind::Sidecar));
        assert!(matches!(kind("IMG_1.HEIC"), Kind::Unlikely(reason) if reason.contains("JPEG")));
        for name in [".DS_Store", "a/.x.jpg", "__MACOSX/a.jpg", "b/Thumbs.db", ".thumbnails/a.jpg"]
        {
            assert!(is_hidden(name), "{name}");
        }
        for name in ["../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "C:/a.jpg"] {
            assert!(leads_out(name), "{name}");
        }
        assert!(!is_hidden("a/b.jpg") && !leads_out("a..b/c.jpg"));
    }
}
