use core::fmt;

/// One of the 64 emoji, by its index. Compared by index, never by how it looks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Emoji(u8);

impl Emoji {
    /// The emoji with this index; of larger numbers the lowest six bits count.
    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self((bits & 0x3f) as u8)
    }

    /// From 0 to 63.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// The character, with U+FE0F behind it where that makes it an emoji.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        self.entry().0
    }

    /// What it shows, in English. Always display it with the symbol: fonts differ.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.entry().1
    }

    fn entry(self) -> (&'static str, &'static str) {
        TABLE.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.symbol(), self.description())
    }
}

/// Client-server API, "SAS method: emoji".
const TABLE: [(&str, &str); 64] = [
    ("\u{1f436}", "Dog"),
    ("\u{1f431}", "Cat"),
    ("\u{1f981}", "Lion"),
    ("\u{1f40e}", "Horse"),
    ("\u{1f984}", "Unicorn"),
    ("\u{1f437}", "Pig"),
    ("\u{1f418}", "Elephant"),
    ("\u{1f430}", "Rabbit"),
    ("\u{1f43c}", "Panda"),
    ("\u{1f413}", "Rooster"),
    ("\u{1f427}", "Penguin"),
    ("\u{1f422}", "Turtle"),
    ("\u{1f41f}", "Fish"),
    ("\u{1f419}", "Octopus"),
    ("\u{1f98b}", "Butterfly"),
    ("\u{1f337}", "Flower"),
    ("\u{1f333}", "Tree"),
    ("\u{1f335}", "Cactus"),
    ("\u{1f344}", "Mushroom"),
    ("\u{1f30f}", "Globe"),
    ("\u{1f319}", "Moon"),
    ("\u{2601}\u{fe0f}", "Cloud"),
    ("\u{1f525}", "Fire"),
    ("\u{1f34c}", "Banana"),
    ("\u{1f34e}", "Apple"),
    ("\u{1f353}", "Strawberry"),
    ("\u{1f33d}", "Corn"),
    ("\u{1f355}", "Pizza"),
    ("\u{1f382}", "Cake"),
    ("\u{2764}\u{fe0f}", "Heart"),
    ("\u{1f600}", "Smiley"),
    ("\u{1f916}", "Robot"),
    ("\u{1f3a9}", "Hat"),
    ("\u{1f453}", "Glasses"),
    ("\u{1f527}", "Spanner"),
    ("\u{1f385}", "Santa"),
    ("\u{1f44d}", "Thumbs Up"),
    ("\u{2602}\u{fe0f}", "Umbrella"),
    ("\u{231b}", "Hourglass"),
    ("\u{23f0}", "Clock"),
    ("\u{1f381}", "Gift"),
    ("\u{1f4a1}", "Light Bulb"),
    ("\u{1f4d5}", "Book"),
    ("\u{270f}\u{fe0f}", "Pencil"),
    ("\u{1f4ce}", "Paperclip"),
    ("\u{2702}\u{fe0f}", "Scissors"),
    ("\u{1f512}", "Lock"),
    ("\u{1f511}", "Key"),
    ("\u{1f528}", "Hammer"),
    ("\u{260e}\u{fe0f}", "Telephone"),
    ("\u{1f3c1}", "Flag"),
    ("\u{1f682}", "Train"),
    ("\u{1f6b2}", "Bicycle"),
    ("\u{2708}\u{fe0f}", "Aeroplane"),
    ("\u{1f680}", "Rocket"),
    ("\u{1f3c6}", "Trophy"),
    ("\u{26bd}", "Ball"),
    ("\u{1f3b8}", "Guitar"),
    ("\u{1f3ba}", "Trumpet"),
    ("\u{1f514}", "Bell"),
    ("\u{2693}", "Anchor"),
    ("\u{1f3a7}", "Headphones"),
    ("\u{1f4c1}", "Folder"),
    ("\u{1f4cc}", "Pin"),
];
