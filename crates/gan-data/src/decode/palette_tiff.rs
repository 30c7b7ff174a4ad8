//! TIFF with a palette, which the `image` crate does not read: the file is read as if its indices were gray
//! levels, and these are looked up in the palette afterwards (TIFF 6.0, sections 3 and 5).

/// Tags of the fields that are looked at.
const BITS_PER_SAMPLE: u16 = 258;
const INTERPRETATION: u16 = 262;
const COLOR_MAP: u16 = 320;
/// Values of [`INTERPRETATION`].
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u16 = 3;

/// A file with 8-bit indices and a palette, taken apart.
pub(super) struct PaletteTiff {
    /// The same file, said to be gray.
    pub(super) gray: Vec<u8>,
    colors: Vec<[u8; 3]>,
}

impl PaletteTiff {
    /// Takes a file apart; `None` where it is no such file.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let words = Words::of(bytes)?;
        let fields = words.u32(4)? as usize;
        let count = words.u16(fields)?;
        let field = |tag: u16| {
            let places = (0..usize::from(count)).map(|i| fields + 2 + 12 * i);
            places.into_iter().find(|at| words.u16(*at) == Some(tag))
        };
        let interpretation = field(INTERPRETATION)? + 8;
        let is_palette = words.u16(interpretation)? == PALETTE;
        if !is_palette || words.u16(field(BITS_PER_SAMPLE)? + 8)? != 8 {
            return None;
        }
        let map = words.u32(field(COLOR_MAP)? + 8)? as usize;
        // All red values come first, then the green and blue ones, of 16 bits each.
        let value = |channel: usize, i: usize| {
            let at = map.checked_add(2 * (256 * channel + i))?;
            Some((words.u16(at)? >> 8) as u8)
        };
        let color = |i| Some([value(0, i)?, value(1, i)?, value(2, i)?]);
        let colors = (0..256).map(color).collect::<Option<_>>()?;
        let mut gray = bytes.to_vec();
        gray[interpretation..][..2].copy_from_slice(&words.encode(BLACK_IS_ZERO));
        Some(Self { gray, colors })
    }

    /// Indices to RGB.
    pub(super) fn colored(&self, indices: &[u8]) -> Vec<u8> {
        indices.iter().flat_map(|i| self.colors[usize::from(*i)]).collect()
    }
}

/// Numbers in a file of either byte order.
struct Words<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Words<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        match bytes {
            [b'I', b'I', 42, 0, ..] => Some(Self { bytes, big_endian: false }),
            [b'M', b'M', 0, 42, ..] => Some(Self { bytes, big_endian: true }),
            _ => None,
        }
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let word = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let word = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }

    fn encode(&self, word: u16) -> [u8; 2] {
        if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields at 8, a palette behind them; index i has the color (i, 255 − i, 7).
    fn file(big_endian: bool, bits: u16, map: u32) -> Vec<u8> {
        let w = |word: u16| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        let d = |word: u32| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        let mut bytes = if big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        bytes.extend([&d(8)[..], &w(3)].concat());
        for (tag, short) in [(BITS_PER_SAMPLE, bits), (INTERPRETATION, PALETTE)] {
            bytes.extend([&w(tag)[..], &w(3), &d(1), &w(short), &w(0)].concat());
        }
        bytes.extend([&w(COLOR_MAP)[..], &w(3), &d(768), &d(map)].concat());
        assert_eq!(bytes.len(), 46);
        let channels: [fn(u16) -> u16; 3] = [|i| i << 8, |i| (255 - i) << 8, |_| 7 << 8];
        channels.iter().for_each(|channel| (0..256).for_each(|i| bytes.extend(w(channel(i)))));
        bytes
    }

    #[test]
    fn indices_become_colors_in_either_byte_order() {
        for big_endian in [false, true] {
            let bytes = file(big_endian, 8, 46);
            let tiff = PaletteTiff::parse(&bytes).expect("a palette");
            assert_eq!(tiff.colored(&[0, 200]), [0, 255, 7, 200, 55, 7]);
            assert_eq!(tiff.gray.len(), bytes.len());
            assert!(PaletteTiff::parse(&tiff.gray).is_none(), "it is gray now");
            for cut in 0..bytes.len() {
                assert!(PaletteTiff::parse(&bytes[..cut]).is_none(), "cut at {cut}");
            }
            assert!(PaletteTiff::parse(&file(big_endian, 4, 46)).is_none());
            assert!(PaletteTiff::parse(&file(big_endian, 8, u32::MAX)).is_none());
        }
    }
}
