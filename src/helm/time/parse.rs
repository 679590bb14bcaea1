//! Reading a time by a layout (`time.ParseInLocation`).

use super::layout::{Element, ZoneShape, next_element};
use super::{MONTHS, Time, WEEKDAYS, Zone, days_in, is_leap, unix_from_civil};
use crate::helm::strconv::shown;

/// What one element made wrong.
enum Fault {
    Bad,
    Range(&'static str),
}

type Step<T> = Result<T, Fault>;

/// How Go's `time` quotes a text in its errors: bytes outside of ASCII in hex.
pub(super) fn quote(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in &*shown(text) {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x20..0x80 => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
    out
}

#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    pm: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone_name: Option<Vec<u8>>,
}

/// Parses `value` by `layout`; a time without a zone is in `local`. The error is Go's text.
pub fn parse(layout: &[u8], value: &[u8], local: &Zone) -> Result<Time, Vec<u8>> {
    let parts = |message: &[u8]| [b"parsing time ".as_slice(), &quote(value), message].concat();
    let bad = |elem: &[u8], rest: &[u8]| {
        parts(
            &[b" as ".as_slice(), &quote(layout), b": cannot parse ", &quote(rest), b" as ", &quote(elem)]
                .concat(),
        )
    };
    let mut fields = Fields::default();
    let (mut pattern, mut rest) = (layout, value);
    loop {
        let (literal, element, after) = next_element(pattern);
        let text = &pattern[literal.len()..pattern.len() - after.len()];
        rest = skip(rest, literal).map_err(|rest| bad(literal, rest))?;
        let Some(element) = element else {
            if !rest.is_empty() {
                return Err(parts(&[b": extra text: ".as_slice(), &quote(rest)].concat()));
            }
            break;
        };
        pattern = after;
        match fields.read(element, rest, pattern) {
            Ok(next) => rest = next,
            Err(Fault::Bad) => return Err(bad(text, rest)),
            Err(Fault::Range(what)) => {
                return Err(parts(format!(": {what} out of range").as_bytes()));
            }
        }
    }
    fields.finish(local).map_err(|what| parts(what.as_bytes()))
}

/// Eats literal text; runs of spaces match runs of spaces. `Err` is what was left where it went wrong.
fn skip<'a>(mut value: &'a [u8], mut literal: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some((&first, tail)) = literal.split_first() {
        if first == b' ' {
            if value.first().is_some_and(|&b| b != b' ') {
                return Err(value);
            }
            literal = literal.trim_start_matches_space();
            value = value.trim_start_matches_space();
            continue;
        }
        if value.first() != Some(&first) {
            return Err(value);
        }
        literal = tail;
        value = &value[1..];
    }
    Ok(value)
}

trait Spaces {
    fn trim_start_matches_space(&self) -> &Self;
}

impl Spaces for [u8] {
    fn trim_start_matches_space(&self) -> &Self {
        &self[self.iter().position(|&b| b != b' ').unwrap_or(self.len())..]
    }
}

fn digit_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

fn value_of(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |n, &d| n * 10 + i64::from(d.wrapping_sub(b'0')))
}

/// One or two digits, exactly two where `fixed`.
fn number(text: &[u8], fixed: bool) -> Step<(i64, &[u8])> {
    match (digit_at(text, 0), digit_at(text, 1)) {
        (true, true) => Ok((value_of(&text[..2]), &text[2..])),
        (true, false) if !fixed => Ok((value_of(&text[..1]), &text[1..])),
        _ => Err(Fault::Bad),
    }
}

fn name<'a>(names: &[&str], cut: usize, text: &'a [u8]) -> Step<(i64, &'a [u8])> {
    for (at, name) in (0..).zip(names) {
        let name = &name.as_bytes()[..cut.min(name.len())];
        if text.len() >= name.len() && text[..name.len()].eq_ignore_ascii_case(name) {
            return Ok((at, &text[name.len()..]));
        }
    }
    Err(Fault::Bad)
}

/// A mark and digits of a fraction.
fn fraction(text: &[u8]) -> Step<u32> {
    let (mark, digits) = text.split_first().ok_or(Fault::Bad)?;
    if !matches!(mark, b'.' | b',') {
        return Err(Fault::Bad);
    }
    let digits = &digits[..digits.len().min(9)];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Bad);
    }
    let scale = 10i64.pow(u32::try_from(9 - digits.len()).unwrap_or(0));
    Ok(u32::try_from(value_of(digits) * scale).unwrap_or(0))
}

