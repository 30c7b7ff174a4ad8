//! From the bytes of a picture file to pixels: JPEG straight through zune-jpeg, everything else
//! through the `image` crate, told apart by content and not by name.

mod palette_tiff;

use std::cell::Cell;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gan_core::Image;
use image::error::ImageFormatHint;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};
use palette_tiff::PaletteTiff;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Pictures with more pixels are refused: a small file can claim any size.
const MAX_PIXELS: usize = 1 << 27;
/// Nor is one read that takes more bytes when it is decoded.
const MAX_DECODED: u64 = 1 << 29;
/// Of pictures that take more than this, one is decoded at a time, whatever the number of threads.
const LARGE: u64 = 1 << 27;
static ONE_LARGE: Mutex<()> = Mutex::new(());
/// Every whole JPEG has this at its end.
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// Number of the marker before the pixels.
const START_OF_SCAN: u8 = 0xda;
/// Sides of pictures are at most this.
const MAX_SIDE: usize = 1 << 15;

/// Whether bytes begin as a picture file of a kind that [`picture`] reads.
pub(crate) fn is_picture(head: &[u8]) -> bool {
    // The two letters of a BMP begin many a text; four zeros follow its length.
    if head.starts_with(b"BM") && head.get(6..10) != Some(&[0; 4]) {
        return false;
    }
    image::guess_format(head).is_ok_and(|format| format.reading_enabled())
}

/// Decodes a picture, upright as its EXIF orientation says: gray stays gray, everything else is RGB
/// (palettes and CMYK are converted, 16 bits become 8, what is transparent lies on white). Of several
/// pictures in a file the first one is taken. The error is a reason.
pub(crate) fn picture(bytes: &[u8]) -> Result<Image, String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    // Decoders of foreign bytes have been seen to panic; one picture must not end a preparation.
    let decoded = expecting_panics(|| match bytes {
        [0xff, 0xd8, 0xff, ..] => jpeg(bytes),
        _ => other(bytes),
    });
    let decoded = decoded.unwrap_or_else(|| Err("the decoder failed on it".into()));
    // Decoders have been seen to answer in several lines; a reason is part of one.
    decoded.map_err(|reason| reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

thread_local! {
    static EXPECTING_PANICS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs a foreign decoder, whose panics are caught and end as a reason. A program's panic
/// hook can ask, so that it says nothing of them.
pub fn panics_are_expected() -> bool {
    EXPECTING_PANICS.get()
}

/// Runs a foreign decoder; `None` where it panicked.
pub(crate) fn expecting_panics<T>(run: impl FnOnce() -> T) -> Option<T> {
    let before = EXPECTING_PANICS.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    EXPECTING_PANICS.set(before);
    result.ok()
}

/// Whether a name ends as those of the picture files that [`picture`] reads.
pub(crate) fn has_picture_name(name: &str) -> bool {
    const EXTENSIONS: [&str; 10] =
        ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff"];
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Held while a picture of so many decoded bytes is in memory.
fn room_for(bytes: u64) -> Result<Option<MutexGuard<'static, ()>>, String> {
    if bytes > MAX_DECODED {
        return Err(format!("{bytes} bytes of pixels are more than we take"));
    }
    // What a panicking decoder leaves behind here is nothing.
    let lock = || ONE_LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((bytes > LARGE).then(lock))
}

fn jpeg(bytes: &[u8]) -> Result<Image, String> {
    // The decoder fills what is missing with gray; a file that was cut in its last rows shows by this alone.
    if !bytes.windows(2).rev().any(|pair| pair == END_OF_IMAGE) {
        return Err("the file is cut short: it has no end-of-image marker".into());
    }
    // Nor does it mind that there are no pixels at all.
    if is_header_alone(bytes) {
        return Err("the file has a header and no pixels".into());
    }
    jpeg_as(bytes, true).or_else(|reason| match reason.trim_matches('"') {
        reason if reason.contains("header `DAC`") => Err("arithmetic coding is not read".into()),
        // Strictly an error, but harmless, and some cameras write it; other decoders only warn.
        reason if reason.contains("Extra bytes between headers") => jpeg_as(bytes, false),
        reason => Err(reason.into()),
    })
}

/// Whether the end of the image follows its header. Walks from segment to segment; a file that is not built
/// so is left to the decoder.
fn is_header_alone(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN {
            return bytes.get(at..).is_some_and(|scan| scan.starts_with(&END_OF_IMAGE));
        }
    }
    bytes.get(at..).is_some_and(|rest| rest.starts_with(&END_OF_IMAGE))
}

fn jpeg_as(bytes: &[u8], strict: bool) -> Result<Image, String> {
    let options = DecoderOptions::default()
        .set_strict_mode(strict)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| e.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("no size in the header")?;
    check_pixels(width, height)?;
    let gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (out, channels) = if gray { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    let _room = room_for((width * height * channels) as u64)?;
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    let pixels = decoder.decode().map_err(|e| e.to_string())?;
    let turned = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let image = Image::new(width, height, channels, pixels).map_err(|e| e.to_string())?;
    match turned {
        None | Some(Orientation::NoTransforms) => Ok(image),
        Some(orientation) => upright(&image, orientation),
    }
}

fn other(bytes: &[u8]) -> Result<Image, String> {
    let Some(tiff) = PaletteTiff::parse(bytes) else { return from_dynamic(decoded(bytes)?) };
    let indices = decoded(&tiff.gray)?.into_luma8();
    let (width, height) = (indices.width() as usize, indices.height() as usize);
    Image::new(width, height, 3, tiff.colored(indices.as_raw())).map_err(|e| e.to_string())
}

fn decoded(bytes: &[u8]) -> Result<DynamicImage, String> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut decoder = reader.map_err(|e| e.to_string())?.into_decoder().map_err(|e| match e {
        ImageError::Unsupported(e) if e.format_hint() != ImageFormatHint::Unknown => {
            format!("a kind that is not read: {e}")
        }
        _ => "no picture of a known kind".to_string(),
    })?;
    let (width, height) = decoder.dimensions();
    check_pixels(width as usize, height as usize)?;
    let _room = room_for(decoder.total_bytes())?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|e| e.to_string())?;
    decoded.apply_orientation(orientation);
    Ok(decoded)
}

