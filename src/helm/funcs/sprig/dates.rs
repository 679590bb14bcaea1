//! Dates and durations, and the time object with its methods.

use crate::helm::funcs::{Args, Ctx, FuncError, Function, Impurity};
use crate::helm::strconv;
use crate::helm::time::{
    MONTHS, Time, WEEKDAYS, Zone, format, format_duration, parse, parse_duration, round_duration,
};
use crate::helm::value::types::{ANY, INT, STRING};
use crate::helm::value::{Kind, Object, ObjectRef, Str, Type, TypeInfo, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("now", &[], |ctx, _| Ok(time_value(now(ctx)))).impure(Impurity::Clock),
    Function::new("ago", &[&ANY], ago).impure(Impurity::Clock),
    Function::new("date", &[&STRING, &ANY], |ctx, args| {
        let layout = args.str(0)?.clone();
        date_in(ctx, &layout, args.value(1), b"Local")
    })
    .impure(Impurity::Clock),
    Function::new("dateInZone", &[&STRING, &ANY, &STRING], date_in_zone).impure(Impurity::Clock),
    Function::new("date_in_zone", &[&STRING, &ANY, &STRING], date_in_zone).impure(Impurity::Clock),
    Function::new("htmlDate", &[&ANY], |ctx, args| date_in(ctx, b"2006-01-02", args.value(0), b"Local"))
        .impure(Impurity::Clock),
    Function::new("htmlDateInZone", &[&ANY, &STRING], |ctx, args| {
        let zone = args.str(1)?.clone();
        date_in(ctx, b"2006-01-02", args.value(0), &zone)
    })
    .impure(Impurity::Clock),
    Function::new("dateModify", &[&STRING, &TIME], date_modify),
    Function::new("date_modify", &[&STRING, &TIME], date_modify),
    Function::new("mustDateModify", &[&STRING, &TIME], must_date_modify),
    Function::new("must_date_modify", &[&STRING, &TIME], must_date_modify),
    Function::new("duration", &[&ANY], |_, args| {
        let seconds = match args.value(0) {
            Value::String(text) => strconv::parse_int(text, 10).0,
            Value::Int(Kind::Int64, seconds) => *seconds,
            _ => 0,
        };
        Ok(format_duration(seconds.wrapping_mul(SECOND)).into())
    }),
    Function::new("durationRound", &[&ANY], duration_round),
    Function::new("toDate", &[&STRING, &STRING], |ctx, args| {
        let zone = local(ctx, 0);
        Ok(time_value(parse(args.str(0)?, args.str(1)?, &zone).unwrap_or_else(|_| Time::zero())))
    })
    .impure(Impurity::Clock),
    Function::new("mustToDate", &[&STRING, &STRING], |ctx, args| {
        let zone = local(ctx, 0);
        parse(args.str(0)?, args.str(1)?, &zone).map(time_value).map_err(FuncError::message)
    })
    .impure(Impurity::Clock),
    Function::new("unixEpoch", &[&TIME], |_, args| Ok(time(args, 0)?.unix.to_string().into())),
];

const SECOND: i64 = 1_000_000_000;

type Answer = Result<Value, FuncError>;

/// A Go `time.Time` in a template.
pub struct TimeObject(pub Time);

/// A `time.Duration`.
struct Duration(i64);

/// A `*time.Location`, by its name.
struct Location(String);

