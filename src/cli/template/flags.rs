//! The command line of `helm template`, read as Helm's library (pflag 1.0) reads it.
//!
//! Flags may stand anywhere, `--flag value` and `--flag=value` are the same, letters may be joined; every fault has
//! the library's words. clap has other rules and other words, so the flags are a table here.

use crate::helm::profile::Profile;
use crate::helm::values::strvals::quote;
use std::collections::BTreeMap;

/// What a flag takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true`, `=false`.
    Bool,
    /// A text; given again, the last one counts.
    Text,
    /// A text; given alone, this one.
    OptionalText(&'static str),
    /// Texts between commas, repeatable.
    Slice,
    /// Texts, repeatable.
    Array,
    /// `key=value` between commas, repeatable.
    Pairs,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `5m0s`.
    Duration,
}

/// In which profiles a flag exists.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum In {
    Both,
    New,
    Old,
}

/// What becomes of a flag that was given.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is read.
    Read,
    /// It changes nothing of what `template` prints, in Helm neither.
    Idle,
    /// It needs what is not there: a cluster, the network, a plugin.
    Refused(&'static str),
}

/// One flag.
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) letter: Option<char>,
    pub(super) takes: Takes,
    pub(super) within: In,
    pub(super) used: Use,
    pub(super) help: &'static str,
    /// What is said of it where it is deprecated.
    pub(super) deprecated: Option<&'static str>,
}

const fn flag(name: &'static str, takes: Takes, used: Use, help: &'static str) -> Flag {
    Flag { name, letter: None, takes, within: In::Both, used, help, deprecated: None }
}

impl Flag {
    const fn letter(self, letter: char) -> Self {
        Self { letter: Some(letter), ..self }
    }

    const fn only(self, within: In) -> Self {
        Self { within, ..self }
    }

    const fn deprecated(self, words: &'static str) -> Self {
        Self { deprecated: Some(words), ..self }
    }
}

const NETWORK: &str = "it needs the network";
const PROGRAM: &str = "it runs another program over the manifests";

