//! What the name of a file tells of it.

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
    Unknown,
}

pub(super) fn kind(name: &str) -> Kind {
    let last = name.rsplit('/').next().unwrap_or(name);
    if SIDECARS.contains(&last) {
        return Kind::Sidecar;
    }
    let extension = last.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "webp" | "bmp" | "gif" | "tif" | "tiff" => {
            Kind::Picture
        }
        "heic" | "heif" | "hif" => Kind::Other("HEIC is not read; convert it to JPEG"),
        "avif" => Kind::Other("AVIF is not read; convert it to JPEG"),
        "jxl" | "jp2" => Kind::Other("JPEG XL and JPEG 2000 are not read; convert it to JPEG"),
        "zip" | "rar" | "7z" | "tar" | "tgz" | "gz" | "xz" | "zst" => {
            Kind::Other("an archive inside; unpack it, or prepare it by itself")
        }
        "txt" | "md" | "csv" | "json" | "xml" | "html" | "pdf" | "mp4" | "mov" | "avi" | "mp3" => {
            Kind::Other("no picture")
        }
        _ => Kind::Unknown,
    }
}

/// The reason why a file that begins with `head` is not taken.
pub(super) fn by_content(head: &[u8]) -> &'static str {
    match head {
        [b'P', b'K', 3, 4, ..] => "an archive inside; unpack it, or prepare it by itself",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..] => {
            "HEIC is not read; convert it to JPEG"
        }
        _ => "no picture",
    }
}

/// Files of the operating system and of archivers, not of the user.
pub(super) fn is_hidden(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    matches!(last, "Thumbs.db" | "desktop.ini" | "ehthumbs.db")
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
        assert!(matches!(kind("a.jpg/b"), Kind::Unknown));
        assert!(matches!(kind("x/dataset.json"), Kind::Sidecar));
        assert!(matches!(kind("IMG_1.HEIC"), Kind::Other(reason) if reason.contains("JPEG")));
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