/// A `time.Month` or a `time.Weekday`.
struct Named(Type, i64, &'static str);

/// `time.Time`.
static TIME: TypeInfo =
    TypeInfo { name: "time.Time", kind: Kind::Struct, named: true, elem: None, methods: TIME_METHODS };
static DURATION: TypeInfo =
    TypeInfo { name: "time.Duration", kind: Kind::Int64, named: true, elem: None, methods: DURATION_METHODS };
static LOCATION: TypeInfo = TypeInfo::pointer("*time.Location", &LOCATION_STRUCT, LOCATION_METHODS);
static LOCATION_STRUCT: TypeInfo = TypeInfo::plain("time.Location", Kind::Struct);
static MONTH: TypeInfo =
    TypeInfo { name: "time.Month", kind: Kind::Int, named: true, elem: None, methods: MONTH_METHODS };
static WEEKDAY: TypeInfo =
    TypeInfo { name: "time.Weekday", kind: Kind::Int, named: true, elem: None, methods: WEEKDAY_METHODS };

static TIME_METHODS: &[Function] = &[
    Function::new("Add", &[&TIME, &DURATION], |_, args| {
        let by = duration(args, 1)?;
        Ok(time_value(time(args, 0)?.add(by)))
    }),
    Function::new("AddDate", &[&TIME, &INT, &INT, &INT], add_date),
    Function::new("After", &[&TIME, &TIME], |_, args| Ok((instant(args, 0)? > instant(args, 1)?).into())),
    Function::new("Before", &[&TIME, &TIME], |_, args| Ok((instant(args, 0)? < instant(args, 1)?).into())),
    Function::new("Equal", &[&TIME, &TIME], |_, args| Ok((instant(args, 0)? == instant(args, 1)?).into())),
    Function::new("Compare", &[&TIME, &TIME], |_, args| {
        Ok(Value::int(instant(args, 0)?.cmp(&instant(args, 1)?) as i64))
    }),
    Function::new("Sub", &[&TIME, &TIME], |_, args| {
        Ok(Value::object(Duration(time(args, 0)?.since(time(args, 1)?))))
    }),
    Function::new("Format", &[&TIME, &STRING], |_, args| {
        Ok(Value::String(format(time(args, 0)?, args.str(1)?).into()))
    }),
    Function::new("String", &[&TIME], |_, args| Ok(Value::String(text_of(time(args, 0)?)))),
    Function::new("Year", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.civil().year))),
    Function::new("Month", &[&TIME], |_, args| {
        let month = time(args, 0)?.civil().month;
        let name = MONTHS[month.saturating_sub(1) as usize % 12];
        Ok(Value::object(Named(&MONTH, i64::from(month), name)))
    }),
    Function::new("Weekday", &[&TIME], |_, args| {
        let day = time(args, 0)?.civil().weekday;
        Ok(Value::object(Named(&WEEKDAY, i64::from(day), WEEKDAYS[day as usize % 7])))
    }),
    Function::new("Day", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.civil().day.into()))),
    Function::new("YearDay", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.civil().year_day.into()))),
    Function::new("Hour", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.civil().hour.into()))),
    Function::new("Minute", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.civil().minute.into()))),
    Function::new("Second", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.civil().second.into()))),
    Function::new("Nanosecond", &[&TIME], |_, args| Ok(Value::int(time(args, 0)?.nanos.into()))),
    Function::new("Unix", &[&TIME], |_, args| Ok(Value::int64(time(args, 0)?.unix))),
    Function::new("UnixMilli", &[&TIME], |_, args| unix_in(args, 1_000)),
    Function::new("UnixMicro", &[&TIME], |_, args| unix_in(args, 1_000_000)),
    Function::new("UnixNano", &[&TIME], |_, args| unix_in(args, SECOND)),
    Function::new("IsZero", &[&TIME], |_, args| Ok((instant(args, 0)? == (Time::zero().unix, 0)).into())),
    Function::new("IsDST", &[&TIME], |_, args| Ok(time(args, 0)?.civil().offset.dst.into())),
    Function::new("UTC", &[&TIME], |_, args| Ok(time_value(time(args, 0)?.in_zone(Zone::Utc)))),
    Function::new("Local", &[&TIME], |ctx, args| {
        let time = time(args, 0)?;
        let zone = local(ctx, time.unix);
        Ok(time_value(time.in_zone(zone)))
    }),
    Function::new("Location", &[&TIME], |_, args| {
        Ok(Value::object(Location(time(args, 0)?.zone.name().to_owned())))
    }),
    Function::new("Truncate", &[&TIME, &DURATION], |_, args| {
        let (time, unit) = (time(args, 0)?, duration(args, 1)?);
        Ok(time_value(if unit <= 0 { time.clone() } else { time.add(-remainder(time, unit)) }))
    }),
    Function::new("Round", &[&TIME, &DURATION], |_, args| {
        let (time, unit) = (time(args, 0)?, duration(args, 1)?);
        if unit <= 0 {
            return Ok(time_value(time.clone()));
        }
        let rest = remainder(time, unit);
        Ok(time_value(time.add(if rest < unit - rest { -rest } else { unit - rest })))
    }),
];

