//! Go's `path.Clean`, `Base`, `Dir`, `Ext` and `filepath.Match`, which decide what a chart may contain and what is
//! ignored, and which templates may call.
//!
//! Works on text with `/`; nothing here touches a disk.

/// The shortest equal path by words alone: no `.`, no `//`, `..` only at the start; empty gives `.`.
pub fn clean(path: &str) -> String {
    String::from_utf8(clean_bytes(path.as_bytes())).expect("paths are cut at slashes")
}

/// The last element; `.` for the empty path, `/` for slashes alone.
pub fn base(path: &str) -> &str {
    std::str::from_utf8(base_bytes(path.as_bytes())).expect("paths are cut at slashes")
}

/// The suffix from the last dot of the last element, with the dot; empty where there is none.
pub fn extension(path: &str) -> &str {
    std::str::from_utf8(extension_bytes(path.as_bytes())).expect("paths are cut at dots")
}

/// [`clean`] of a path that need not be UTF-8.
pub fn clean_bytes(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/".as_slice(), &joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// [`base`] of a path that need not be UTF-8.
pub fn base_bytes(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    if end == 0 {
        return b"/";
    }
    let start = memchr::memrchr(b'/', &path[..end]).map_or(0, |at| at + 1);
    &path[start..end]
}

/// All but the last element, cleaned (`path.Dir`).
pub fn dir_bytes(path: &[u8]) -> Vec<u8> {
    clean_bytes(&path[..memchr::memrchr(b'/', path).map_or(0, |at| at + 1)])
}

/// [`extension`] of a path that need not be UTF-8.
pub fn extension_bytes(path: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b'/', path).map_or(0, |at| at + 1);
    memchr::memrchr(b'.', &path[start..]).map_or(&[], |at| &path[start + at..])
}

/// A pattern that `filepath.Match` does not understand.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct BadPattern;

/// Whether `name` matches the shell pattern: `*` and `?` stop at `/`, `[a-z]`, `[^a-z]`, `\` escapes.
///
/// Like Go's (1.26, `path/filepath/match.go`) it finds a malformed pattern even where the name fails earlier.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let mut pattern: Vec<char> = pattern.chars().collect();
    let mut name: Vec<char> = name.chars().collect();
    while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(&pattern);
        if star && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        let after = match_chunk(&chunk, &name)?;
        if let Some(after) = &after
            && (after.is_empty() || !rest.is_empty())
        {
            name.clone_from(after);
            pattern = rest;
            continue;
        }
        if star {
            let mut found = None;
            let mut at = 0;
            while at < name.len() && name[at] != '/' {
                if let Some(after) = match_chunk(&chunk, &name[at + 1..])? {
                    if rest.is_empty() && !after.is_empty() {
                        at += 1;
                        continue;
                    }
                    found = Some(after);
                    break;
                }
                at += 1;
            }
            if let Some(after) = found {
                name = after;
                pattern = rest;
                continue;
            }
        }
        // The rest of the pattern is still checked for being well-formed.
        let mut pattern = rest;
        while !pattern.is_empty() {
            let (_, chunk, rest) = scan_chunk(&pattern);
            match_chunk(&chunk, &[])?;
            pattern = rest;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// The leading star, the piece up to the next star outside of brackets, and what follows.
fn scan_chunk(pattern: &[char]) -> (bool, Vec<char>, Vec<char>) {
    let stars = pattern.iter().take_while(|c| **c == '*').count();
    let pattern = &pattern[stars..];
    let mut in_range = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '\\' if at + 1 < pattern.len() => at += 1,
            '[' => in_range = true,
            ']' => in_range = false,
            '*' if !in_range => break,
            _ => {}
        }
        at += 1;
    }
    (stars > 0, pattern[..at].to_vec(), pattern[at..].to_vec())
}

/// What is left of `name` behind the piece, where it matches.
fn match_chunk(chunk: &[char], name: &[char]) -> Result<Option<Vec<char>>, BadPattern> {
    let mut failed = false;
    let mut chunk = chunk;
    let mut name = name;
    while let Some(&first) = chunk.first() {
        failed |= name.is_empty();
        match first {
            '[' => {
                let next = name.first().copied().filter(|_| !failed);
                name = if next.is_some() { &name[1..] } else { name };
                chunk = &chunk[1..];
                let negated = chunk.first() == Some(&'^');
                chunk = if negated { &chunk[1..] } else { chunk };
                let mut hit = false;
                let mut ranges = 0;
                loop {
                    if chunk.first() == Some(&']') && ranges > 0 {
                        chunk = &chunk[1..];
                        break;
                    }
                    let (low, rest) = escaped(chunk)?;
                    let (high, rest) =
                        if rest.first() == Some(&'-') { escaped(&rest[1..])? } else { (low, rest) };
                    chunk = rest;
                    hit |= next.is_some_and(|c| low <= c && c <= high);
                    ranges += 1;
                }
                failed |= hit == negated;
            }
            '?' => {
                if !failed {
                    failed = name[0] == '/';
                    name = &name[1..];
                }
                chunk = &chunk[1..];
            }
            c => {
                let c = if c == '\\' {
                    chunk = &chunk[1..];
                    *chunk.first().ok_or(BadPattern)?
                } else {
                    c
                };
                if !failed {
                    failed = name[0] != c;
                    name = &name[1..];
                }
                chunk = &chunk[1..];
            }
        }
    }
    Ok((!failed).then(|| name.to_vec()))
}

/// One character of a bracket expression.
fn escaped(chunk: &[char]) -> Result<(char, &[char]), BadPattern> {
    let (first, rest) = chunk.split_first().ok_or(BadPattern)?;
    let (c, rest) = match first {
        '-' | ']' => return Err(BadPattern),
        '\\' => rest.split_first().ok_or(BadPattern)?,
        _ => (first, rest),
    };
    if rest.is_empty() {
        return Err(BadPattern);
    }
    Ok((*c, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_by_words() {
        for (from, to) in [
            ("a//b/./c", "a/b/c"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("../../a", "../../a"),
            ("a/../..", ".."),
            ("", "."),
            ("a/", "a"),
            ("/../a", "/a"),
        ] {
            assert_eq!(clean(from), to, "{from}");
        }
        assert_eq!((base("a/b//"), base("//"), base("")), ("b", "/", "."));
        assert_eq!(dir_bytes(b"a/b"), b"a");
        assert_eq!(dir_bytes(b"a"), b".");
        assert_eq!(dir_bytes(b"/a"), b"/");
        assert_eq!(extension("a.b/c"), "");
        assert_eq!(extension("x/c.tgz"), ".tgz");
    }

    #[test]
    fn matches_as_the_shell() {
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[^b-d]", "abc", Ok(false)),
            ("a\\*b", "a*b", Ok(true)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("a[", "x", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