impl Fields {
    fn read<'a>(&mut self, element: Element, text: &'a [u8], pattern: &[u8]) -> Step<&'a [u8]> {
        let cut = |width: usize| text.split_at_checked(width).ok_or(Fault::Bad);
        let within = |n: i64, end: i64, what| if n < end { Ok(n) } else { Err(Fault::Range(what)) };
        let mut rest = text;
        match element {
            Element::Year => {
                let (digits, tail) = cut(2)?;
                if !(digit_at(digits, 1) && (digit_at(digits, 0) || matches!(digits[0], b'-' | b'+'))) {
                    return Err(Fault::Bad);
                }
                let year = match digits[0] {
                    b'-' => -value_of(&digits[1..]),
                    b'+' => value_of(&digits[1..]),
                    _ => value_of(digits),
                };
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                rest = tail;
            }
            Element::LongYear => {
                let (digits, tail) = cut(4)?;
                if !digits.iter().all(u8::is_ascii_digit) {
                    return Err(Fault::Bad);
                }
                self.year = value_of(digits);
                rest = tail;
            }
            Element::Month | Element::LongMonth => {
                let (month, tail) = name(&MONTHS, if element == Element::Month { 3 } else { 9 }, text)?;
                self.month = Some(month + 1);
                rest = tail;
            }
            Element::NumMonth | Element::ZeroMonth => {
                let (month, tail) = number(text, element == Element::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Fault::Range("month"));
                }
                self.month = Some(month);
                rest = tail;
            }
            Element::Weekday => rest = name(&WEEKDAYS, 3, text)?.1,
            Element::LongWeekday => rest = name(&WEEKDAYS, 9, text)?.1,
            Element::Day | Element::UnderDay | Element::ZeroDay => {
                let text = match text {
                    [b' ', tail @ ..] if element == Element::UnderDay => tail,
                    _ => text,
                };
                let (day, tail) = number(text, element == Element::ZeroDay)?;
                self.day = Some(day);
                rest = tail;
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                let fixed = element == Element::ZeroYearDay;
                let mut text = text;
                for _ in 0..2 {
                    if let ([b' ', tail @ ..], false) = (text, fixed) {
                        text = tail;
                    }
                }
                let count = text.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
                if count == 0 || fixed && count != 3 {
                    return Err(Fault::Bad);
                }
                self.year_day = Some(value_of(&text[..count]));
                rest = &text[count..];
            }
            Element::Hour => {
                let (hour, tail) = number(text, false)?;
                self.hour = within(hour, 24, "hour")?;
                rest = tail;
            }
            Element::Hour12 | Element::ZeroHour12 => {
                let (hour, tail) = number(text, element == Element::ZeroHour12)?;
                self.hour = within(hour, 13, "hour")?;
                rest = tail;
            }
            Element::Minute | Element::ZeroMinute => {
                let (minute, tail) = number(text, element == Element::ZeroMinute)?;
                self.minute = within(minute, 60, "minute")?;
                rest = tail;
            }
            Element::Second | Element::ZeroSecond => {
                let (second, tail) = number(text, element == Element::ZeroSecond)?;
                self.second = within(second, 60, "second")?;
                rest = tail;
                // A fraction may follow even where the layout has none.
                let layout_has_one = matches!(next_element(pattern).1, Some(Element::Fraction { .. }));
                if matches!(rest.first(), Some(b'.' | b',')) && digit_at(rest, 1) && !layout_has_one {
                    let end = 1 + rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
                    self.nanos = fraction(&rest[..end])?;
                    rest = &rest[end..];
                }
            }
            Element::UpperPm | Element::LowerPm => {
                let (half, tail) = cut(2)?;
                self.pm = Some(match (half, element) {
                    (b"PM", Element::UpperPm) | (b"pm", Element::LowerPm) => true,
                    (b"AM", Element::UpperPm) | (b"am", Element::LowerPm) => false,
                    _ => return Err(Fault::Bad),
                });
                rest = tail;
            }
            Element::Zone { z: true, .. } if text.first() == Some(&b'Z') => {
                self.utc = true;
                rest = &text[1..];
            }
            Element::Zone { shape, .. } => rest = self.offset(text, shape)?,
            Element::ZoneName => {
                if text.starts_with(b"UTC") {
                    self.utc = true;
                    rest = &text[3..];
                } else {
                    let width = zone_name(text).ok_or(Fault::Bad)?;
                    self.zone_name = Some(text[..width].to_vec());
                    rest = &text[width..];
                }
            }
            Element::Fraction { nines: true, .. } => {
                if matches!(text.first(), Some(b'.' | b',')) && digit_at(text, 1) {
                    let end = 1 + text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
                    self.nanos = fraction(&text[..end])?;
                    rest = &text[end..];
                }
            }
            Element::Fraction { digits, .. } => {
                let (piece, tail) = cut(1 + digits)?;
                self.nanos = fraction(piece)?;
                rest = tail;
            }
        }
        Ok(rest)
    }

    fn offset<'a>(&mut self, text: &'a [u8], shape: ZoneShape) -> Step<&'a [u8]> {
        let (width, minute, second, colons): (_, _, _, &[usize]) = match shape {
            ZoneShape::Hours => (3, 0, 0, &[]),
            ZoneShape::Minutes => (5, 3, 0, &[]),
            ZoneShape::Colon => (6, 4, 0, &[3]),
            ZoneShape::Seconds => (7, 3, 5, &[]),
            ZoneShape::ColonSeconds => (9, 4, 7, &[3, 6]),
        };
        let (piece, rest) = text.split_at_checked(width).ok_or(Fault::Bad)?;
        if colons.iter().any(|&at| piece[at] != b':') {
            return Err(Fault::Bad);
        }
        let two = |at: usize| if at == 0 { Ok(0) } else { number(&piece[at..], true).map(|(n, _)| n) };
        let hours = number(&piece[1..], true)?.0;
        let (minutes, seconds) = (two(minute)?, two(second)?);
        for (n, end, what) in [
            (hours, 24, "time zone offset hour"),
            (minutes, 60, "time zone offset minute"),
            (seconds, 60, "time zone offset second"),
        ] {
            if n > end {
                return Err(Fault::Range(what));
            }
        }
        let total = i32::try_from((hours * 60 + minutes) * 60 + seconds).unwrap_or(0);
        self.offset = Some(match piece[0] {
            b'+' => total,
            b'-' => -total,
            _ => return Err(Fault::Bad),
        });
        Ok(rest)
    }

    fn finish(mut self, local: &Zone) -> Result<Time, &'static str> {
        match self.pm {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(year_day) = self.year_day {
            if year_day < 1 || year_day > 365 + i64::from(is_leap(self.year)) {
                return Err(": day-of-year out of range");
            }
            let (mut month, mut day) = (1, year_day);
            while day > days_in(self.year, month) {
                day -= days_in(self.year, month);
                month += 1;
            }
            if self.month.is_some_and(|m| m != month) {
                return Err(": day-of-year does not match month");
            }
            if self.day.is_some_and(|d| d != day) {
                return Err(": day-of-year does not match day");
            }
            self.month = Some(month);
            self.day = Some(day);
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(self.year, month) {
            return Err(": day out of range");
        }
        let date = (self.year, month, day);
        let clock = (self.hour, self.minute, self.second);
        let nanos = self.nanos;
        if self.utc {
            return Ok(Time::from_civil(date, clock, nanos, Zone::Utc));
        }
        let naive = unix_from_civil(date, clock);
        let zone_name = self.zone_name.map(|name| String::from_utf8_lossy(&name).into_owned());
        if let Some(offset) = self.offset {
            let unix = naive.saturating_sub(i64::from(offset));
            let there = local.at(unix);
            let matches =
                there.seconds == offset && zone_name.as_ref().is_none_or(|name| *name == there.name);
            let zone =
                if matches { local.clone() } else { Zone::Fixed(zone_name.unwrap_or_default(), offset) };
            return Ok(Time { unix, nanos, zone });
        }
        if let Some(name) = zone_name {
            let there = local.at(naive);
            if there.name == name {
                return Ok(Time::from_civil(date, clock, nanos, local.clone()));
            }
            // An abbreviation that the local zone does not know is kept with offset 0, but `GMT+3` counts.
            let hours = name.strip_prefix("GMT").and_then(|h| h.parse::<i32>().ok()).unwrap_or(0);
            return Ok(Time { unix: naive, nanos, zone: Zone::Fixed(name, hours * 3600) });
        }
        Ok(Time::from_civil(date, clock, nanos, local.clone()))
    }
}

