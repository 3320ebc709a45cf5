//! A code as a QR symbol: one segment in byte mode, which decoders of telephones hand on as bytes.

use std::path::Path;

use qrcode::{
    EcLevel, QrCode, Version,
    bits::Bits,
    render::{svg, unicode::Dense1x2},
};

use crate::{failure::Failure, record::Record};

/// How a picture is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    Svg,
    Png,
}

impl Format {
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Failure::misused(format!("{}: the name must end in .svg or .png", path.display()))),
        }
    }
}

pub(crate) struct Symbol {
    code: QrCode,
    version: i16,
}

impl Symbol {
    /// The smallest symbol that holds the code.
    pub(crate) fn of(code: &[u8]) -> Result<Self, Failure> {
        for version in 1..=40 {
            let mut bits = Bits::new(Version::Normal(version));
            let code = bits
                .push_byte_data(code)
                .and_then(|()| bits.push_terminator(LEVEL))
                .and_then(|()| QrCode::with_bits(bits, LEVEL));
            if let Ok(code) = code {
                return Ok(Self { code, version });
            }
        }
        Err(Failure::refused(format!("the code has {} bytes, and no QR symbol holds so many", code.len())))
    }

    pub(crate) fn describe(&self) -> Record {
        Record::new()
            .with("symbol_version", self.version)
            .with("symbol_modules", self.code.width())
            .with("error_correction", "L")
    }

    pub(crate) fn draw(&self, format: Format) -> Result<Vec<u8>, Failure> {
        match format {
            Format::Svg => {
                let mut svg = self.code.render::<svg::Color<'_>>();
                let mut text = svg.module_dimensions(PIXELS, PIXELS).build();
                text.push('\n');
                Ok(text.into_bytes())
            }
            Format::Png => self.png().map_err(|error| Failure::refused(format!("the picture: {error}"))),
        }
    }

    /// Two modules to a character, with a quiet zone around them.
    pub(crate) fn in_terminal(&self, dark_on_light: bool) -> String {
        // There a block is `Dark`, as on paper.
        let (block, space) = (Dense1x2::Dark, Dense1x2::Light);
        let (dark, light) = if dark_on_light { (block, space) } else { (space, block) };
        self.code.render::<Dense1x2>().dark_color(dark).light_color(light).build() + "\n"
    }

    /// Shades of grey, each module a square, with a quiet zone of four modules as the standard asks.
    fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let modules = self.code.to_colors();
        let width = self.code.width();
        let side = (width + 2 * QUIET) * PIXELS as usize;
        let shade = |x: usize, y: usize| {
            let module = |pixel: usize| (pixel / PIXELS as usize).checked_sub(QUIET).filter(|at| *at < width);
            let dark = module(x).zip(module(y)).and_then(|(x, y)| modules.get(y * width + x));
            dark.map_or(0xff, |color| color.select(0, 0xff))
        };
        let pixels: Vec<u8> =
            (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).map(|(x, y)| shade(x, y)).collect();
        let mut picture = Vec::new();
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let mut encoder = png::Encoder::new(&mut picture, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(picture)
    }
}

/// Large symbols are harder to scan than a display is bad.
const LEVEL: EcLevel = EcLevel::L;

/// Of a module, in each direction.
const PIXELS: u32 = 8;

const QUIET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    // QR-10, QR-17
    #[test]
    fn the_smallest_symbol_is_taken() {
        for (len, version) in
            [(1, 1), (17, 1), (18, 2), (154, 7), (155, 8), (345, 12), (367, 12), (368, 13), (2_953, 40)]
        {
            // Digits would take less in a segment of their own.
            for byte in [0xff, b'7'] {
                assert_eq!(Symbol::of(&vec![byte; len]).unwrap().version, version, "{len} bytes");
            }
        }
        assert!(Symbol::of(&vec![0; 2_954]).is_err());
    }

    #[test]
    fn the_name_of_a_picture_says_what_it_is() {
        assert_eq!(Format::of(Path::new("a.svg")).unwrap(), Format::Svg);
        assert_eq!(Format::of(Path::new("a.b.PNG")).unwrap(), Format::Png);
        for name in ["a", "a.jpg", "svg", "a.svg.gz"] {
            assert!(Format::of(Path::new(name)).is_err(), "{name}");
        }
    }
}
