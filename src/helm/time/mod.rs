//! Go's `time`: instants with a zone, civil dates, layouts and durations, free of the clock.
//!
//! An instant is seconds since 1970 in UTC and nanoseconds. Years are the proleptic Gregorian calendar's, any
//! number of them. Zones other than UTC, fixed ones and the local one come from the bundled tz database.

mod duration;
mod layout;
mod parse;

pub use duration::{format_duration, parse_duration, round_duration};
pub use layout::format;
pub use parse::parse;

use jiff::tz::{Dst, TimeZone};

/// English names, as layouts know them.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// English names, as layouts know them.
pub const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Where a time's clock stands.
#[derive(Clone, Debug)]
pub enum Zone {
    /// UTC.
    Utc,
    /// The zone of the machine: its offset and abbreviation at one time, and its name in the tz database, if known.
    Local(Box<Zone>),
    /// Always the same offset, with a name that may be empty.
    Fixed(String, i32),
    /// A zone of the tz database.
    Named(TimeZone),
}

/// What a zone says at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Seconds east of UTC.
    pub seconds: i32,
    /// `CET`; may be empty.
    pub name: String,
    /// Daylight saving time.
    pub dst: bool,
}

impl Zone {
    /// `time.LoadLocation`, for names other than `Local`.
    pub fn load(name: &str) -> Option<Self> {
        if name.is_empty() || name == "UTC" {
            return Some(Self::Utc);
        }
        TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name)).map(Self::Named)
    }

    /// The offset at an instant.
    pub fn at(&self, unix: i64) -> Offset {
        match self {
            Self::Utc => Offset { seconds: 0, name: "UTC".into(), dst: false },
            Self::Local(zone) => zone.at(unix),
            Self::Fixed(name, seconds) => Offset { seconds: *seconds, name: name.clone(), dst: false },
            Self::Named(zone) => {
                // Outside of the years that the database knows, the nearest rule holds.
                let lowest = jiff::Timestamp::MIN.as_second();
                let highest = jiff::Timestamp::MAX.as_second();
                let instant = jiff::Timestamp::from_second(unix.clamp(lowest, highest)).unwrap_or_default();
                let info = zone.to_offset_info(instant);
                Offset {
                    seconds: info.offset().seconds(),
                    name: info.abbreviation().to_owned(),
                    dst: info.dst() == Dst::Yes,
                }
            }
        }
    }

    /// The name of the location, as `Location.String` prints it.
    pub fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Local(_) => "Local",
            Self::Fixed(name, _) => name,
            Self::Named(zone) => zone.iana_name().unwrap_or_default(),
        }
    }
}

/// A Go `time.Time`.
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix: i64,
    /// Nanoseconds of the second.
    pub nanos: u32,
    /// Where its clock stands.
    pub zone: Zone,
}

/// A time taken apart in its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year, negative before the year 1.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 1 to 366.
    pub year_day: u32,
    /// 0 (Sunday) to 6.
    pub weekday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// The zone at that time.
    pub offset: Offset,
}

/// Whether a year has 366 days.
pub fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// The days of a month (1 to 12).
pub fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date; the month may be any number.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year.saturating_add((month - 1).div_euclid(12));
    let month = (month - 1).rem_euclid(12) + 1;
    let y = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.saturating_mul(146_097).saturating_add(day_of_era).saturating_sub(719_468)
}

/// Seconds since 1970 of a civil time in UTC; every field may be out of its range.
pub fn unix_from_civil(date: (i64, i64, i64), clock: (i64, i64, i64)) -> i64 {
    days_from_civil(date.0, date.1, date.2)
        .saturating_mul(86_400)
        .saturating_add(clock.0.saturating_mul(3600))
        .saturating_add(clock.1.saturating_mul(60))
        .saturating_add(clock.2)
}

impl Time {
    /// Go's zero time: the year 1 in UTC.
    pub fn zero() -> Self {
        Self { unix: -62_135_596_800, nanos: 0, zone: Zone::Utc }
    }

    /// A civil time in a zone (`time.Date`); what falls into a gap or overlap of the clock goes by the offset before.
    pub fn from_civil(date: (i64, i64, i64), clock: (i64, i64, i64), nanos: u32, zone: Zone) -> Self {
        let local = unix_from_civil(date, clock);
        let first = i64::from(zone.at(local).seconds);
        let mut unix = local.saturating_sub(first);
        let second = i64::from(zone.at(unix).seconds);
        if second != first {
            let other = local.saturating_sub(second);
            if i64::from(zone.at(other).seconds) == second {
                unix = other;
            }
        }
        Self { unix, nanos, zone }
    }

    /// The same instant elsewhere.
    #[must_use]
    pub fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    /// Later by nanoseconds.
    #[must_use]
    pub fn add(&self, nanoseconds: i64) -> Self {
        let sum = i64::from(self.nanos) + nanoseconds.rem_euclid(1_000_000_000);
        let carry = sum / 1_000_000_000;
        let unix = self.unix.saturating_add(nanoseconds.div_euclid(1_000_000_000)).saturating_add(carry);
        Self { unix, nanos: u32::try_from(sum % 1_000_000_000).unwrap_or(0), zone: self.zone.clone() }
    }

    /// Nanoseconds from `other` to this, at the ends of the range where it does not fit.
    pub fn since(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.unix) - i128::from(other.unix);
        let nanos = seconds * 1_000_000_000 + i128::from(self.nanos) - i128::from(other.nanos);
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    /// Year, month, day, clock.
    pub fn civil(&self) -> Civil {
        let offset = self.zone.at(self.unix);
        let local = self.unix.saturating_add(i64::from(offset.seconds));
        let days = local.div_euclid(86_400);
        let rest = local.rem_euclid(86_400);
        let shifted = days.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = (shifted_month + 2) % 12 + 1;
        let year = year_of_era + era.saturating_mul(400) + i64::from(month <= 2);
        let year_day = days - days_from_civil(year, 1, 1) + 1;
        let small = |n: i64| u32::try_from(n).unwrap_or(0);
        Civil {
            year,
            month: small(month),
            day: small(day),
            year_day: small(year_day),
            weekday: small((days + 4).rem_euclid(7)),
            hour: small(rest / 3600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
            offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_and_back() {
        for unix in [0, -1, 951_782_400, 1_700_000_000, -62_135_596_800, 253_402_300_799, -99_999_999_999] {
            let time = Time { unix, nanos: 0, zone: Zone::Utc };
            let c = time.civil();
            let date = (c.year, i64::from(c.month), i64::from(c.day));
            let clock = (i64::from(c.hour), i64::from(c.minute), i64::from(c.second));
            assert_eq!(unix_from_civil(date, clock), unix);
        }
        let leap = Time { unix: 951_782_400, nanos: 0, zone: Zone::Utc }.civil();
        assert_eq!((leap.year, leap.month, leap.day, leap.year_day, leap.weekday), (2000, 2, 29, 60, 2));
    }

    #[test]
    fn zones_of_the_database() {
        let zone = Zone::load("Europe/Berlin").unwrap();
        assert_eq!(zone.at(1_720_000_000), Offset { seconds: 7200, name: "CEST".into(), dst: true });
        assert_eq!(zone.at(1_700_000_000).name, "CET");
        assert!(Zone::load("Nowhere/At-all").is_none());
        let noon = Time::from_civil((2024, 7, 1), (12, 0, 0), 0, zone);
        assert_eq!(noon.unix, 1_719_828_000);
    }
}
