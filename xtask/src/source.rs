//! Reading Rust files by eye rather than by compiler: code apart from comments and literals, tests apart from
//! the rest.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// A source file whose code and comments were told apart; both keep the line numbers of the file.
#[derive(Debug)]
pub(crate) struct Source {
    /// The code, with the text of comments and of string and character literals blanked.
    pub(crate) code: Vec<String>,
    /// The comments, with everything else blanked.
    pub(crate) comments: Vec<String>,
    /// Line ranges (from 0) of modules under `#[cfg(test)]`.
    test_modules: Vec<Range<usize>>,
}

/// A function marked `#[test]`, with the lines (from 0) of its comments, attributes and body.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct TestFunction {
    pub(crate) name: String,
    pub(crate) lines: Range<usize>,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let (code, comments) = split(text);
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (code, comments) = (lines(&code), lines(&comments));
        let test_modules = test_modules(&code);
        Self { code, comments, test_modules }
    }

    /// Numbered lines (from 1) of code that is not under `#[cfg(test)]`.
    pub(crate) fn library_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = |line: usize| self.test_modules.iter().any(|module| module.contains(&line));
        self.code
            .iter()
            .enumerate()
            .filter(move |(line, _)| !is_test(*line))
            .map(|(line, text)| (line + 1, text.as_str()))
    }

    pub(crate) fn test_functions(&self) -> Vec<TestFunction> {
        let marks = self.code.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[test]"));
        marks.filter_map(|(at, _)| self.test_function(at)).collect()
    }

    fn test_function(&self, mark: usize) -> Option<TestFunction> {
        let (at, line) =
            self.code.iter().enumerate().skip(mark).find(|(_, line)| word_after(line, "fn").is_some())?;
        let name = word_after(line, "fn")?;
        let leads = |line: &usize| {
            let (code, comment) = (self.code[*line].trim(), self.comments[*line].trim());
            code.starts_with("#[") || (code.is_empty() && !comment.is_empty())
        };
        let start = (0..mark).rev().take_while(leads).last().unwrap_or(mark);
        Some(TestFunction { name: name.to_owned(), lines: start..block_end(&self.code, at) })
    }
}

/// The identifier behind the word `keyword`.
pub(crate) fn word_after<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let mut words = line.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    words.find(|word| *word == keyword)?;
    words.next()
}

pub(crate) const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// All files under `folder` whose name ends with `ending`, sorted; build output and hidden folders left out.
pub(crate) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop().filter(|folder| folder.exists()) {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn test_modules(code: &[String]) -> Vec<Range<usize>> {
    let is_mark = |line: &str| line.trim_start().starts_with("#[cfg(") && line.contains("test");
    let marks = code.iter().enumerate().filter(|(_, line)| is_mark(line));
    let modules = marks.filter(|(at, _)| {
        let item = code.iter().skip(at + 1).find(|line| !line.trim_start().starts_with("#["));
        item.is_some_and(|line| word_after(line, "mod").is_some() && line.contains('{'))
    });
    modules.map(|(at, _)| at..block_end(code, at)).collect()
}

/// The line behind the block whose opening brace is the first one from line `at` on.
fn block_end(code: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for (line, text) in code.iter().enumerate().skip(at) {
        for c in text.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth <= 1 => return line + 1,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    code.len()
}

/// What the character at hand belongs to.
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { hashes: Option<usize> },
}

/// The text twice: once with only its code left, once with only its comments; all else is blank.
fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut state = State::Code;
    let mut at = 0;
    let mut put = |c: char, is_code: bool, is_comment: bool| {
        let blank = if c == '\n' { '\n' } else { ' ' };
        code.push(if is_code { c } else { blank });
        comments.push(if is_comment { c } else { blank });
    };
    while let Some(&c) = chars.get(at) {
        let rest = &chars[at..];
        let mut length = 1;
        let (mut is_code, mut is_comment) = (false, false);
        match &mut state {
            State::Code if rest.starts_with(&['/', '/']) => (state, is_comment) = (State::LineComment, true),
            State::Code if rest.starts_with(&['/', '*']) => {
                (length, is_comment) = (2, true);
                state = State::BlockComment { depth: 1 };
            }
            State::Code => match literal_start(&chars, at) {
                Some(Literal::Char(chars)) => length = chars,
                Some(Literal::Text { opening, hashes }) => {
                    length = opening;
                    state = State::Text { hashes };
                }
                None => is_code = true,
            },
            State::LineComment => {
                is_comment = true;
                if c == '\n' {
                    state = State::Code;
                }
            }
            State::BlockComment { depth } => {
                is_comment = true;
                if rest.starts_with(&['/', '*']) {
                    (length, *depth) = (2, *depth + 1);
                } else if rest.starts_with(&['*', '/']) {
                    (length, *depth) = (2, *depth - 1);
                    if *depth == 0 {
                        state = State::Code;
                    }
                }
            }
            State::Text { hashes: None } => match c {
                '\\' => length = 2,
                '"' => state = State::Code,
                _ => {}
            },
            State::Text { hashes: Some(hashes) } => {
                let closes = c == '"' && rest.iter().skip(1).take_while(|c| **c == '#').count() >= *hashes;
                if closes {
                    length = *hashes + 1;
                    state = State::Code;
                }
            }
        }
        for &c in rest.iter().take(length) {
            put(c, is_code, is_comment);
        }
        at += length;
    }
    (code, comments)
}