fn check_pixels(width: usize, height: usize) -> Result<(), String> {
    match width.checked_mul(height) {
        Some(0) => Err("a picture without pixels".into()),
        Some(pixels) if pixels <= MAX_PIXELS && width.max(height) <= MAX_SIDE => Ok(()),
        _ => Err(format!("{width}×{height} pixels are more than we take")),
    }
}

/// Turns a picture as a camera held sideways asks for.
fn upright(image: &Image, orientation: Orientation) -> Result<Image, String> {
    let (width, height, pixels) = (image.width() as u32, image.height() as u32, image.pixels());
    let same = "as many pixels as before";
    let mut turned = match image.channels() {
        1 => image::GrayImage::from_raw(width, height, pixels.to_vec()).expect(same).into(),
        _ => DynamicImage::from(
            image::RgbImage::from_raw(width, height, pixels.to_vec()).expect(same),
        ),
    };
    turned.apply_orientation(orientation);
    from_dynamic(turned)
}

fn from_dynamic(decoded: DynamicImage) -> Result<Image, String> {
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let color = decoded.color();
    let (channels, pixels) = match (color.has_color(), color.has_alpha()) {
        (false, false) => (1, decoded.into_luma8().into_raw()),
        (true, false) => (3, decoded.into_rgb8().into_raw()),
        (false, true) => (1, on_white::<2>(&decoded.into_luma_alpha8().into_raw())),
        (true, true) => (3, on_white::<4>(&decoded.into_rgba8().into_raw())),
    };
    Image::new(width, height, channels, pixels).map_err(|e| e.to_string())
}

/// Lays pixels of `N` values, the last one their opacity, over white. What hides under a transparent pixel
/// is arbitrary.
fn on_white<const N: usize>(pixels: &[u8]) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<N>();
    let over = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    pixels.iter().flat_map(|pixel| pixel[..N - 1].iter().map(|v| over(*v, pixel[N - 1]))).collect()
}
