//! QR symbols in a picture.

use std::io::Cursor;

use rqrr::PreparedImage;
use zeroize::Zeroizing;
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::Code;
use crate::record::Record;

/// A symbol that was found.
pub(crate) struct Found {
    /// What is in it, or why it cannot be read.
    pub(crate) bytes: Result<Code, String>,
    /// What the symbol itself is.
    pub(crate) symbol: Record,
}

/// Whether these are the first bytes of a picture that can be read.
pub(crate) fn is_picture(bytes: &[u8]) -> bool {
    is_png(bytes) || is_jpeg(bytes)
}

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
}

fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff")
}

/// All symbols in the picture, at least one.
pub(crate) fn codes(bytes: &[u8]) -> Result<Vec<Found>, String> {
    let picture = if is_png(bytes) { png(bytes)? } else { jpeg(bytes)? };
    let light = |x: usize, y: usize| picture.light.get(y * picture.width + x).copied().unwrap_or(0xff);
    let mut prepared = PreparedImage::prepare_from_greyscale(picture.width, picture.height, light);
    let found: Vec<_> = prepared
        .detect_grids()
        .iter()
        .map(|grid| {
            let mut bytes = Zeroizing::new(Vec::with_capacity(rqrr::MAX_PAYLOAD_SIZE));
            match grid.decode_to(&mut *bytes) {
                Ok(meta) => Found {
                    bytes: Ok(bytes),
                    symbol: Record::new()
                        .with("symbol_version", meta.version.0)
                        .with("symbol_modules", meta.version.to_size())
                        .with(
                            "error_correction",
                            LEVELS.get(usize::from(meta.ecc_level)).copied().unwrap_or("?"),
                        ),
                },
                Err(error) => Found {
                    bytes: Err(format!("a QR symbol that cannot be read: {error}")),
                    symbol: Record::new(),
                },
            }
        })
        .collect();
    if found.is_empty() { Err("no QR symbol in this picture".to_owned()) } else { Ok(found) }
}

/// By their two bits in the symbol.
const LEVELS: [&str; 4] = ["M", "L", "H", "Q"];

/// How light each pixel is, line by line.
struct Picture {
    width: usize,
    height: usize,
    light: Vec<u8>,
}

fn png(bytes: &[u8]) -> Result<Picture, String> {
    let why = |error: png::DecodingError| format!("not a PNG that can be read: {error}");
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: 4 * MAX_PIXELS });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(why)?;
    let (width, height) = sides(reader.info().width as usize, reader.info().height as usize)?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("too large a picture")?];
    let info = reader.next_frame(&mut pixels).map_err(why)?;
    let light = pixels.chunks(info.color_type.samples());
    let light = light.map(|pixel| match *pixel {
        [grey] => grey,
        [grey, alpha] => on_white(grey, alpha),
        [red, green, blue] => grey(red, green, blue),
        [red, green, blue, alpha] => on_white(grey(red, green, blue), alpha),
        _ => 0xff,
    });
    Ok(Picture { width, height, light: light.collect() })
}

fn jpeg(bytes: &[u8]) -> Result<Picture, String> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::Luma)
        .set_max_width(MAX_PIXELS)
        .set_max_height(MAX_PIXELS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let why = |error| format!("not a JPEG that can be read: {error:?}");
    decoder.decode_headers().map_err(why)?;
    let (width, height) = decoder.dimensions().ok_or("a JPEG without dimensions")?;
    let (width, height) = sides(width, height)?;
    let light = decoder.decode().map_err(why)?;
    Ok(Picture { width, height, light })
}

/// Refused before there is memory for the pixels.
fn sides(width: usize, height: usize) -> Result<(usize, usize), String> {
    match width.checked_mul(height) {
        Some(1..=MAX_PIXELS) => Ok((width, height)),
        _ => Err(format!(
            "a picture of {width} by {height} pixels; up to {MAX_PIXELS} are read: make it smaller"
        )),
    }
}

/// As the eye weighs colours (ITU-R BT.601), in parts of 256.
fn grey(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
    u8::try_from(sum >> 8).unwrap_or(0xff)
}

/// Pictures of symbols often have no ground at all.
fn on_white(grey: u8, alpha: u8) -> u8 {
    let (grey, alpha) = (u32::from(grey), u32::from(alpha));
    u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(0xff)
}

/// More than any telephone's camera has.
const MAX_PIXELS: usize = 64 * 1024 * 1024;
