//! Parts of timestamps and durations.

use super::{Function, Tools, member, text, wants};
use crate::expr::data::Val;
use crate::expr::fault::Fault;
use crate::expr::time::{Civil, offset_of};

pub(super) const TABLE: &[Function] = &[
    member("getFullYear", 1, 2, "time.getFullYear()", |_, args| civil(args).map(|c| Val::Int(c.year))),
    member("getMonth", 1, 2, "time.getMonth()", |_, args| civil(args).map(|c| Val::Int(c.month - 1))),
    member("getDate", 1, 2, "time.getDate()", |_, args| civil(args).map(|c| Val::Int(c.day))),
    member("getDayOfMonth", 1, 2, "time.getDayOfMonth()", |_, args| civil(args).map(|c| Val::Int(c.day - 1))),
    member("getDayOfWeek", 1, 2, "time.getDayOfWeek()", |_, args| civil(args).map(|c| Val::Int(c.week_day))),
    member("getDayOfYear", 1, 2, "time.getDayOfYear()", |_, args| civil(args).map(|c| Val::Int(c.year_day))),
    member("getHours", 1, 2, "time.getHours()", |t, args| part(t, args, |c| c.hour, 3_600_000_000_000)),
    member("getMinutes", 1, 2, "time.getMinutes()", |t, args| part(t, args, |c| c.minute, 60_000_000_000)),
    member("getSeconds", 1, 2, "time.getSeconds()", |t, args| part(t, args, |c| c.second, 1_000_000_000)),
    member("getMilliseconds", 1, 2, "time.getMilliseconds()", |_, args| match &args[0] {
        Val::Timestamp(time) => Ok(Val::Int(i64::from(time.nanos / 1_000_000))),
        Val::Duration(nanos) => Ok(Val::Int(nanos / 1_000_000)),
        other => Err(wants("a timestamp or a duration", other)),
    }),
];

fn civil(args: &[Val<'_>]) -> Result<Civil, Fault> {
    let Val::Timestamp(time) = &args[0] else { return Err(wants("a timestamp", &args[0])) };
    let offset = match args.get(1) {
        Some(zone) => {
            let zone = text(zone)?;
            offset_of(zone).ok_or_else(|| {
                Fault::of_value(format!("\"{zone}\" is no zone that is known here")).help(
                    "write `UTC` or an offset such as `+02:00`: names of zones depend on tables that change",
                )
            })?
        }
        None => 0,
    };
    Ok(time.civil(offset))
}

fn part<'a>(_: &mut Tools, args: &[Val<'a>], of: fn(&Civil) -> i64, unit: i64) -> Result<Val<'a>, Fault> {
    match (&args[0], args.len()) {
        (Val::Duration(nanos), 1) => Ok(Val::Int(nanos / unit)),
        _ => civil(args).map(|civil| Val::Int(of(&civil))),
    }
}
