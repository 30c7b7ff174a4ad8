//! Animations: GIF with one palette for all frames, so that still parts do not flicker.

use std::path::Path;

use gif::{Encoder, Frame, Repeat};
use quantette::{ImageBuf, Pipeline, deps::palette::Srgb};

use crate::error::{Error, Result};
use crate::file::write_atomic;
use crate::image::Image;

/// Time a frame is shown, in hundredths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay(pub u16);

/// How often longer the last frame of a walk stays, so that one sees where it ends.
const HELD: u16 = 5;

/// Writes frames of one size that are shown again and again; the last frame stays five times as long.
///
/// # Errors
/// If there is no frame, their sizes differ, or the file cannot be written.
pub fn write_gif(path: &Path, frames: &[Image], delay: Delay) -> Result<()> {
    write(path, frames, delay, HELD)
}

/// Writes frames of one size as a loop without a beginning: the last one stays as long as all others and continues into
/// the first.
///
/// # Errors
/// As [`write_gif`].
pub fn write_loop(path: &Path, frames: &[Image], delay: Delay) -> Result<()> {
    write(path, frames, delay, 1)
}

fn write(path: &Path, frames: &[Image], delay: Delay, held: u16) -> Result<()> {
    let Some(first) = frames.first() else {
        return Err(Error::Shape { expected: "at least one frame".into(), got: "none".into() });
    };
    let size = (first.width(), first.height());
    if let Some(odd) = frames.iter().find(|f| (f.width(), f.height()) != size) {
        return Err(Error::Shape {
            expected: format!("{first:?}, as the first frame"),
            got: format!("{odd:?}"),
        });
    }
    let picture = |reason: String| Error::Picture { path: path.into(), reason };
    let (Ok(width), Ok(height)) = (u16::try_from(size.0), u16::try_from(size.1)) else {
        return Err(picture(format!("{}×{} is too large for a GIF", size.0, size.1)));
    };
    let (palette, indices) = index_colors(frames).map_err(picture)?;
    write_atomic(path, |file| {
        let encode = |e: gif::EncodingError| picture(e.to_string());
        let mut encoder = Encoder::new(file, width, height, &palette).map_err(encode)?;
        encoder.set_repeat(Repeat::Infinite).map_err(encode)?;
        let frame_pixels = size.0 * size.1;
        for (i, pixels) in indices.chunks_exact(frame_pixels).enumerate() {
            let hold = if i + 1 == frames.len() { held } else { 1 };
            let mut frame = Frame::from_indexed_pixels(width, height, pixels, None);
            frame.delay = delay.0.saturating_mul(hold);
            encoder.write_frame(&frame).map_err(encode)?;
        }
        Ok(())
    })
}

/// One palette of at most 256 RGB colors, and each pixel of all frames as an index into it.
fn index_colors(frames: &[Image]) -> Result<(Vec<u8>, Vec<u8>), String> {
    if frames.iter().all(|frame| frame.channels() == 1) {
        let palette = (0..=255u8).flat_map(|v| [v, v, v]).collect();
        return Ok((palette, frames.iter().flat_map(|f| f.pixels().to_vec()).collect()));
    }
    let colors: Vec<Srgb<u8>> = frames
        .iter()
        .flat_map(|frame| {
            let rgb = frame.to_rgb();
            rgb.pixels().chunks_exact(3).map(|p| Srgb::new(p[0], p[1], p[2])).collect::<Vec<_>>()
        })
        .collect();
    let (width, height) = (frames[0].width(), frames[0].height() * frames.len());
    let tall = ImageBuf::new(width as u32, height as u32, colors).map_err(|e| e.to_string())?;
    // Without dithering: its noise differs from frame to frame and would shimmer.
    let indexed =
        Pipeline::new().ditherer(None).input_image(tall.as_ref()).output_srgb8_indexed_image();
    let palette = indexed.palette().iter().flat_map(|c| [c.red, c.green, c.blue]).collect();
    Ok((palette, indexed.indices().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(path: &Path) -> (Vec<Image>, bool) {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder =
            options.read_info(std::fs::File::open(path).expect("it was written")).expect("a GIF");
        let mut frames = Vec::new();
        let mut local = false;
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            local |= frame.palette.is_some();
            let rgb = frame.buffer.chunks(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
            let (w, h) = (usize::from(frame.width), usize::from(frame.height));
            frames.push(Image::new(w, h, 3, rgb).expect("sizes agree"));
        }
        (frames, local)
    }

    #[test]
    fn few_colors_survive_exactly() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.gif");
        let frames = [[200, 30, 10], [10, 120, 240], [0, 0, 0]]
            .iter()
            .map(|color| Image::filled(8, 6, color))
            .collect::<Result<Vec<_>>>()?;
        write_gif(&path, &frames, Delay(10))?;
        let (decoded, local_palette) = decode(&path);
        assert!(!local_palette, "one global palette");
        assert_eq!(decoded, frames);
        Ok(())
    }

    #[test]
    fn a_loop_holds_no_frame_and_a_walk_its_last() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.gif");
        let frames = [Image::filled(4, 4, &[0])?, Image::filled(4, 4, &[200])?];
        let delays = |path: &Path| {
            let file = std::fs::File::open(path).expect("it was written");
            let mut decoder = gif::DecodeOptions::new().read_info(file).expect("a GIF");
            let mut next = || decoder.read_next_frame().expect("a frame").map(|f| f.delay);
            [next(), next(), next()]
        };
        write_loop(&path, &frames, Delay(8))?;
        assert_eq!(delays(&path), [Some(8), Some(8), None]);
        write_gif(&path, &frames, Delay(8))?;
        assert_eq!(delays(&path), [Some(8), Some(40), None]);
        Ok(())
    }

    #[test]
    fn gray_frames_keep_every_level() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.gif");
        let frame = Image::new(16, 16, 1, (0..=255).collect())?;
        write_gif(&path, std::slice::from_ref(&frame), Delay(5))?;
        assert_eq!(decode(&path).0, [frame.to_rgb()]);
        Ok(())
    }

    #[test]
    fn frames_of_different_sizes_are_refused() -> Result<()> {
        let frames = [Image::filled(8, 6, &[0])?, Image::filled(8, 7, &[0])?];
        assert!(write_gif(Path::new("never.gif"), &frames, Delay(5)).is_err());
        Ok(())
    }
}
