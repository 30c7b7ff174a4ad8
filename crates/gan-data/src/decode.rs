//! From the bytes of a picture file to pixels: JPEG straight through zune-jpeg, everything else
//! through the `image` crate, told apart by content and not by name.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gan_core::Image;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Pictures with more pixels are refused: a small file can claim any size.
const MAX_PIXELS: usize = 1 << 27;
/// Every whole JPEG has this at its end.
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// Sides of pictures are at most this.
const MAX_SIDE: usize = 1 << 15;

/// Whether bytes begin as a picture file of a kind that [`picture`] reads.
pub(crate) fn is_picture(head: &[u8]) -> bool {
    image::guess_format(head).is_ok_and(|format| format.reading_enabled())
}

/// Decodes a picture, upright as its EXIF orientation says: gray stays gray, everything else is RGB
/// (alpha is dropped, palettes and CMYK are converted, 16 bits become 8). The error is a reason.
pub(crate) fn picture(bytes: &[u8]) -> Result<Image, String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    // Decoders of foreign bytes have been seen to panic; one picture must not end a preparation.
    let decoded = catch_unwind(AssertUnwindSafe(|| match bytes {
        [0xff, 0xd8, 0xff, ..] => jpeg(bytes),
        _ => other(bytes),
    }));
    decoded.unwrap_or_else(|_| Err("the decoder failed on it".into()))
}

fn jpeg(bytes: &[u8]) -> Result<Image, String> {
    // The decoder fills what is missing with gray; a file that was cut in its last rows shows by this alone.
    if !bytes.windows(2).rev().any(|pair| pair == END_OF_IMAGE) {
        return Err("the file is cut short: it has no end-of-image marker".into());
    }
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| e.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("no size in the header")?;
    check_pixels(width, height)?;
    let gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (out, channels) = if gray { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
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
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut decoder = reader
        .map_err(|e| e.to_string())?
        .into_decoder()
        .map_err(|_| "no picture of a known kind".to_string())?;
    let (width, height) = decoder.dimensions();
    check_pixels(width as usize, height as usize)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|e| e.to_string())?;
    decoded.apply_orientation(orientation);
    from_dynamic(decoded)
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
    let gray = !decoded.color().has_color();
    let image = if gray {
        Image::new(width, height, 1, decoded.into_luma8().into_raw())
    } else {
        Image::new(width, height, 3, decoded.into_rgb8().into_raw())
    };
    image.map_err(|e| e.to_string())
}
