use core::fmt;

use crate::Emoji;

/// A language of the specification's shared set of words for the emoji.
///
/// English has all of them, as have most others. Where one lacks a word the English one takes its place: whoever wants no mixture
/// looks at [`word_count`](Self::word_count).
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Language {
    tag: &'static str,
    /// The words in the order of their emoji, each on a line of its own, which is empty where there is none. Nothing for
    /// English.
    words: &'static str,
}

impl Language {
    /// What [`Emoji::description`] says.
    pub const ENGLISH: Self = Self { tag: "en", words: "" };

    /// All languages, in the order of their tags.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().copied()
    }

    /// The language that fits a tag of BCP 47 best, as RFC 4647 ("Lookup") finds it: of `de-AT-1996` there is `de`. Case does not
    /// matter, and `_` stands for `-`.
    ///
    /// `None` if there is none: [`Language::ENGLISH`] is for everybody.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let mut range = tag;
        loop {
            let meant = DEFAULTS.iter().find(|(range_without_it, _)| is_same(range, range_without_it));
            let meant = meant.map_or(range, |(_, tag)| tag);
            if let Some(found) = Self::all().find(|language| is_same(meant, language.tag)) {
                return Some(found);
            }
            (range, _) = range.rsplit_once(['-', '_'])?;
        }
    }

    /// The tag of BCP 47, such as `pt-BR`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.tag
    }

    /// For how many of the 64 emoji there is a word.
    #[must_use]
    pub fn word_count(self) -> usize {
        if self == Self::ENGLISH { 64 } else { self.words.lines().filter(|word| !word.is_empty()).count() }
    }

    fn word(self, emoji: Emoji) -> Option<&'static str> {
        self.words.lines().nth(emoji.index().into()).filter(|word| !word.is_empty())
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::ENGLISH
    }
}

/// Not its words.
impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Language").field(&self.tag).finish()
    }
}

impl Emoji {
    /// What it shows, in this language, or in English where the shared set has no word.
    #[must_use]
    pub fn description_in(self, language: Language) -> &'static str {
        language.word(self).unwrap_or_else(|| self.description())
    }
}

fn is_same(a: &str, b: &str) -> bool {
    let normal = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.bytes().map(normal).eq(b.bytes().map(normal))
}

macro_rules! languages {
    ($($before:literal)* ENGLISH $($behind:literal)*) => {
        &[
            $(Language { tag: $before, words: include_str!(concat!("translations/", $before, ".txt")) },)*
            Language::ENGLISH,
            $(Language { tag: $behind, words: include_str!(concat!("translations/", $behind, ".txt")) },)*
        ]
    };
}

/// The shared set also names `szl`, without a word.
const LANGUAGES: &[Language] = languages!(
    "ar" "bg" "ca" "cs" "de" ENGLISH "eo" "es" "et" "fa" "fi" "fr" "hr" "hu" "id" "it" "ja" "nb-NO" "nl" "pt" "pt-BR" "ru" "si" "sk"
    "sq" "sr" "sv" "tzm" "uk" "vi" "zh-Hans" "zh-Hant"
);

/// Where the set is more exact than a tag: what is written or meant without saying so.
const DEFAULTS: [(&str, &str); 6] = [
    ("nb", "nb-NO"),
    ("no", "nb-NO"),
    ("zh", "zh-Hans"),
    ("zh-HK", "zh-Hant"),
    ("zh-MO", "zh-Hant"),
    ("zh-TW", "zh-Hant"),
];

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::{collections::BTreeSet, format, vec::Vec};

    use super::*;

    fn emoji() -> impl Iterator<Item = Emoji> {
        (0..64).map(Emoji::of_bits)
    }

    // SAS-26
    #[test]
    fn every_language_has_words_for_64_emoji_and_no_empty_one() {
        assert_eq!(Language::all().count(), 32);
        for language in Language::all().filter(|language| *language != Language::ENGLISH) {
            assert_eq!(language.words.lines().count(), 64, "{language:?}");
            assert!(language.words.lines().all(|word| word == word.trim()), "{language:?}");
        }
        for (language, emoji) in
            Language::all().flat_map(|language| emoji().map(move |emoji| (language, emoji)))
        {
            assert!(!emoji.description_in(language).is_empty(), "{language:?}, {emoji}");
        }
        assert!(Language::all().map(Language::tag).is_sorted());
    }

    // SAS-26
    #[test]
    fn completeness_is_known() {
        let incomplete: Vec<_> = Language::all()
            .map(|language| (language.tag(), language.word_count()))
            .filter(|(_, count)| *count != 64)
            .collect();
        assert_eq!(incomplete, [("si", 4), ("sq", 63), ("tzm", 26)]);
    }

    // SAS-26: where a word stands twice, it is the same in the shared set: of the spanner and of the key.
    #[test]
    fn words_of_a_language_differ() {
        for language in Language::all().filter(|language| language.word_count() == 64) {
            let words: BTreeSet<_> =
                emoji().map(|emoji| emoji.description_in(language).to_lowercase()).collect();
            let expected = if matches!(language.tag(), "hr" | "ru" | "sr") { 63 } else { 64 };
            assert_eq!(words.len(), expected, "{language:?}");
            let [spanner, key] = [34, 47].map(|index| Emoji::of_bits(index).description_in(language));
            assert_eq!(spanner.to_lowercase() == key.to_lowercase(), expected == 63, "{language:?}");
        }
    }

    // SAS-26
    #[test]
    fn english_is_the_description_and_stands_in_for_what_is_missing() {
        assert!(emoji().all(|emoji| emoji.description_in(Language::ENGLISH) == emoji.description()));
        assert_eq!(Language::default(), Language::ENGLISH);
        let sinhala = Language::of_tag("si").unwrap();
        let own: Vec<_> =
            emoji().filter(|emoji| emoji.description_in(sinhala) != emoji.description()).collect();
        assert_eq!(own.len(), sinhala.word_count());
    }

    // SAS-26
    #[test]
    fn words_stand_at_their_emoji() {
        for (tag, index, word) in [
            ("de", 0, "Hund"),
            ("de", 63, "Stecknadel"),
            ("fr", 4, "Licorne"),
            ("pt", 0, "C\u{e3}o"),
            ("pt-BR", 0, "Cachorro"),
        ] {
            assert_eq!(Emoji::of_bits(index).description_in(Language::of_tag(tag).unwrap()), word);
        }
    }

    #[test]
    fn a_tag_finds_the_language_that_fits_best() {
        for (tag, found) in [
            ("de", "de"),
            ("DE-at-1996", "de"),
            ("de_CH", "de"),
            ("en-GB", "en"),
            ("pt", "pt"),
            ("pt-PT", "pt"),
            ("pt_br", "pt-BR"),
            ("nb", "nb-NO"),
            ("no", "nb-NO"),
            ("nb-NO", "nb-NO"),
            ("zh", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh-tw", "zh-Hant"),
            ("zh-Hant-HK", "zh-Hant"),
            ("zh_HK", "zh-Hant"),
        ] {
            assert_eq!(Language::of_tag(tag).map(Language::tag), Some(found), "{tag}");
        }
        for tag in ["", "-", "d", "deu", "C", "POSIX", "szl", "tlh-Latn", "zhx", "\u{ff44}e"] {
            assert_eq!(Language::of_tag(tag), None, "{tag}");
        }
        assert!(Language::all().all(|language| Language::of_tag(language.tag()) == Some(language)));
        assert_eq!(format!("{:?}", Language::of_tag("de")), "Some(Language(\"de\"))");
    }
}