enum Literal {
    /// A whole character literal of so many characters.
    Char(usize),
    /// The opening of a string: so many characters; for a raw one its number of hashes.
    Text { opening: usize, hashes: Option<usize> },
}

fn literal_start(chars: &[char], at: usize) -> Option<Literal> {
    let after_word = at.checked_sub(1).and_then(|before| chars.get(before)).is_some_and(|c| is_word(*c));
    let rest = &chars[at..];
    match *rest.first()? {
        '"' => Some(Literal::Text { opening: 1, hashes: None }),
        'r' if !after_word
            || chars.get(at.wrapping_sub(1)) == Some(&'b')
            || chars.get(at.wrapping_sub(1)) == Some(&'c') =>
        {
            let hashes = rest.iter().skip(1).take_while(|c| **c == '#').count();
            (rest.get(hashes + 1) == Some(&'"'))
                .then_some(Literal::Text { opening: hashes + 2, hashes: Some(hashes) })
        }
        '\'' if rest.get(1) == Some(&'\\') => {
            let end = rest.iter().skip(3).position(|c| *c == '\'')?;
            Some(Literal::Char(end + 4))
        }
        '\'' if rest.get(2) == Some(&'\'') => Some(Literal::Char(3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let source =
            Source::parse("let a = \"x // no\"; // yes\nlet b = '\"'; /* in\nside */ let c = r#\"a\"b\"#;");
        assert_eq!(source.code[0].trim_end(), format!("let a = {:9};", ""));
        assert!(source.comments[0].contains("// yes") && !source.comments[0].contains("no"));
        assert_eq!(source.code[1].trim_end(), "let b =    ;");
        assert!(source.code[2].contains("let c =") && !source.code[2].contains("side"));
        assert!(!source.code[2].contains('b'));
    }

    #[test]
    fn lifetimes_are_no_characters_and_escapes_end_no_string() {
        let source =
            Source::parse("fn f<'a>(x: &'a str) -> &'a str { x }\nlet s = \"\\\"}\"; let t = '\\'';");
        assert_eq!(source.code[0], "fn f<'a>(x: &'a str) -> &'a str { x }");
        assert!(!source.code[1].contains('}') && source.code[1].contains("let t"));
    }

    #[test]
    fn test_modules_are_no_library_code() {
        let source =
            Source::parse("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\nfn c() {}\n");
        let lines: Vec<_> = source.library_code().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 6]);
    }

    #[test]
    fn a_test_owns_the_comments_before_it_and_its_body() {
        let source = Source::parse(
            "// far\n\n// OLM-1\n#[test]\n#[ignore]\nfn one() {\n    // OLM-2\n}\nfn helper() {}\n",
        );
        let tests = source.test_functions();
        assert_eq!(tests, [TestFunction { name: "one".to_owned(), lines: 2..8 }]);
    }
}
