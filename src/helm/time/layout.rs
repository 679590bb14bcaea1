//! Go's layouts: a time written in terms of the reference `Mon Jan 2 15:04:05 MST 2006`.

use super::{MONTHS, Time, WEEKDAYS};

/// One element of a layout.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Zone { z: bool, shape: ZoneShape },
    Fraction { digits: usize, nines: bool, comma: bool },
}

/// How an offset is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum ZoneShape {
    /// `-07`.
    Hours,
    /// `-0700`.
    Minutes,
    /// `-07:00`.
    Colon,
    /// `-070000`.
    Seconds,
    /// `-07:00:00`.
    ColonSeconds,
}

/// Literal text before the next element, the element, and what follows it.
pub(super) fn next_element(layout: &[u8]) -> (&[u8], Option<Element>, &[u8]) {
    for at in 0..layout.len() {
        if let Some((element, skip, width)) = element_at(&layout[at..]) {
            let start = at + skip;
            return (&layout[..start], Some(element), &layout[start + width..]);
        }
    }
    (layout, None, b"")
}

/// The element at the front, literal bytes before it, and its width.
fn element_at(rest: &[u8]) -> Option<(Element, usize, usize)> {
    let has = |text: &str| rest.starts_with(text.as_bytes());
    let lower_after = |width: usize| rest.get(width).is_some_and(u8::is_ascii_lowercase);
    let found = |element, width| Some((element, 0, width));
    match rest[0] {
        b'J' if has("January") => found(Element::LongMonth, 7),
        b'J' if has("Jan") && !lower_after(3) => found(Element::Month, 3),
        b'M' if has("Monday") => found(Element::LongWeekday, 6),
        b'M' if has("Mon") && !lower_after(3) => found(Element::Weekday, 3),
        b'M' if has("MST") => found(Element::ZoneName, 3),
        b'0' => match rest.get(1)? {
            b'1' => found(Element::ZeroMonth, 2),
            b'2' => found(Element::ZeroDay, 2),
            b'3' => found(Element::ZeroHour12, 2),
            b'4' => found(Element::ZeroMinute, 2),
            b'5' => found(Element::ZeroSecond, 2),
            b'6' => found(Element::Year, 2),
            b'0' if rest.get(2) == Some(&b'2') => found(Element::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if has("15") => found(Element::Hour, 2),
        b'1' => found(Element::NumMonth, 1),
        b'2' if has("2006") => found(Element::LongYear, 4),
        b'2' => found(Element::Day, 1),
        // The underscore before a year is only an underscore.
        b'_' if has("_2006") => Some((Element::LongYear, 1, 4)),
        b'_' if has("_2") => found(Element::UnderDay, 2),
        b'_' if has("__2") => found(Element::UnderYearDay, 3),
        b'3' => found(Element::Hour12, 1),
        b'4' => found(Element::Minute, 1),
        b'5' => found(Element::Second, 1),
        b'P' if has("PM") => found(Element::UpperPm, 2),
        b'p' if has("pm") => found(Element::LowerPm, 2),
        lead @ (b'-' | b'Z') => {
            let z = lead == b'Z';
            let (shape, width) = zone_shape(&rest[1..])?;
            found(Element::Zone { z, shape }, width + 1)
        }
        lead @ (b'.' | b',') => {
            let digit = *rest.get(1).filter(|b| matches!(b, b'0' | b'9'))?;
            let digits = rest[1..].iter().take_while(|&&b| b == digit).count();
            if rest.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            found(Element::Fraction { digits, nines: digit == b'9', comma: lead == b',' }, 1 + digits)
        }
        _ => None,
    }
}

fn zone_shape(rest: &[u8]) -> Option<(ZoneShape, usize)> {
    [
        ("070000", ZoneShape::Seconds),
        ("07:00:00", ZoneShape::ColonSeconds),
        ("0700", ZoneShape::Minutes),
        ("07:00", ZoneShape::Colon),
        ("07", ZoneShape::Hours),
    ]
    .into_iter()
    .find(|(text, _)| rest.starts_with(text.as_bytes()))
    .map(|(text, shape)| (shape, text.len()))
}

/// `Time.Format`.
pub fn format(time: &Time, layout: &[u8]) -> Vec<u8> {
    let civil = time.civil();
    let mut out = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let (literal, element, after) = next_element(rest);
        out.extend_from_slice(literal);
        let Some(element) = element else {
            return out;
        };
        rest = after;
        let month = MONTHS[civil.month.saturating_sub(1) as usize % 12];
        let weekday = WEEKDAYS[civil.weekday as usize % 7];
        let hour12 = (civil.hour + 11) % 12 + 1;
        let piece = match element {
            Element::Year => format!("{:02}", civil.year.max(0) % 100),
            Element::LongYear if civil.year < 0 => format!("-{:04}", -civil.year),
            Element::LongYear => format!("{:04}", civil.year),
            Element::LongMonth => month.into(),
            Element::Month => month[..3].into(),
            Element::NumMonth => civil.month.to_string(),
            Element::ZeroMonth => format!("{:02}", civil.month),
            Element::LongWeekday => weekday.into(),
            Element::Weekday => weekday[..3].into(),
            Element::Day => civil.day.to_string(),
            Element::UnderDay => format!("{:2}", civil.day),
            Element::ZeroDay => format!("{:02}", civil.day),
            Element::UnderYearDay => format!("{:3}", civil.year_day),
            Element::ZeroYearDay => format!("{:03}", civil.year_day),
            Element::Hour => format!("{:02}", civil.hour),
            Element::Hour12 => hour12.to_string(),
            Element::ZeroHour12 => format!("{hour12:02}"),
            Element::Minute => civil.minute.to_string(),
            Element::ZeroMinute => format!("{:02}", civil.minute),
            Element::Second => civil.second.to_string(),
            Element::ZeroSecond => format!("{:02}", civil.second),
            Element::UpperPm => if civil.hour >= 12 { "PM" } else { "AM" }.into(),
            Element::LowerPm => if civil.hour >= 12 { "pm" } else { "am" }.into(),
            Element::ZoneName if civil.offset.name.is_empty() => unnamed_zone(civil.offset.seconds),
            Element::ZoneName => civil.offset.name.clone(),
            Element::Zone { z: true, .. } if civil.offset.seconds == 0 => "Z".into(),
            Element::Zone { shape, .. } => offset(civil.offset.seconds, shape),
            Element::Fraction { digits, nines, comma } => fraction(time.nanos, digits, nines, comma),
        };
        out.extend_from_slice(piece.as_bytes());
    }
}

fn sign(seconds: i32) -> char {
    if seconds < 0 { '-' } else { '+' }
}

fn unnamed_zone(seconds: i32) -> String {
    let minutes = (seconds / 60).abs();
    let hours = minutes / 60;
    format!("{}{hours:02}{:02}", sign(seconds), minutes % 60)
}

fn offset(seconds: i32, shape: ZoneShape) -> String {
    let sign = sign(seconds / 60);
    let total = seconds.abs();
    let (h, m, s) = (total / 3600, total / 60 % 60, total % 60);
    match shape {
        ZoneShape::Hours => format!("{sign}{h:02}"),
        ZoneShape::Minutes => format!("{sign}{h:02}{m:02}"),
        ZoneShape::Colon => format!("{sign}{h:02}:{m:02}"),
        ZoneShape::Seconds => format!("{sign}{h:02}{m:02}{s:02}"),
        ZoneShape::ColonSeconds => format!("{sign}{h:02}:{m:02}:{s:02}"),
    }
}

fn fraction(nanos: u32, digits: usize, nines: bool, comma: bool) -> String {
    let mark = if comma { ',' } else { '.' };
    let mut text = format!("{nanos:09}");
    text.truncate(digits);
    while text.len() < digits && !nines {
        text.push('0');
    }
    if nines {
        text.truncate(text.trim_end_matches('0').len());
        if text.is_empty() {
            return text;
        }
    }
    format!("{mark}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::time::Zone;

    fn at(layout: &str) -> String {
        let time = Time { unix: 1_706_930_585, nanos: 120_000_000, zone: Zone::Fixed("CET".into(), 3600) };
        String::from_utf8(format(&time, layout.as_bytes())).unwrap()
    }

    #[test]
    fn elements() {
        assert_eq!(at("2006-01-02T15:04:05Z07:00"), "2024-02-03T04:23:05+01:00");
        assert_eq!(at("Mon Jan _2 3:04PM 06 MST"), "Sat Feb  3 4:23AM 24 CET");
        assert_eq!(
            at("Monday, January 2 002 __2 .000 .999 ,00"),
            "Saturday, February 3 034  34 .120 .12 ,12"
        );
        assert_eq!(at("Januarys Jans Months _2006 -0700 -07"), "Februarys Jans Months _2024 +0100 +01");
        assert_eq!(at("no elements: yyyy"), "no elements: yyyy");
    }
}