/// Every flag of `helm template`, in alphabetical order, and behind them those of stackc.
pub(super) const FLAGS: &[Flag] = &[
    flag(
        "api-versions",
        Takes::Slice,
        Use::Read,
        "APIs that the cluster has besides Helm's own list, for .Capabilities.APIVersions",
    )
    .letter('a'),
    flag("atomic", Takes::Bool, Use::Idle, "").only(In::Old),
    flag("atomic", Takes::Bool, Use::Idle, "").only(In::New).deprecated("use --rollback-on-failure instead"),
    flag("burst-limit", Takes::Int, Use::Idle, ""),
    flag("ca-file", Takes::Text, Use::Idle, ""),
    flag("cert-file", Takes::Text, Use::Idle, ""),
    flag("color", Takes::Text, Use::Idle, "").only(In::New),
    flag("colour", Takes::Text, Use::Idle, "").only(In::New),
    flag("content-cache", Takes::Text, Use::Idle, "").only(In::New),
    flag("create-namespace", Takes::Bool, Use::Idle, ""),
    flag("debug", Takes::Bool, Use::Read, "print manifests that are no YAML, too"),
    flag("dependency-update", Takes::Bool, Use::Read, ""),
    flag("description", Takes::Text, Use::Idle, ""),
    flag("devel", Takes::Bool, Use::Idle, ""),
    flag("disable-openapi-validation", Takes::Bool, Use::Idle, ""),
    flag(
        "dry-run",
        Takes::OptionalText("unset"),
        Use::Read,
        "`client` changes nothing; `server` needs a cluster and is refused",
    )
    .only(In::New),
    flag("dry-run", Takes::OptionalText("client"), Use::Read, "").only(In::Old),
    flag("enable-dns", Takes::Bool, Use::Idle, ""),
    flag("force", Takes::Bool, Use::Idle, "").only(In::Old),
    flag("force", Takes::Bool, Use::Idle, "").only(In::New).deprecated("use --force-replace instead"),
    flag("force-conflicts", Takes::Bool, Use::Idle, "").only(In::New),
    flag("force-replace", Takes::Bool, Use::Idle, "").only(In::New),
    flag("generate-name", Takes::Bool, Use::Read, "make the release's name from the chart's and the time")
        .letter('g'),
    flag("help", Takes::Bool, Use::Read, "print this help").letter('h'),
    flag("hide-notes", Takes::Bool, Use::Idle, "")
        .only(In::New)
        .deprecated("this flag has no effect for 'helm template' and will be removed in Helm 5"),
    flag("hide-notes", Takes::Bool, Use::Idle, "").only(In::Old),
    flag("include-crds", Takes::Bool, Use::Read, "print the files of crds/, too"),
    flag("insecure-skip-tls-verify", Takes::Bool, Use::Idle, ""),
    flag("is-upgrade", Takes::Bool, Use::Read, "set .Release.IsUpgrade instead of .Release.IsInstall"),
    flag("key-file", Takes::Text, Use::Idle, ""),
    flag("keyring", Takes::Text, Use::Idle, ""),
    flag("kube-apiserver", Takes::Text, Use::Idle, ""),
    flag("kube-as-group", Takes::Array, Use::Idle, ""),
    flag("kube-as-user", Takes::Text, Use::Idle, ""),
    flag("kube-ca-file", Takes::Text, Use::Idle, ""),
    flag("kube-context", Takes::Text, Use::Idle, ""),
    flag("kube-insecure-skip-tls-verify", Takes::Bool, Use::Idle, ""),
    flag("kube-tls-server-name", Takes::Text, Use::Idle, ""),
    flag("kube-token", Takes::Text, Use::Idle, ""),
    flag("kube-version", Takes::Text, Use::Read, "the version of Kubernetes, for .Capabilities.KubeVersion"),
    flag("kubeconfig", Takes::Text, Use::Idle, ""),
    flag("labels", Takes::Pairs, Use::Idle, "").letter('l'),
    flag("name-template", Takes::Text, Use::Read, "a template that makes the release's name"),
    flag("namespace", Takes::Text, Use::Read, "the release's namespace").letter('n'),
    flag("no-hooks", Takes::Bool, Use::Read, "leave hooks out"),
    flag("output-dir", Takes::Text, Use::Read, "write files below this folder instead of standard output"),
    flag("pass-credentials", Takes::Bool, Use::Idle, ""),
    flag("password", Takes::Text, Use::Idle, ""),
    flag("plain-http", Takes::Bool, Use::Idle, ""),
    flag("post-renderer", Takes::Text, Use::Refused(PROGRAM), ""),
    flag("post-renderer-args", Takes::Slice, Use::Refused(PROGRAM), ""),
    flag("post-renderer-strategy", Takes::Text, Use::Refused(PROGRAM), "").only(In::New),
    flag("qps", Takes::Float, Use::Idle, ""),
    flag("registry-config", Takes::Text, Use::Idle, ""),
    flag("release-name", Takes::Bool, Use::Read, "put the release's name into the paths of --output-dir"),
    flag("render-subchart-notes", Takes::Bool, Use::Idle, "")
        .only(In::New)
        .deprecated("this flag has no effect for 'helm template' and will be removed in Helm 5"),
    flag("render-subchart-notes", Takes::Bool, Use::Idle, "").only(In::Old),
    flag("replace", Takes::Bool, Use::Idle, ""),
    flag("repo", Takes::Text, Use::Refused(NETWORK), ""),
    flag("repository-cache", Takes::Text, Use::Idle, ""),
    flag("repository-config", Takes::Text, Use::Idle, ""),
    flag("rollback-on-failure", Takes::Bool, Use::Idle, "").only(In::New),
    flag("server-side", Takes::Bool, Use::Idle, "").only(In::New),
    flag("set", Takes::Array, Use::Read, "set values: a.b=1,c={x,y}"),
    flag("set-file", Takes::Array, Use::Read, "set values to the contents of files: a.b=path"),
    flag("set-json", Takes::Array, Use::Read, "set values to JSON: a.b=[1,2], or a whole object"),
    flag("set-literal", Takes::Array, Use::Read, "set a value to the rest of the text as it is"),
    flag("set-string", Takes::Array, Use::Read, "set values to text, whatever they look like"),
    flag("show-only", Takes::Array, Use::Read, "print only what these templates made: templates/*.yaml")
        .letter('s'),
    flag("skip-crds", Takes::Bool, Use::Idle, "changes nothing here, as in Helm"),
    flag("skip-schema-validation", Takes::Bool, Use::Read, "do not hold values against values.schema.json"),
    flag("skip-tests", Takes::Bool, Use::Read, "leave test hooks out"),
    flag("take-ownership", Takes::Bool, Use::Idle, ""),
    flag("timeout", Takes::Duration, Use::Idle, ""),
    flag("username", Takes::Text, Use::Idle, ""),
    flag("validate", Takes::Bool, Use::Read, "").only(In::Old),
    flag("validate", Takes::Bool, Use::Read, "").only(In::New).deprecated("use '--dry-run=server' instead"),
    flag("values", Takes::Slice, Use::Read, "a values file; - is standard input").letter('f'),
    flag("verify", Takes::Bool, Use::Refused("it checks a signature with a keyring"), ""),
    flag("version", Takes::Text, Use::Idle, ""),
    flag("wait", Takes::OptionalText("watcher"), Use::Idle, "").only(In::New),
    flag("wait", Takes::Bool, Use::Idle, "").only(In::Old),
    flag("wait-for-jobs", Takes::Bool, Use::Idle, ""),
    flag("helm", Takes::Text, Use::Read, "which Helm to be: 4.2 (the default) or 3.21"),
    flag(
        "explain",
        Takes::Array,
        Use::Read,
        "say which template line and values made a field: Deployment/web:spec.replicas",
    ),
];

