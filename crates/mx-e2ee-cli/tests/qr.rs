//! `qr show` and `qr read`: the codes of the requirements, and pictures of them as cameras and screens make them.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod support;

use serde_json::{Value, json};
use support::{Folder, run, run_with};

/// matrix-sdk-crypto's documentation.
const Q3: &str = "4d41545249580200000f24746573743a6c6f63616c686f73746b53202f92691e36cd2767f92311d88aa2f631051b36effca425801a0cd2e804bd527cf86e07a41fb4cc330e4254e75b7efd87d03642df6f5676259b86aebc4d5348415245445f534543524554";
const Q3_SECRET: &str = "U0hBUkVEX1NFQ1JFVA";
/// mautrix-go's tests: one with keys that are none, and a code of bytes like any other's.
const Q1: &str = "TUFUUklYAgEAIEduQWVDdnRXanpNT1ZXUVRrdDM1WVJVcnVqbVJQYzhhGDJ8w4zCpsK1wqdQV2cZXsOvwqDCmMKdNsOtehAuGD5Ow4TDgUUMwq4ZeMKZBsKSwpTCjsK3WcKWwq3DvXBqEcK6wqkpw48NwrjCiGdbw7MBwrBjLsKlw7Ngw4IEw6NyfXwdwrbCusKBHsKZwrh/Cg==";
const Q2: &str = "TUFUUklYAgEAIGM1YjljNzE3ZWIzYjRmYzBiZDhhZjA0MDQ4NDY5MDdle4oLkpUdO1cTu5M3K3B4BlnpxtAbVgXCuQKOIqMmt+xAjVvaEXF39X0z5waRY9UE0b5PKiWvOBSJHEGkxX28Y2OEDLIWP/kCVUlyXXENlj0=";

/// A picture in shades of grey.
#[derive(Clone)]
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn from_fn(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y));
        Self { width, height, pixels: pixels.collect() }
    }

    fn of_png(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Grayscale);
        Self { width: info.width as usize, height: info.height as usize, pixels }
    }

    fn pixel(&self, x: f64, y: f64) -> u8 {
        let inside = x >= 0.0 && y >= 0.0 && (x as usize) < self.width && (y as usize) < self.height;
        if inside { self.pixels[y as usize * self.width + x as usize] } else { 0xff }
    }

    /// Turned by an angle and scaled, around the middle.
    fn turned(&self, degrees: f64, scale: f64) -> Self {
        let side = (self.width as f64 * scale * 1.5) as usize;
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (middle, other) = (side as f64 / 2.0, self.width as f64 / 2.0);
        Self::from_fn(side, side, |x, y| {
            let (x, y) = ((x as f64 + 0.5 - middle) / scale, (y as f64 + 0.5 - middle) / scale);
            self.pixel(x * cos - y * sin + other, x * sin + y * cos + other)
        })
    }

    fn to_png(&self, color: png::ColorType, pixel: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer
            .write_image_data(&self.pixels.iter().flat_map(|shade| pixel(*shade)).collect::<Vec<_>>())
            .unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn png(&self) -> Vec<u8> {
        self.to_png(png::ColorType::Grayscale, |shade| vec![shade])
    }
}

