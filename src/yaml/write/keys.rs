//! The order of keys: go-yaml's natural order (sorter.go, v2.4.2).
//!
//! Letters by code point, anything else in front of a letter, runs of digits by their number. For keys that mix
//! these the order is not transitive, and what Go prints depends on the random order of its maps; here the keys
//! are first sorted by their bytes, so that one set of keys has one order.

use std::sync::OnceLock;

/// Sorts entries by their keys.
pub(super) fn sort<T: Copy>(entries: &mut Vec<(&[u8], T)>) {
    if entries.is_sorted_by(|a, b| a.0 <= b.0 && !less(b.0, a.0)) {
        return;
    }
    entries.sort_by(|a, b| a.0.cmp(b.0));
    if entries.is_sorted_by(|a, b| !less(b.0, a.0)) {
        return;
    }
    // A merge sort: the sorts of the standard library may panic on an order that is not transitive.
    let mut other = Vec::with_capacity(entries.len());
    let mut width = 1;
    while width < entries.len() {
        other.clear();
        for pair in entries.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut i, mut j) = (0, 0);
            while i < left.len() || j < right.len() {
                let take_right = i >= left.len() || (j < right.len() && less(right[j].0, left[i].0));
                if take_right {
                    other.push(right[j]);
                    j += 1;
                } else {
                    other.push(left[i]);
                    i += 1;
                }
            }
        }
        std::mem::swap(entries, &mut other);
        width *= 2;
    }
}

fn less(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    match (a.get(same), b.get(same)) {
        (None, None) => false,
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (Some(x), Some(y)) if x.is_ascii_alphabetic() && y.is_ascii_alphabetic() => x < y,
        _ => less_at(a, b, same),
    }
}

/// `less` of two keys that differ at a byte.
fn less_at(a: &[u8], b: &[u8], same: usize) -> bool {
    let mut start = same;
    while start > 0 && a.get(start).is_none_or(|byte| byte & 0xc0 == 0x80) {
        start -= 1;
    }
    let before = String::from_utf8_lossy(&a[..start]);
    let (a, b) = (String::from_utf8_lossy(&a[start..]), String::from_utf8_lossy(&b[start..]));
    let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else { return a.len() < b.len() };
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x < y,
        (true, false) | (false, true) => return is_letter(y),
        (false, false) => {}
    }
    let mut first = 0;
    if (x == '0' || y == '0') && before.chars().rev().take_while(|c| is_digit(*c)).any(|c| c != '0') {
        first = 1;
    }
    let number = |text: &str| {
        text.chars().take_while(|c| is_digit(*c)).fold((first, 0), |(number, count): (i64, usize), c| {
            let digit = i64::from(u32::from(c)) - i64::from(b'0');
            (number.wrapping_mul(10).wrapping_add(digit), count + 1)
        })
    };
    let numbers = (number(&a), number(&b));
    if numbers.0 == numbers.1 { x < y } else { numbers.0 < numbers.1 }
}

fn is_letter(c: char) -> bool {
    static LETTER: OnceLock<Option<regex::Regex>> = OnceLock::new();
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    c.is_alphabetic() && in_class(&LETTER, r"^\p{L}$", c)
}

fn is_digit(c: char) -> bool {
    static DIGIT: OnceLock<Option<regex::Regex>> = OnceLock::new();
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    c.is_numeric() && in_class(&DIGIT, r"^\p{Nd}$", c)
}

fn in_class(cell: &OnceLock<Option<regex::Regex>>, class: &str, c: char) -> bool {
    let class = cell.get_or_init(|| regex::Regex::new(class).ok());
    class.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<'a>(keys: &[&'a str]) -> Vec<&'a str> {
        let mut entries: Vec<_> = keys.iter().map(|key| (key.as_bytes(), *key)).collect();
        sort(&mut entries);
        entries.into_iter().map(|entry| entry.1).collect()
    }

    #[test]
    fn numbers_count_and_letters_come_last() {
        assert_eq!(sorted(&["a10", "a2", "a1", "a"]), ["a", "a1", "a2", "a10"]);
        assert_eq!(sorted(&["b", "a", "B", "_", "1", "."]), [".", "_", "1", "B", "a", "b"]);
        assert_eq!(sorted(&["a01", "a1", "a001"]), ["a1", "a01", "a001"]);
        assert_eq!(sorted(&["é", "z", "é1", "é-"]), ["z", "é", "é-", "é1"]);
    }

    #[test]
    fn keys_without_an_order_do_not_panic() {
        let keys: Vec<String> =
            (0..2000).map(|n| format!("{:x}{}", n * 7919, ["A", "0", ".", "b"][n % 4])).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut turned = keys.clone();
        turned.reverse();
        assert_eq!(sorted(&keys), sorted(&turned));
    }
}