/// A command line that was read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// What is no flag.
    pub(super) arguments: Vec<String>,
    given: BTreeMap<&'static str, Vec<String>>,
    /// What the library says of deprecated flags, in order.
    pub(super) warnings: Vec<String>,
}

impl Parsed {
    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.last(name) == Some("true")
    }

    /// Whether a flag was given at all.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The text of a flag.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.given.get(name)?.last().map(String::as_str)
    }

    /// All texts of a flag.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.given.get(name).map_or(&[], Vec::as_slice)
    }

    /// The flags that were given and cannot be served, with the reason.
    pub(super) fn refused(&self) -> Option<(&'static str, &'static str)> {
        FLAGS.iter().find_map(|flag| match flag.used {
            Use::Refused(why) if self.is_given(flag.name) => Some((flag.name, why)),
            _ => None,
        })
    }
}

/// Which profile a command line asks for; read before everything else, as it decides what flags there are.
pub(super) fn profile_name(arguments: &[String]) -> Option<&str> {
    let mut found = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => break,
            "--helm" => found = arguments.next().map(String::as_str),
            other => found = other.strip_prefix("--helm=").or(found),
        }
    }
    found
}

/// Reads a command line. The error is the library's.
pub(super) fn parse(arguments: &[String], profile: &Profile) -> Result<Parsed, String> {
    let within = if profile.structured_log { In::New } else { In::Old };
    let known = |flag: &&Flag| flag.within == In::Both || flag.within == within;
    let mut parsed = Parsed::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            parsed.arguments.extend(rest.cloned());
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            if name.is_empty() || name.starts_with('-') {
                return Err(format!("bad flag syntax: {argument}"));
            }
            let Some(flag) = FLAGS.iter().filter(known).find(|flag| flag.name == name) else {
                return Err(format!("unknown flag: --{name}"));
            };
            let value = match (value, flag.takes) {
                (Some(value), _) => value.to_owned(),
                (None, Takes::Bool) => "true".to_owned(),
                (None, Takes::OptionalText(alone)) => alone.to_owned(),
                (None, _) => {
                    rest.next().cloned().ok_or_else(|| format!("flag needs an argument: --{name}"))?
                }
            };
            parsed.set(flag, value)?;
        } else if argument.len() > 1
            && let Some(letters) = argument.strip_prefix('-')
        {
            let mut letters = letters;
            while let Some(letter) = letters.chars().next() {
                let behind = &letters[letter.len_utf8()..];
                let Some(flag) = FLAGS.iter().filter(known).find(|flag| flag.letter == Some(letter)) else {
                    return Err(format!("unknown shorthand flag: {} in -{letters}", quote_letter(letter)));
                };
                let (value, next) = match (behind.strip_prefix('='), flag.takes) {
                    (Some(value), _) if behind.len() > 1 => (value.to_owned(), ""),
                    (_, Takes::Bool) => ("true".to_owned(), behind),
                    (_, Takes::OptionalText(alone)) => (alone.to_owned(), behind),
                    _ if !behind.is_empty() => (behind.to_owned(), ""),
                    _ => {
                        let value = rest.next().cloned();
                        let needed =
                            || format!("flag needs an argument: {} in -{letters}", quote_letter(letter));
                        (value.ok_or_else(needed)?, "")
                    }
                };
                parsed.set(flag, value)?;
                letters = next;
            }
        } else {
            parsed.arguments.push(argument.clone());
        }
    }
    parsed.exclusive(within)?;
    Ok(parsed)
}