static DURATION_METHODS: &[Function] = &[
    Function::new("String", &[&DURATION], |_, args| Ok(format_duration(duration(args, 0)?).into())),
    Function::new("Hours", &[&DURATION], |_, args| fraction(args, 3_600 * SECOND)),
    Function::new("Minutes", &[&DURATION], |_, args| fraction(args, 60 * SECOND)),
    Function::new("Seconds", &[&DURATION], |_, args| fraction(args, SECOND)),
    Function::new("Milliseconds", &[&DURATION], |_, args| Ok(Value::int64(duration(args, 0)? / 1_000_000))),
    Function::new("Microseconds", &[&DURATION], |_, args| Ok(Value::int64(duration(args, 0)? / 1_000))),
    Function::new("Nanoseconds", &[&DURATION], |_, args| Ok(Value::int64(duration(args, 0)?))),
    Function::new("Round", &[&DURATION, &DURATION], |_, args| {
        Ok(Value::object(Duration(round_duration(duration(args, 0)?, duration(args, 1)?))))
    }),
    Function::new("Truncate", &[&DURATION, &DURATION], |_, args| {
        let (length, unit) = (duration(args, 0)?, duration(args, 1)?);
        Ok(Value::object(Duration(if unit <= 0 { length } else { length - length % unit })))
    }),
    Function::new("Abs", &[&DURATION], |_, args| {
        Ok(Value::object(Duration(duration(args, 0)?.saturating_abs())))
    }),
];

static LOCATION_METHODS: &[Function] = &[Function::new("String", &[&LOCATION], |_, args| {
    Ok(args.value(0).as_object::<Location>().map_or_else(|| "".into(), |zone| zone.0.as_str().into()))
})];
static MONTH_METHODS: &[Function] = &[Function::new("String", &[&MONTH], named_text)];
static WEEKDAY_METHODS: &[Function] = &[Function::new("String", &[&WEEKDAY], named_text)];

impl Object for TimeObject {
    fn type_of(&self) -> Type {
        &TIME
    }
    fn to_text(&self) -> Option<Str> {
        Some(text_of(&self.0))
    }
    fn to_data(&self) -> Option<Value> {
        Some(Value::String(format(&self.0, b"2006-01-02T15:04:05.999999999Z07:00").into()))
    }
    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| {
            let same_zone = self.0.zone.name() == other.0.zone.name();
            same_zone && (self.0.unix, self.0.nanos) == (other.0.unix, other.0.nanos)
        })
    }
}

impl Object for Duration {
    fn type_of(&self) -> Type {
        &DURATION
    }
    fn to_text(&self) -> Option<Str> {
        Some(format_duration(self.0).into())
    }
    fn underlying(&self) -> Option<Value> {
        Some(Value::int64(self.0))
    }
    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| other.0 == self.0)
    }
}

impl Object for Named {
    fn type_of(&self) -> Type {
        self.0
    }
    fn to_text(&self) -> Option<Str> {
        Some(self.2.into())
    }
    fn underlying(&self) -> Option<Value> {
        Some(Value::int(self.1))
    }
    fn equals(&self, other: &ObjectRef) -> bool {
        other.downcast::<Self>().is_some_and(|other| other.1 == self.1)
    }
}

impl Object for Location {
    fn type_of(&self) -> Type {
        &LOCATION
    }
    fn to_text(&self) -> Option<Str> {
        Some(self.0.as_str().into())
    }
}

fn time_value(time: Time) -> Value {
    Value::object(TimeObject(time))
}

/// `Time.String`.
fn text_of(time: &Time) -> Str {
    format(time, b"2006-01-02 15:04:05.999999999 -0700 MST").into()
}

fn time<'a>(args: &'a Args<'_>, at: usize) -> Result<&'a Time, FuncError> {
    args.value(at).as_object::<TimeObject>().map(|time| &time.0).ok_or_else(super::cast::nil_dereference)
}

fn instant(args: &Args<'_>, at: usize) -> Result<(i64, u32), FuncError> {
    time(args, at).map(|time| (time.unix, time.nanos))
}

