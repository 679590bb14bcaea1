//! The patterns of `.Files.Glob`: those of the Go package `gobwas/glob` 0.2.3 with `/` as separator.
//!
//! `*` and `?` stop at `/`, `**` does not; `[abc]`, `[!abc]`, `[a-z]`, `{a,b}`, `\` escapes. One bracket holds
//! either characters or one range; anything else is malformed.

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<Step>);

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

/// What a pattern does at one place of a name, all places at once being kept in mind: a name is read once, whatever
/// the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Takes one character that fits, and goes on.
    Take(Token),
    /// Goes on, or takes one more character and stays; `stops` is that it takes no `/`.
    Any { stops: bool },
    /// Goes on at each of these.
    Fork(Vec<usize>),
    /// Goes on there.
    Jump(usize),
}

impl Glob {
    /// Parses a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, BadGlob> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut parser = Parser { chars: &chars, at: 0 };
        let mut steps = Vec::new();
        put(parser.sequence(0)?, &mut steps);
        Ok(Self(steps))
    }

    /// The pattern that matches every name.
    pub(super) fn all() -> Self {
        Self(vec![Step::Any { stops: false }])
    }

    /// How many places it has: matching takes no more than that many steps for each character of a name.
    pub(super) fn size(&self) -> usize {
        self.0.len() + 1
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let mut active = vec![false; self.size()];
        self.enter(0, &mut active);
        for c in name.chars() {
            let mut next = vec![false; self.size()];
            for (at, step) in self.0.iter().enumerate().filter(|(at, _)| active[*at]) {
                match step {
                    Step::Take(token) if token.fits(c) => self.enter(at + 1, &mut next),
                    Step::Any { stops } if !(*stops && c == '/') => self.enter(at, &mut next),
                    _ => {}
                }
            }
            active = next;
        }
        active[self.0.len()]
    }

    /// Marks the place and all that is reached from it without a character.
    fn enter(&self, place: usize, active: &mut [bool]) {
        let mut pending = vec![place];
        while let Some(at) = pending.pop() {
            if std::mem::replace(&mut active[at], true) {
                continue;
            }
            match self.0.get(at) {
                Some(Step::Any { .. }) => pending.push(at + 1),
                Some(Step::Fork(places)) => pending.extend(places),
                Some(Step::Jump(to)) => pending.push(*to),
                _ => {}
            }
        }
    }
}

impl Token {
    /// Whether a character fits what stands for exactly one.
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Text(own) => *own == c,
            Self::Single => c != '/',
            Self::List { negated, chars } => chars.contains(&c) != *negated,
            Self::Range { negated, low, high } => (*low <= c && c <= *high) != *negated,
            Self::Any | Self::Super | Self::Either(_) => false,
        }
    }
}

/// Puts what a part of a pattern does behind the steps before it.
fn put(tokens: Vec<Token>, steps: &mut Vec<Step>) {
    for token in tokens {
        match token {
            Token::Any => steps.push(Step::Any { stops: true }),
            Token::Super => steps.push(Step::Any { stops: false }),
            Token::Either(options) => {
                let fork = steps.len();
                steps.push(Step::Fork(Vec::new()));
                let (mut places, mut ends) = (Vec::new(), Vec::new());
                for option in options {
                    places.push(steps.len());
                    put(option, steps);
                    ends.push(steps.len());
                    steps.push(Step::Jump(0));
                }
                let behind = steps.len();
                for end in ends {
                    steps[end] = Step::Jump(behind);
                }
                steps[fork] = Step::Fork(places);
            }
            one => steps.push(Step::Take(one)),
        }
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
    }

    #[test]
    fn no_pattern_is_slow_or_deep() {
        let matches = |pattern: &str, name: &str| Glob::parse(pattern).expect("good").matches(name);
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
        assert!(matches(&"*a".repeat(40), &"a".repeat(80)));
        assert!(matches(&"{a,}*{,b}".repeat(500), &"ab".repeat(200)));
        assert!(matches(&"**".repeat(100_000), ""));
        assert!(!matches(&"{a,{b,**/}}".repeat(300), &"b/".repeat(100).replace("b/b", "b/c")));
    }
}
