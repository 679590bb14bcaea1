//! The bodies of the fuzz targets (`fuzz/bodies.rs`) on kept and on generated input.

#[allow(unreachable_pub, reason = "the fuzz targets use them from another crate")]
#[path = "../../fuzz/bodies.rs"]
mod bodies;

use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;

/// Runs a body over what `fuzz/seeds` keeps for it.
fn seeds(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("a folder of seeds") {
        body(&std::fs::read(entry.expect("an entry").path()).expect("a seed"));
        count += 1;
    }
    assert!(count > 0, "no seeds in {}", folder.display());
}

#[test]
fn kept_input_is_survived() {
    seeds("template", bodies::template);
    seeds("values", bodies::values);
    seeds("archive", bodies::archive);
    seeds("to_yaml", bodies::to_yaml);
}

/// Words of templates: what a random sequence of them says is often almost right.
const WORDS: &[&str] = &[
    "{{ ",
    "{{- ",
    " }}",
    " -}}",
    "if ",
    "else",
    "end",
    "range ",
    "with ",
    "define \"a\"",
    "template \"a\" .",
    "include \"a\" . ",
    "tpl .Values.s . ",
    "block \"b\" .",
    "break",
    "continue",
    "$x",
    "$x := ",
    "$x = ",
    "$k, $v := ",
    ".Values",
    ".Values.l",
    ".Values.m.k.d",
    ".Values.no.no",
    ".Files.Glob \"**\"",
    "(",
    ")",
    " | ",
    "toYaml",
    "fromYaml ",
    "nindent 2",
    "indent 1000000 ",
    "printf \"%9999v %#q %*d\" ",
    "repeat 99999 ",
    "until 9999",
    "regexFindAll \"(a|b*)*\" ",
    "regexReplaceAll \"(.)\" .Values.s \"$1$1\"",
    "merge .Values .Values.m",
    "set .Values \"x\" .Values",
    "dict \"k\" ",
    "list 1 nil ",
    "concat .Values.l .Values.l",
    "deepCopy .Values",
    "toJson .Values",
    "fromJson ",
    "toToml .Values",
    "fromToml ",
    "semverCompare \">1\" ",
    "date \"2006\" now",
    "duration ",
    "b64dec ",
    "substr -1 9 ",
    "trunc -3 ",
    "slice .Values.l 1 9",
    "index .Values.l -1",
    "dig \"a\" \"b\" 1 .Values",
    "sub 1 -9223372036854775808 ",
    "div 1 0",
    "mod 1 0",
    "splitn \"\" 3 ",
    "wrap 0 ",
    "chunk 0 .Values.l",
    "untilStep 0 9 0",
    "seq 9 -9 ",
    "urlParse ",
    "1",
    "-1",
    "1.5e300",
    "0x",
    "'a'",
    "\"\\xff\"",
    "\"é😀\"",
    "`r`",
    "nil",
    "true",
    "/* ",
    " */",
    ",",
    " ",
    "\n",
    "a: b\n",
    "---\n",
    "é",
];

fn words(list: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    vec(0..list.len(), 0..most).prop_map(move |picks| picks.into_iter().map(|at| list[at]).collect())
}

const YAML: &[&str] = &[
    "a",
    "b",
    ": ",
    "- ",
    "? ",
    "\n",
    "\n  ",
    "\n    ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "|",
    ">",
    "-",
    "+",
    "2",
    "&x ",
    "*x",
    "<<",
    "!!str ",
    "!!binary ",
    "!x ",
    "'",
    "\"",
    "\\x",
    "\\u00e9",
    "# c",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "~",
    "null",
    "yes",
    "0x1F",
    "0123",
    "1e3",
    "1_0",
    ".inf",
    "12:30:45",
    "2001-01-01",
    "9223372036854775808",
    "\t",
    "\r\n",
    "é",
    "😀",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{1}",
    "=",
    " ",
    "word word ",
];

/// A tar archive of entries with these names, kinds and contents, packed.
fn packed(entries: &[(String, u8, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, kind, data) in entries {
        let mut header = tar::Header::new_gnu();
        let bytes = name.as_bytes();
        let length = bytes.len().min(100);
        header.as_mut_bytes()[..length].copy_from_slice(&bytes[..length]);
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_size(data.len() as u64);
        header.set_cksum();
        tar.append(&header, &data[..]).expect("memory takes it");
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("memory takes it")
}

fn entry() -> impl Strategy<Value = (String, u8, Vec<u8>)> {
    let name = prop_oneof![
        Just("c/Chart.yaml".to_owned()),
        Just("c/values.yaml".to_owned()),
        Just("c/values.schema.json".to_owned()),
        Just("c/templates/a.yaml".to_owned()),
        Just("c/charts/s/Chart.yaml".to_owned()),
        Just("c/charts/s.tgz".to_owned()),
        Just("c/requirements.yaml".to_owned()),
        "[a./\\\\:_]{0,20}",
    ];
    let kind =
        prop_oneof![8 => Just(b'0'), 1 => any::<u8>(), 1 => Just(b'2'), 1 => Just(b'L'), 1 => Just(b'x')];
    let data = prop_oneof![
        Just(b"apiVersion: v2\nname: c\nversion: 0.1.0\n".to_vec()),
        Just(
            b"apiVersion: v2\nname: s\nversion: 0.1.0\ndependencies: [{name: s, version: \"*\"}]\n".to_vec()
        ),
        Just(br##"{"$ref": "#/x", "properties": {"n": {"pattern": "(a+)+"}}}"##.to_vec()),
        words(WORDS, 8).prop_map(String::into_bytes),
        words(YAML, 12).prop_map(String::into_bytes),
        vec(any::<u8>(), 0..40),
    ];
    (name, kind, data)
}

proptest! {
    // `PROPTEST_CASES` makes it run for longer.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn templates_render_or_are_refused(text in words(WORDS, 30)) {
        bodies::template(text.as_bytes());
    }

    #[test]
    fn actions_render_or_are_refused(words in vec(words(WORDS, 6), 1..6)) {
        bodies::template(format!("{{{{ {} }}}}", words.join(" }}{{ ")).as_bytes());
    }

    #[test]
    fn bytes_are_a_template_or_not(bytes in vec(any::<u8>(), 0..60)) {
        bodies::template(&bytes);
    }

    #[test]
    fn values_are_read_and_written_or_refused(text in words(YAML, 30)) {
        bodies::values(text.as_bytes());
    }

    #[test]
    fn bytes_are_values_or_not(bytes in vec(any::<u8>(), 0..80)) {
        bodies::values(&bytes);
    }

    #[test]
    fn archives_load_or_are_refused(entries in vec(entry(), 0..8)) {
        bodies::archive(&packed(&entries));
    }

    #[test]
    fn damaged_archives_load_or_are_refused(entries in vec(entry(), 1..4), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = packed(&entries);
        let at = at % bytes.len();
        bytes[at] = byte;
        bodies::archive(&bytes);
    }

    #[test]
    fn any_value_is_written_to_be_read(bytes in vec(any::<u8>(), 0..120)) {
        bodies::to_yaml(&bytes);
    }
}