/// A duration, which a constant or an `int64` may stand for.
fn duration(args: &Args<'_>, at: usize) -> Result<i64, FuncError> {
    let value = args.value(at);
    let number = value.as_integer().ok_or_else(super::cast::nil_dereference)?;
    Ok(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The zone of the machine as it is at a time.
fn local(ctx: &mut Ctx<'_>, unix: i64) -> Zone {
    let (offset, name) = ctx.zone(unix);
    let zone = if offset == 0 && name == "UTC" { Zone::Utc } else { Zone::Fixed(name.to_owned(), offset) };
    Zone::Local(Box::new(zone))
}

fn now(ctx: &mut Ctx<'_>) -> Time {
    let (unix, nanos) = ctx.now();
    let zone = local(ctx, unix);
    Time { unix, nanos, zone }
}

/// A time, or seconds since 1970; anything else is now.
fn moment(ctx: &mut Ctx<'_>, value: &Value) -> Time {
    match value {
        Value::Int(Kind::Int | Kind::Int32 | Kind::Int64, seconds) => {
            let zone = local(ctx, *seconds);
            Time { unix: *seconds, nanos: 0, zone }
        }
        other => match other.as_object::<TimeObject>() {
            Some(time) => time.0.clone(),
            None => now(ctx),
        },
    }
}

fn date_in(ctx: &mut Ctx<'_>, layout: &[u8], value: &Value, zone: &[u8]) -> Answer {
    ctx.charge(layout.len().saturating_mul(10))?;
    let time = moment(ctx, value);
    let zone = match zone {
        b"Local" => local(ctx, time.unix),
        name => std::str::from_utf8(name).ok().and_then(Zone::load).unwrap_or(Zone::Utc),
    };
    Ok(Value::String(format(&time.in_zone(zone), layout).into()))
}

fn date_in_zone(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (layout, zone) = (args.str(0)?.clone(), args.str(2)?.clone());
    date_in(ctx, &layout, args.value(1), &zone)
}

fn date_modify(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    match parse_duration(args.str(0)?) {
        Ok(by) => Ok(time_value(time(args, 1)?.add(by))),
        Err(_) => Ok(args.take(1)),
    }
}

fn must_date_modify(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let by = parse_duration(args.str(0)?).map_err(FuncError::message)?;
    Ok(time_value(time(args, 1)?.add(by)))
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn ago(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let value = match args.value(0) {
        Value::Int(Kind::Int32, _) => &Value::Nil,
        other => other,
    };
    let then = moment(ctx, value);
    let since = now(ctx).since(&then);
    Ok(format_duration(round_duration(since, SECOND)).into())
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every function")]
/// The largest unit alone: `2y`, `3mo`, `7d`, `5h`, `12m`, `9s`.
fn duration_round(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let length = match args.value(0) {
        Value::String(text) => parse_duration(text).unwrap_or(0),
        Value::Int(Kind::Int64, nanoseconds) => *nanoseconds,
        other => match other.as_object::<TimeObject>() {
            Some(then) => now(ctx).since(&then.0),
            None => 0,
        },
    };
    let total = length.unsigned_abs();
    for (seconds, name) in
        [(31_536_000, "y"), (2_592_000, "mo"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")]
    {
        let unit = seconds * SECOND.unsigned_abs();
        if total > unit {
            return Ok(format!("{}{name}", total / unit).into());
        }
    }
    Ok("0s".into())
}

fn add_date(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let time = time(args, 0)?;
    let civil = time.civil();
    let date = (
        civil.year.saturating_add(args.int(1)?),
        i64::from(civil.month).saturating_add(args.int(2)?),
        i64::from(civil.day).saturating_add(args.int(3)?),
    );
    let clock = (civil.hour.into(), civil.minute.into(), civil.second.into());
    Ok(time_value(Time::from_civil(date, clock, time.nanos, time.zone.clone())))
}

fn unix_in(args: &Args<'_>, unit: i64) -> Answer {
    let time = time(args, 0)?;
    let part = i64::from(time.nanos) / (SECOND / unit);
    Ok(Value::int64(time.unix.wrapping_mul(unit).wrapping_add(part)))
}

#[allow(clippy::cast_precision_loss, reason = "as Go computes it")]
fn fraction(args: &Args<'_>, unit: i64) -> Answer {
    let length = duration(args, 0)?;
    Ok(((length / unit) as f64 + (length % unit) as f64 / unit as f64).into())
}

/// Nanoseconds since the last multiple of `unit` after the year 1.
fn remainder(time: &Time, unit: i64) -> i64 {
    let since = i128::from(time.unix) - i128::from(Time::zero().unix);
    let nanoseconds = since * i128::from(SECOND) + i128::from(time.nanos);
    i64::try_from(nanoseconds.rem_euclid(i128::from(unit))).unwrap_or(0)
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn named_text(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Ok(args.value(0).as_object::<Named>().map_or_else(|| "".into(), |named| named.2.into()))
}