/// The length of a zone's abbreviation at the front.
fn zone_name(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if text.starts_with(b"GMT") {
        return Some(3 + signed_offset(&text[3..]));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_offset(text)).filter(|&n| n > 0);
    }
    match text.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count() {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

fn signed_offset(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let count = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let small = count > 0
        && text[1..=count].iter().fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d - b'0')))
            <= 23;
    if small { 1 + count } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(layout: &str, value: &str) -> Result<i64, String> {
        parse(layout.as_bytes(), value.as_bytes(), &Zone::Utc)
            .map(|t| t.unix)
            .map_err(|e| String::from_utf8(e).unwrap())
    }

    #[test]
    fn times_parse() {
        assert_eq!(unix("2006-01-02", "2024-02-03"), Ok(1_706_918_400));
        assert_eq!(unix("2006-01-02T15:04:05Z07:00", "2024-02-03T04:23:05.5+01:00"), Ok(1_706_930_585));
        assert_eq!(unix("Jan 2, 2006 at 3:04pm (MST)", "Feb 3, 2013 at 7:54pm (PST)"), Ok(1_359_921_240));
        assert_eq!(unix("2006 002", "2024 060"), Ok(1_709_164_800));
    }

    #[test]
    fn faults_have_gos_words() {
        assert_eq!(
            unix("2006-01-02", "2024/02/03").unwrap_err(),
            r#"parsing time "2024/02/03" as "2006-01-02": cannot parse "/02/03" as "-""#
        );
        assert_eq!(
            unix("2006-01-02", "x").unwrap_err(),
            r#"parsing time "x" as "2006-01-02": cannot parse "x" as "2006""#
        );
        assert_eq!(
            unix("2006-01-02", "2024-13-03").unwrap_err(),
            r#"parsing time "2024-13-03": month out of range"#
        );
        assert_eq!(
            unix("2006-01-02", "2024-02-30").unwrap_err(),
            r#"parsing time "2024-02-30": day out of range"#
        );
        assert_eq!(unix("2006", "2024x").unwrap_err(), r#"parsing time "2024x": extra text: "x""#);
    }
}
