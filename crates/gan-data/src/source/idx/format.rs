//! The idx format: a magic number with type and number of dimensions, the dimensions as big-endian u32,
//! then the values; here always u8. Often gzipped.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// Files claim their size in the header, and are held in memory; more than this is refused. EMNIST's largest
/// file has 550 MB.
pub(super) const MAX_BYTES: usize = 1 << 31;
/// Neither more pictures are read: what is kept of one is longer than a picture of one pixel.
const MAX_PICTURES: usize = 100_000_000;

/// One parsed file.
#[derive(Debug)]
pub(crate) struct Idx {
    /// Numbers of values in each dimension.
    pub(crate) dims: Vec<usize>,
    bytes: Vec<u8>,
    start: usize,
}

impl Idx {
    /// Takes a file of u8 in `n_dims` dimensions apart, plain or gzipped; the error is what was
    /// expected and what was found.
    pub(crate) fn parse(bytes: Vec<u8>, n_dims: usize) -> Result<Self, (String, String)> {
        let header_len = 4 + 4 * n_dims;
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            let dims = Self::dims(&bytes, n_dims)?;
            let found = bytes.len() - header_len;
            return Self { dims, bytes, start: header_len }.checked(found);
        }
        let unreadable = |e: std::io::Error| ("a whole idx file".to_string(), e.to_string());
        let mut unpacked = MultiGzDecoder::new(bytes.as_slice());
        let mut header = Vec::new();
        unpacked.by_ref().take(header_len as u64).read_to_end(&mut header).map_err(unreadable)?;
        let dims = Self::dims(&header, n_dims)?;
        // One byte more than there should be shows that there are more.
        let size = dims.iter().product::<usize>() as u64;
        let mut body = Vec::new();
        unpacked.take(size + 1).read_to_end(&mut body).map_err(unreadable)?;
        let found = body.len();
        Self { dims, bytes: body, start: 0 }.checked(found)
    }

    fn dims(header: &[u8], n_dims: usize) -> Result<Vec<usize>, (String, String)> {
        let what = format!("an idx header of u8 in {n_dims} dimensions");
        if header.len() < 4 + 4 * n_dims || header[..4] != [0, 0, 8, n_dims as u8] {
            let start: Vec<String> = header.iter().take(4).map(|b| format!("{b:02x}")).collect();
            return Err((what, format!("a start of [{}]", start.join(" "))));
        }
        let (words, _) = header[4..4 + 4 * n_dims].as_chunks::<4>();
        let dims: Vec<usize> = words.iter().map(|w| u32::from_be_bytes(*w) as usize).collect();
        let size = dims.iter().try_fold(1usize, |size, d| size.checked_mul(*d));
        let fits = size.is_some_and(|size| size <= MAX_BYTES) && dims[0] <= MAX_PICTURES;
        if !fits || dims[1..].contains(&0) {
            return Err((what, format!("dimensions {dims:?}")));
        }
        Ok(dims)
    }

    fn checked(self, found: usize) -> Result<Self, (String, String)> {
        let size: usize = self.dims.iter().product();
        match found.cmp(&size) {
            std::cmp::Ordering::Equal => Ok(self),
            std::cmp::Ordering::Less => {
                Err((format!("{size} bytes after the header"), found.to_string()))
            }
            std::cmp::Ordering::Greater => {
                Err((format!("{size} bytes after the header"), "more".into()))
            }
        }
    }

    /// The values, row by row.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_named_with_what_is_wrong() {
        let good = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6];
        assert_eq!(Idx::parse(good.to_vec(), 3).expect("well formed").body(), [5, 6]);
        let check = |bytes: &[u8], part: &str| {
            let (expected, found) = Idx::parse(bytes.to_vec(), 3).expect_err("malformed");
            assert!(format!("{expected}, {found}").contains(part), "{expected}, {found}");
        };
        check(&[], "start of []");
        check(&good[..9], "start of [00 00 08 03]");
        check(&good[..17], "2 bytes after the header, 1");
        check(&[&good[..], &[7]].concat(), "more");
        check(&[&[0, 0, 8, 1], &good[4..]].concat(), "start of [00 00 08 01]");
        check(&[&[0, 0, 8, 3], &[255; 12][..]].concat(), "dimensions");
        check(&[0x1f, 0x8b, 8, 0], "a whole idx file");
    }
}