#[track_caller]
fn read(picture: &[u8]) -> Value {
    let mut lines = run_with(["qr", "read", "--json", "--secret"], picture).assert_code(0).lines();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn drawn(code: &str) -> Vec<u8> {
    let folder = Folder::new();
    let (code, picture) = (folder.write("code", code), folder.text_path("code.png"));
    run(["qr", "show", &code, &picture]).assert_code(0);
    folder.read("code.png")
}

// QR-10, QR-11, QR-17
#[test]
fn a_code_is_drawn_and_read_again() {
    let said = read(&drawn(Q3));
    assert_eq!((&said["mode"], &said["flow_id"]), (&json!(0), &json!("$test:localhost")));
    assert_eq!(said["key1"], "a1MgL5JpHjbNJ2f5IxHYiqL2MQUbNu/8pCWAGgzS6AQ");
    assert_eq!(said["key2"], "vVJ8+G4HpB+0zDMOQlTnW379h9A2Qt9vVnYlm4auvE0");
    assert_eq!((&said["secret"], &said["secret_bytes"]), (&json!(Q3_SECRET), &json!(13)));
    assert_eq!((&said["symbol_version"], &said["error_correction"]), (&json!(5), &json!("L")));
    assert_eq!(said["key2_is"], "master signing key of the user who scans it, as the displaying one has it");
}

// QR-11
#[test]
fn each_mode_says_what_its_keys_are() {
    let keys = |code: &str| {
        let said = read(code.as_bytes());
        (said["mode"].clone(), said["key1_is"].clone(), said["key2_is"].clone())
    };
    // The documentation's three differ in mode and ID only.
    let of_mode = |mode: &str| Q3.replacen("0200000f", &format!("02{mode}000f"), 1);
    let device = "key of the scanning device, as the displaying one has it";
    assert_eq!(keys(&of_mode("01")), (json!(1), json!("master signing key of the user"), json!(device)));
    let master = "master signing key of the user, as the displaying device has it";
    assert_eq!(keys(&of_mode("02")), (json!(2), json!("key of the displaying device"), json!(master)));
}

// QR-15
#[test]
fn codes_of_other_implementations_are_read_from_text_and_from_pictures() {
    for code in [Q1, Q2] {
        let (text, picture) = (read(code.as_bytes()), read(&drawn(code)));
        for name in ["mode", "flow_id", "key1", "key2", "secret", "secret_bytes", "bytes"] {
            assert_eq!(text[name], picture[name], "{name}");
        }
    }
    assert_eq!(read(Q2.as_bytes())["flow_id"], "c5b9c717eb3b4fc0bd8af0404846907e");
    assert_eq!(read(Q2.as_bytes())["secret"], "Y4QMshY/+QJVSXJdcQ2WPQ");
    assert_eq!(read(Q1.as_bytes())["secret_bytes"], 48);
}

#[test]
fn pictures_are_turned_scaled_coloured_and_on_no_ground() {
    let drawn = drawn(Q2);
    let picture = Picture::of_png(&drawn);
    let expected = read(&drawn);
    for (degrees, scale) in [
        (90.0, 1.0),
        (180.0, 1.0),
        (270.0, 1.0),
        (17.0, 1.0),
        (-33.0, 0.6),
        (45.0, 2.3),
        (0.0, 0.375),
        (3.0, 4.0),
    ] {
        assert_eq!(read(&picture.turned(degrees, scale).png()), expected, "{degrees} degrees, times {scale}");
    }
    let mirrored = Picture::from_fn(picture.width, picture.height, |x, y| {
        picture.pixels[y * picture.width + picture.width - 1 - x]
    });
    assert_eq!(read(&mirrored.png()), expected, "from behind");
    let coloured = picture
        .to_png(png::ColorType::Rgb, |shade| if shade == 0 { vec![90, 0, 60] } else { vec![250, 240, 170] });
    assert_eq!(read(&coloured), expected);
    let on_nothing = picture.to_png(png::ColorType::Rgba, |shade| vec![0, 0, 0, 255 - shade]);
    assert_eq!(read(&on_nothing), expected);
    let noisy = Picture::from_fn(picture.width, picture.height, |x, y| {
        let noise = ((x * 7919 + y * 104_729) % 61) as u8;
        picture.pixels[y * picture.width + x].saturating_sub(noise).saturating_add(noise / 2)
    });
    assert_eq!(read(&noisy.png()), expected);
}

/// Made with Pillow from the PNG of the tool: turned by 5 degrees, scaled to 80 %, quality 75.
#[test]
fn a_jpeg_is_read() {
    assert_eq!(read(include_bytes!("data/code.jpg"))["secret"], "Y4QMshY/+QJVSXJdcQ2WPQ");
}

#[test]
fn an_svg_and_the_terminal_show_the_same_symbol() {
    let folder = Folder::new();
    let (code, svg) = (folder.write("code", Q2), folder.text_path("code.svg"));
    run(["qr", "show", &code, &svg]).assert_code(0);
    let svg = String::from_utf8(folder.read("code.svg")).unwrap();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let side = number(svg.split("width=\"").nth(1).unwrap().split('"').next().unwrap());
    let mut picture = Picture::from_fn(side, side, |_, _| 0xff);
    let path = svg.split(" d=\"M").nth(1).unwrap().split('"').next().unwrap();
    for rectangle in path.split('M') {
        let numbers: Vec<_> = rectangle.split([' ', 'h', 'v', 'H', 'V']).map(number).collect();
        for at in (numbers[1]..numbers[1] + numbers[3])
            .flat_map(|y| (numbers[0]..numbers[0] + numbers[2]).map(move |x| y * side + x))
        {
            picture.pixels[at] = 0;
        }
    }
    let expected = read(&drawn(Q2));
    assert_eq!(read(&picture.png()), expected);

    for (args, light) in [(&["qr", "show"][..], "█"), (&["qr", "show", "--dark-on-light"], " ")] {
        let shown = run_with(args.iter().copied(), Q2.as_bytes()).assert_code(0);
        let lines: Vec<Vec<char>> = shown.text().lines().map(|line| line.chars().collect()).collect();
        let lights = |character: char| match character {
            '█' => (true, true),
            '▀' => (true, false),
            '▄' => (false, true),
            _ => (false, false),
        };
        let picture = Picture::from_fn(lines[0].len() * 4, lines.len() * 8, |x, y| {
            let (upper, lower) = lights(lines[y / 8][x / 4]);
            let block = if y % 8 < 4 { upper } else { lower };
            if block == (light == "█") { 0xff } else { 0 }
        });
        assert!(shown.text().starts_with(light));
        assert_eq!(read(&picture.png()), expected);
    }
}

// QR-13
#[test]
fn json_is_what_read_prints_and_without_a_secret_there_is_a_fresh_one() {
    let said = read(Q3.as_bytes());
    let drawn_again = read(&drawn(&said.to_string()));
    for name in ["mode", "flow_id", "key1", "key2", "secret"] {
        assert_eq!(said[name], drawn_again[name]);
    }
    let mut document = said;
    document.as_object_mut().unwrap().remove("secret");
    let secrets = [drawn(&document.to_string()), drawn(&document.to_string())].map(|code| read(&code));
    assert_eq!(secrets[0]["secret_bytes"], 16);
    assert_ne!(secrets[0]["secret"], secrets[1]["secret"]);
}

// QR-14: each is told apart, and nothing but a code is drawn.
#[test]
fn what_is_no_code_is_named() {
    let header = |rest: &str| format!("4d4154524958{rest}");
    let keys = "00".repeat(64);
    let cases = [
        ("4e6f6e4d6174726978436f6465".to_owned(), "not a code of Matrix"),
        (header("0103"), "version 1"),
        (header("0203"), "mode 3"),
        (header("0202"), "ends too early"),
        (header(&format!("02000001ff{keys}{keys}")), "not text"),
        (header(&format!("02000000{keys}{keys}")), "names no verification"),
        (header(&format!("0200000141{keys}534543524554")), "secret"),
        (header(&format!("0200000141{keys}{}", "00".repeat(65))), "secret"),
    ];
    for (code, why) in cases {
        let done = run_with(["qr", "read", "--json"], code.as_bytes()).assert_code(1);
        assert!(done.lines()[0]["why"].as_str().unwrap().contains(why), "{:?}", done.lines());
        run_with(["qr", "show"], code.as_bytes()).assert_says(1, &[why]);
    }
    let whole = read(&drawn(Q3));
    for (name, value, why) in [
        ("mode", json!(3), "mode: there are 0, 1 and 2"),
        ("key1", json!("AAAA"), "key1: "),
        ("secret", json!("U0VDUkVU"), "secret: "),
        ("flow_id", json!(""), "flow_id: "),
        ("flow_id", json!("a".repeat(256)), "flow_id: "),
        ("key2", Value::Null, "not a code"),
    ] {
        let mut document = whole.clone();
        document[name] = value;
        run_with(["qr", "show"], document.to_string().as_bytes()).assert_says(1, &[why]);
    }
    run_with(["qr", "show"], format!("{Q3}{}", "00".repeat(3_000)).as_bytes())
        .assert_says(1, &["no QR symbol holds so many"]);
}

#[test]
fn pictures_that_cannot_be_read_are_named() {
    let picture = drawn(Q3);
    let empty = Picture::from_fn(100, 100, |_, _| 0xff).png();
    run_with(["qr", "read"], &empty).assert_says(1, &["no QR symbol in this picture"]);
    run_with(["qr", "read"], &picture[..picture.len() / 2]).assert_says(1, &["not a PNG that can be read"]);
    run_with(["qr", "read"], b"\xff\xd8\xff\xe0 and nothing")
        .assert_says(1, &["not a JPEG that can be read"]);
    run_with(["qr", "read"], b"GIF89a\x01\x00\xff").assert_says(1, &["neither PNG nor JPEG"]);
    run(["qr", "read", "/nowhere/at/all.png"]).assert_says(3, &["cannot open"]);
    // Too large, which its header says before there is memory for it.
    let mut large = picture;
    large[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    run_with(["qr", "read"], &large).assert_says(1, &["PNG"]);
    let hidden = Picture::of_png(&drawn(Q3));
    let covered = Picture::from_fn(hidden.width, hidden.height, |x, y| {
        let covered = (150..230).contains(&x) && (150..300).contains(&y);
        if covered { 0x40 } else { hidden.pixels[y * hidden.width + x] }
    });
    let done = run_with(["qr", "read"], &covered.png()).assert_code(1);
    assert!(format!("{}{}", done.text(), done.stderr).contains("QR symbol"), "{done:?}");
}

#[test]
fn a_damaged_picture_is_refused_and_ends_nothing() {
    for picture in [drawn(Q3), include_bytes!("data/code.jpg").to_vec()] {
        for at in (0..picture.len()).step_by(picture.len() / 40) {
            let mut damaged = picture.clone();
            damaged[at] ^= 0x55;
            let done = run_with(["qr", "read"], &damaged);
            assert!(matches!(done.code, Some(0 | 1)), "byte {at}: {done:?}");
        }
    }
}

#[test]
fn the_secret_is_printed_only_when_it_is_asked_for() {
    let folder = Folder::new();
    let (code, picture) = (folder.write("code", Q3), folder.text_path("code.png"));
    let shown = run(["qr", "show", "--json", &code, &picture]).assert_code(0);
    let explained =
        [run(["qr", "read", &picture]), run(["qr", "read", "--json", &picture]), run(["qr", "read", &code])];
    for done in [shown].into_iter().chain(explained) {
        let said = format!("{}{}", done.text(), done.stderr);
        assert!(said.contains("13") && !said.contains(&Q3_SECRET[..8]) && !said.contains("SHARED"), "{said}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&picture).unwrap().permissions().mode() & 0o777, 0o600);
    }
    run(["qr", "show", &code, &picture]).assert_says(2, &["exists; --force replaces it"]);
    run(["qr", "show", "--force", &code, &picture]).assert_code(0);
    run(["qr", "show", &code, &folder.text_path("code.gif")]).assert_says(2, &[".svg or .png"]);
    assert_eq!(folder.names(), ["code", "code.png"]);
}
