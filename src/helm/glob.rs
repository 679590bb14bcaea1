//! The patterns of `.Files.Glob`: those of the Go package `gobwas/glob` 0.2.3 with `/` as separator.
//!
//! `*` and `?` stop at `/`, `**` does not; `[abc]`, `[!abc]`, `[a-z]`, `{a,b}`, `\` escapes. One bracket holds
//! either characters or one range; anything else is malformed.

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(char),
    /// `?`
    Single,
    /// `*`
    Any,
    /// `**`
    Super,
    List {
        negated: bool,
        chars: Vec<char>,
    },
    Range {
        negated: bool,
        low: char,
        high: char,
    },
    /// `{a,b}`
    Either(Vec<Vec<Token>>),
}

/// A pattern that does not parse.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct BadGlob;

/// The steps that matching one name may take.
const MAX_STEPS: u32 = 1_000_000;

impl Glob {
    /// Parses a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, BadGlob> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut parser = Parser { chars: &chars, at: 0 };
        parser.sequence(0).map(Self)
    }

    /// The pattern that matches every name.
    pub(super) fn all() -> Self {
        Self(vec![Token::Super])
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let chars: Vec<char> = name.chars().collect();
        let tokens: Vec<&Token> = self.0.iter().collect();
        run(&tokens, &chars, &mut MAX_STEPS.clone())
    }
}

fn run(tokens: &[&Token], name: &[char], steps: &mut u32) -> bool {
    if *steps == 0 {
        return false;
    }
    *steps -= 1;
    let Some((first, rest)) = tokens.split_first() else { return name.is_empty() };
    let one = |fits: bool, steps: &mut u32| fits && run(rest, &name[1..], steps);
    match first {
        Token::Text(c) => one(name.first() == Some(c), steps),
        Token::Single => one(name.first().is_some_and(|c| *c != '/'), steps),
        Token::List { negated, chars } => {
            one(name.first().is_some_and(|c| chars.contains(c) != *negated), steps)
        }
        Token::Range { negated, low, high } => {
            one(name.first().is_some_and(|c| (low <= c && c <= high) != *negated), steps)
        }
        Token::Any | Token::Super => {
            let stops = matches!(first, Token::Any);
            let end =
                if stops { name.iter().position(|c| *c == '/').unwrap_or(name.len()) } else { name.len() };
            (0..=end).any(|taken| run(rest, &name[taken..], steps))
        }
        Token::Either(options) => options.iter().any(|option| {
            let tokens: Vec<&Token> = option.iter().chain(rest.iter().copied()).collect();
            run(&tokens, name, steps)
        }),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    /// What stands up to the end, or inside braces up to `,` or `}`.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Token>, BadGlob> {
        if depth > 100 {
            return Err(BadGlob);
        }
        let mut out = Vec::new();
        while let Some(c) = self.next() {
            match c {
                '{' => {
                    let mut options = vec![self.sequence(depth + 1)?];
                    while self.chars.get(self.at.wrapping_sub(1)) == Some(&',') && self.at <= self.chars.len()
                    {
                        options.push(self.sequence(depth + 1)?);
                        if self.at == self.chars.len() && self.chars.last() != Some(&',') {
                            break;
                        }
                    }
                    out.push(Token::Either(options));
                }
                ',' | '}' if depth > 0 => return Ok(out),
                '[' => out.push(self.bracket()?),
                '?' => out.push(Token::Single),
                '*' if self.chars.get(self.at) == Some(&'*') => {
                    self.at += 1;
                    out.push(Token::Super);
                }
                '*' => out.push(Token::Any),
                '\\' => out.extend(self.next().map(Token::Text)),
                c => out.push(Token::Text(c)),
            }
        }
        // Braces that are never closed end with the pattern.
        Ok(out)
    }

    fn bracket(&mut self) -> Result<Token, BadGlob> {
        let negated = self.chars.get(self.at) == Some(&'!');
        self.at += usize::from(negated);
        if self.chars.get(self.at + 1) == Some(&'-') {
            let low = self.next().ok_or(BadGlob)?;
            self.at += 1;
            let high = self.next().ok_or(BadGlob)?;
            if self.next() != Some(']') || low > high {
                return Err(BadGlob);
            }
            return Ok(Token::Range { negated, low, high });
        }
        let mut chars = Vec::new();
        loop {
            match self.next().ok_or(BadGlob)? {
                ']' if chars.is_empty() => return Err(BadGlob),
                ']' => return Ok(Token::List { negated, chars }),
                '\\' => chars.push(self.next().ok_or(BadGlob)?),
                c => chars.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_gobwas_does() {
        for (pattern, name, expected) in [
            ("files/*", "files/a.txt", true),
            ("files/*", "files/a/b.txt", false),
            ("files/**", "files/a/b.txt", true),
            ("**.yaml", "a/b.yaml", true),
            ("a/**/b", "a/b", false),
            ("a?c", "a/c", false),
            ("[ab].txt", "a.txt", true),
            ("[!ab].txt", "c.txt", true),
            ("[a-c].txt", "d.txt", false),
            ("{foo,bar*}.y{a,}ml", "barx.yml", true),
            ("{foo,bar*}.y{a,}ml", "foo.yaml", true),
            ("{foo,bar}", "baz", false),
            ("\\*", "*", true),
            ("a,b}", "a,b}", true),
            ("", "", true),
        ] {
            assert_eq!(Glob::parse(pattern).expect(pattern).matches(name), expected, "{pattern} {name}");
        }
        for bad in ["[a-zA-Z]", "[", "[]", "[z-a]", "[a-"] {
            assert_eq!(Glob::parse(bad), Err(BadGlob), "{bad}");
        }
        assert!(!Glob::parse(&"*a".repeat(40)).expect("good").matches(&"a".repeat(39)));
    }
}