impl Parsed {
    fn set(&mut self, flag: &'static Flag, value: String) -> Result<(), String> {
        let wrong = |reason: String| {
            let name = match flag.letter {
                Some(letter) => format!("-{letter}, --{}", flag.name),
                None => format!("--{}", flag.name),
            };
            Err(format!("invalid argument {} for {} flag: {reason}", quote(&value), quote(&name)))
        };
        let number = |kind: &str| format!("strconv.{kind}: parsing {}: invalid syntax", quote(&value));
        let values = match flag.takes {
            Takes::Bool => match value.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => vec!["true".to_owned()],
                "0" | "f" | "F" | "false" | "FALSE" | "False" => vec!["false".to_owned()],
                _ => return wrong(number("ParseBool")),
            },
            Takes::Int if value.parse::<i64>().is_err() => return wrong(number("ParseInt")),
            Takes::Float if value.parse::<f32>().is_err() => return wrong(number("ParseFloat")),
            Takes::Duration if !is_duration(&value) => {
                return wrong(format!("time: invalid duration {}", quote(&value)));
            }
            Takes::Slice => match split_commas(&value) {
                Ok(values) => values,
                Err(reason) => return wrong(reason),
            },
            Takes::Pairs => match split_commas(&value) {
                Ok(pairs) => match pairs.iter().find(|pair| !pair.contains('=')) {
                    Some(pair) => return wrong(format!("{pair} must be formatted as key=value")),
                    None => pairs,
                },
                Err(reason) => return wrong(reason),
            },
            _ => vec![value],
        };
        if let Some(words) = flag.deprecated
            && !self.is_given(flag.name)
        {
            self.warnings.push(format!("Flag --{} has been deprecated, {words}", flag.name));
        }
        self.given.entry(flag.name).or_default().extend(values);
        Ok(())
    }

    /// Flags that exclude each other.
    fn exclusive(&self, within: In) -> Result<(), String> {
        if within != In::New {
            return Ok(());
        }
        for group in
            [["force-replace", "force-conflicts"], ["force", "force-conflicts"], ["validate", "dry-run"]]
        {
            if group.iter().all(|name| self.is_given(name)) {
                let mut sorted = group;
                sorted.sort_unstable();
                return Err(format!(
                    "if any flags in the group [{}] are set none of the others can be; [{}] were all set",
                    group.join(" "),
                    sorted.join(" ")
                ));
            }
        }
        Ok(())
    }
}

fn quote_letter(letter: char) -> String {
    format!("'{letter}'")
}

/// A line of CSV, as `encoding/csv` reads it.
fn split_commas(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut inner = quoted;
            loop {
                let Some(end) = inner.find('"') else {
                    return Err("parse error on line 1, column 1: extraneous or missing \" in quoted-field"
                        .to_owned());
                };
                field.push_str(&inner[..end]);
                inner = &inner[end + 1..];
                match inner.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        inner = more;
                    }
                    None => break,
                }
            }
            fields.push(field);
            match inner.strip_prefix(',') {
                Some(more) => rest = more,
                None if inner.is_empty() => return Ok(fields),
                None => {
                    return Err("parse error on line 1, column 1: extraneous or missing \" in quoted-field"
                        .to_owned());
                }
            }
        } else {
            let (field, more) = rest.split_once(',').map_or((rest, None), |(f, m)| (f, Some(m)));
            if field.contains('"') {
                return Err("parse error on line 1, column 1: bare \" in non-quoted-field".to_owned());
            }
            fields.push(field.to_owned());
            match more {
                Some(more) => rest = more,
                None => return Ok(fields),
            }
        }
    }
}

