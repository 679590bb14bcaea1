//! Schedules of CronJobs, as the parser of the server reads them, and time zones.

use super::super::formats::Reason;
use crate::expr::time::parse_duration;
use jiff::tz::TimeZoneDatabase;

/// A field of a schedule: its bounds, and the names that numbers have.
struct Bounds {
    least: u64,
    most: u64,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: &[Bounds] = &[
    Bounds { least: 0, most: 59, names: &[] },
    Bounds { least: 0, most: 23, names: &[] },
    Bounds { least: 1, most: 31, names: &[] },
    Bounds { least: 1, most: 12, names: MONTHS },
    Bounds { least: 0, most: 6, names: DAYS },
];
const NAMED: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Whether a schedule without a time zone can be read.
pub(super) fn check_schedule(text: &str) -> Result<(), Reason> {
    if let Some(every) = text.strip_prefix("@every ") {
        return parse_duration(every).map(|_| ()).ok_or("has no duration after `@every`, such as `1h30m`");
    }
    if text.starts_with('@') {
        return if NAMED.contains(&text) { Ok(()) } else { Err("is no name of a schedule") };
    }
    let mut words = text.split_whitespace();
    for bounds in FIELDS {
        let word = words.next().ok_or("has fewer than five fields")?;
        for range in word.split(',').filter(|range| !range.is_empty()) {
            check_range(range, bounds)?;
        }
    }
    if words.next().is_some() { Err("has more than five fields") } else { Ok(()) }
}

/// `*`, `n` or `n-m`, and a step where wanted.
fn check_range(text: &str, bounds: &Bounds) -> Result<(), Reason> {
    let (range, step) = match text.split_once('/') {
        Some((_, step)) if step.contains('/') => return Err("has a range with two `/`"),
        Some((range, step)) => (range, Some(number(step)?)),
        None => (text, None),
    };
    let (first, rest) = match range.split_once('-') {
        Some((first, rest)) => (first, Some(rest)),
        None => (range, None),
    };
    let (start, end) = match (first, rest) {
        ("*" | "?", _) => (bounds.least, bounds.most),
        (_, Some(rest)) if rest.contains('-') => return Err("has a range with two `-`"),
        (_, Some(rest)) => (value(first, bounds)?, value(rest, bounds)?),
        // A number with a step goes on to the end.
        (_, None) if step.is_some() => (value(first, bounds)?, bounds.most),
        (_, None) => (value(first, bounds)?, value(first, bounds)?),
    };
    if start < bounds.least || end > bounds.most {
        Err("has a number out of its bounds")
    } else if start > end {
        Err("has a range that ends before it begins")
    } else if step == Some(0) {
        Err("has a step of 0")
    } else {
        Ok(())
    }
}

fn value(text: &str, bounds: &Bounds) -> Result<u64, Reason> {
    let named = bounds.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    match named.and_then(|index| u64::try_from(index).ok()) {
        Some(index) => Ok(index + bounds.least),
        None => number(text),
    }
}

/// A number as Go reads it: a sign may stand before, and it is not negative.
fn number(text: &str) -> Result<u64, Reason> {
    match text.parse::<i64>() {
        Ok(number) => u64::try_from(number).or(Err("has a negative number")),
        Err(_) => Err("has a part that is no number"),
    }
}

/// Whether there is such a time zone.
pub(super) fn check_zone(text: &str) -> Result<(), Reason> {
    const LONGEST: usize = 14;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
    let part = |part: &str| {
        (1..=LONGEST).contains(&part.len())
            && !matches!(part, "." | "..")
            && !part.starts_with('-')
            && part.bytes().all(plain)
    };
    if text.is_empty() {
        return Err("is empty");
    }
    if !text.split('/').all(part) {
        return Err("is no time zone");
    }
    if text.eq_ignore_ascii_case("Local") {
        return Err("depends on the server");
    }
    // What else there is depends on the files of the server's system.
    let name = text.strip_prefix("posix/").or_else(|| text.strip_prefix("right/")).unwrap_or(text);
    if matches!(name, "Factory" | "localtime" | "posixrules") {
        return Ok(());
    }
    // Unlike the table, the server tells capital letters from small ones.
    let known = TimeZoneDatabase::bundled().get(name);
    match known.as_ref().ok().and_then(|zone| zone.iana_name()) {
        Some(known) if known == name => Ok(()),
        Some(_) => Err("is a time zone in another spelling"),
        None if name == "UTC" => Ok(()),
        None => Err("is no time zone"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_as_the_server_reads_them() {
        for good in [
            "* * * * *",
            "*/5 0-23/2 1,15 jan-DEC mon-fri",
            "  0 0 31 2 ?",
            "5/10 * * * *",
            "@hourly",
            "@every 1h30m",
            "@every -1s",
            "*-9 * * * *",
            "+5 * * * *",
            ", * * * *",
        ] {
            assert_eq!(check_schedule(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 7",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "1-2-3 * * * *",
            "1/2/3 * * * *",
            "-1 * * * *",
            "@reboot",
            "@every",
            "@every x",
            "mon * * * *",
        ] {
            assert!(check_schedule(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn zones_are_those_of_the_table_in_their_spelling() {
        for good in
            ["Europe/Berlin", "UTC", "Etc/UTC", "America/Argentina/Ushuaia", "Etc/GMT+1", "CET", "posix/UTC"]
        {
            assert_eq!(check_zone(good), Ok(()), "{good}");
        }
        for bad in ["", "europe/berlin", "Local", "local", "Mars/Base", "../UTC", "Europe//Berlin", "+01:00"]
        {
            assert!(check_zone(bad).is_err(), "{bad}");
        }
    }
}