/// `1h2.5m3s`, `0`.
fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text == "0" {
        return true;
    }
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = &rest[..digits];
        if !number.bytes().any(|b| b.is_ascii_digit()) || number.matches('.').count() > 1 {
            return false;
        }
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        if !matches!(&rest[..unit], "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h") {
            return false;
        }
        rest = &rest[unit..];
    }
    !text.is_empty()
}

/// The help text.
pub(super) fn help() -> String {
    let mut out = String::from(
        "Render a chart's templates and print the manifests: a drop-in for `helm template`.\n\n\
         Usage: stackc template [NAME] CHART [flags]\n\n\
         CHART is a folder or a .tgz. Same flags, same output, same exit codes as Helm 4.2 (or 3.21 with --helm 3.21).\n\
         Nothing is fetched and no cluster is asked.\n\nFlags:\n",
    );
    for flag in FLAGS.iter().filter(|flag| !flag.help.is_empty()) {
        let letter = flag.letter.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let value = match flag.takes {
            Takes::Bool => "",
            Takes::Array | Takes::Slice | Takes::Pairs => " TEXT...",
            _ => " TEXT",
        };
        let name = format!("{letter}--{}{value}", flag.name);
        out.push_str(&format!("  {name:<34} {}\n", flag.help));
    }
    out.push_str("\nFlags of Helm that change nothing of what is printed are taken and ignored. Refused:");
    for flag in FLAGS {
        if let Use::Refused(why) = flag.used {
            out.push_str(&format!("\n  --{}: {why}", flag.name));
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::profile::{HELM_3_21, HELM_4_2};

    fn parsed(line: &str) -> Result<Parsed, String> {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&arguments, &HELM_4_2)
    }

    #[test]
    fn flags_stand_anywhere_and_join() {
        let parsed =
            parsed("rel -gn ns chart -fa.yaml,b.yaml --values=c.yaml --set a=1,b=2 -s x --no-hooks=false")
                .expect("good");
        assert_eq!(parsed.arguments, ["rel", "chart"]);
        assert!(parsed.is_on("generate-name") && !parsed.is_on("no-hooks"));
        assert_eq!(parsed.last("namespace"), Some("ns"));
        assert_eq!(parsed.all("values"), ["a.yaml", "b.yaml", "c.yaml"]);
        assert_eq!(parsed.all("set"), ["a=1,b=2"]);
    }

    #[test]
    fn faults_have_the_librarys_words() {
        for (line, words) in [
            ("--nope", "unknown flag: --nope"),
            ("-bad", "unknown shorthand flag: 'b' in -bad"),
            ("c --set", "flag needs an argument: --set"),
            ("c -f", "flag needs an argument: 'f' in -f"),
            (
                "c --no-hooks=x",
                "invalid argument \"x\" for \"--no-hooks\" flag: strconv.ParseBool: parsing \"x\": invalid syntax",
            ),
            ("c --timeout 5", "invalid argument \"5\" for \"--timeout\" flag: time: invalid duration \"5\""),
            ("c ---x", "bad flag syntax: ---x"),
            (
                "c --dry-run --validate",
                "if any flags in the group [validate dry-run] are set none of the others can be; [dry-run validate] were all set",
            ),
        ] {
            assert_eq!(parsed(line).expect_err(line), words);
        }
    }

    #[test]
    fn profiles_have_their_own_flags() {
        let old = ["--force-replace".to_owned()];
        assert!(parse(&old, &HELM_3_21).is_err() && parse(&old, &HELM_4_2).is_ok());
        let wait = ["--wait".to_owned()];
        assert!(parse(&wait, &HELM_3_21).is_ok() && parse(&wait, &HELM_4_2).is_ok());
        let hide = parse(&["--hide-notes".to_owned()], &HELM_4_2).expect("taken");
        assert!(hide.warnings[0].starts_with("Flag --hide-notes has been deprecated"));
    }
}
