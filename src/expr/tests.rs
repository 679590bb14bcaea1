//! Rows drawn from the language definition of CEL, and the messages of what fails.

use super::*;
use crate::source::{FileId, Sources};
use crate::value::{Node, Value};
use crate::yaml;

/// The inputs that rows read.
const INPUTS: &str = r"
replicas: 3
name: shop
ratio: 1.5
big: 9223372036854775808
tags: [b, a, c]
empty: {}
ports: {web: 80, admin: 8080}
nodes: {b: {ip: 10.0.0.2}, a: {ip: 10.0.0.1}}
nothing: null
'odd-name': 1
mixed: [1, 2.5, x]
";

fn tree(sources: &Sources, name: &str, text: &str) -> Node {
    let file: FileId = sources.add(name, text);
    yaml::read(file, text, yaml::Options::STRICT)
        .unwrap_or_else(|error| panic!("{text}: {}", error.go_message()))
}

fn scope(sources: &Sources) -> Variables {
    Variables::new().with("inputs", tree(sources, "inputs.yaml", INPUTS))
}

/// Evaluates an expression and prints its result as JSON; findings as `code: message`.
fn run(expression: &str) -> String {
    let sources = Sources::new();
    let text = format!("${{{expression}}}");
    let file = sources.add("stack.yaml", text.as_str());
    let node = Node::new(text.as_str(), crate::source::Span::new(file, 0, text.len()));
    let scope = scope(&sources);
    match Tree::compile(&node, &sources).and_then(|tree| tree.evaluate(&scope)) {
        Ok(Some(node)) => node.to_json().to_string(),
        Ok(None) => "omit".to_owned(),
        Err(found) => {
            let texts: Vec<String> = found.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
            texts.join("; ")
        }
    }
}

fn rows(rows: &[(&str, &str)]) {
    for (expression, wanted) in rows {
        assert_eq!(run(expression), *wanted, "{expression}");
    }
}

#[test]
fn literals_and_arithmetic() {
    rows(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("7.0 / 2.0", "3.5"),
        ("10 - 2 - 3", "5"),
        ("2u + 3u", "5"),
        ("0x1F", "31"),
        ("1e3", "1000.0"),
        (".5 + .25", "0.75"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("--1", "1"),
        ("!!true", "true"),
        ("'a' + \"b\"", "\"ab\""),
        ("r'\\d' + '\\\\d'", "\"\\\\d\\\\d\""),
        ("'''a'b\n'''", "\"a'b\\n\""),
        ("'\\u00e4\\x41\\101'", "\"äAA\""),
        ("[1, 2] + [3]", "[1,2,3]"),
        ("{'b': 1, 'a': [true, null]}", "{\"a\":[true,null],\"b\":1}"),
        ("[1, 2,]", "[1,2]"),
        ("1 // a comment\n + 1", "2"),
    ]);
}

#[test]
fn numbers_never_overflow_quietly() {
    rows(&[
        ("9223372036854775807 + 1", "expression-overflow: the result of `+` does not fit 64 bits"),
        ("-9223372036854775808 - 1", "expression-overflow: the result of `-` does not fit 64 bits"),
        ("-(-9223372036854775808)", "expression-overflow: the result of `-` does not fit 64 bits"),
        ("4611686018427387904 * 2", "expression-overflow: the result of `*` does not fit 64 bits"),
        ("1u - 2u", "expression-overflow: the result of `-` does not fit 64 bits"),
        ("9223372036854775808", "expression-overflow: this integer does not fit 64 bits"),
        ("1 / 0", "expression-value: division by zero"),
        ("1 % 0", "expression-value: division by zero"),
        ("1.0 / 0.0", "expression-value: the result is no finite number"),
        ("int(1e20)", "expression-overflow: 100000000000000000000 does not fit a signed integer of 64 bits"),
        ("uint(-1)", "expression-overflow: -1 does not fit an unsigned integer of 64 bits"),
        ("inputs.big", "expression-overflow: 9223372036854775808 does not fit a signed integer of 64 bits"),
        ("1 + 1.0", "expression-type: `+` does not take an integer and a number"),
    ]);
}

#[test]
fn equality_and_order_cross_numeric_types() {
    rows(&[
        ("1 == 1.0 && 1u == 1 && 1.0 == 1u", "true"),
        ("1 < 1.5 && 2u > 1 && 2 >= 2.0", "true"),
        ("9223372036854775807 == 9223372036854775807.0", "false"),
        ("1 == '1'", "false"),
        ("null == false", "false"),
        ("[1, 2] == [1.0, 2u]", "true"),
        ("{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1}", "true"),
        ("{1: 'x'}[1u]", "\"x\""),
        ("0.0 / 0.0 == 0.0 / 0.0", "false"),
        ("0.0 / 0.0 < 1.0", "false"),
        ("'a' < 'b' && b'a' < b'b' && false < true", "true"),
        ("'1' < 2", "expression-type: `<` does not take a string and an integer"),
        ("2 in [1.0, 2.0]", "true"),
        ("'web' in inputs.ports", "true"),
        ("1 in inputs.ports", "false"),
        ("'a' in 'abc'", "expression-type: `in` does not take a string and a string"),
        ("type(1) == int && type('') != type(1)", "true"),
        ("type(type(1)) == type", "true"),
    ]);
}

#[test]
fn logic_absorbs_errors() {
    rows(&[
        ("true || inputs.no", "true"),
        ("inputs.no || true", "true"),
        ("inputs.no && false", "false"),
        ("1 / 0 == 1 || true", "true"),
        ("1 || true", "true"),
        ("false || inputs.no", "expression-missing-key: `inputs` has no key `no`"),
        ("true && 1", "expression-type: `&&` takes booleans, not an integer"),
        ("true ? 1 : inputs.no", "1"),
        ("1 ? 2 : 3", "expression-type: the condition of `?:` is an integer, not a boolean"),
        ("[1, 0].exists(x, 1 / x == 1)", "true"),
        ("[0, 1].exists(x, 1 / x == 1)", "true"),
        ("[0, 2].exists(x, 1 / x == 1)", "expression-value: division by zero"),
        ("[0, 2].all(x, 1 / x == 1)", "false"),
        ("[].all(x, false) && ![].exists(x, true)", "true"),
        ("[0, 1].exists_one(x, 1 / x == 1)", "expression-value: division by zero"),
    ]);
}

#[test]
fn paths_members_and_has() {
    rows(&[
        ("inputs.name", "\"shop\""),
        ("inputs['odd-name']", "1"),
        ("inputs.`odd-name`", "1"),
        ("inputs.tags[0]", "\"b\""),
        ("inputs.tags[3]", "expression-missing-key: `inputs.tags` has no item 3"),
        ("inputs.tags[-1]", "expression-missing-key: `inputs.tags` has no item -1"),
        ("inputs.nodes['a'].ip", "\"10.0.0.1\""),
        ("inputs.relpicas", "expression-missing-key: `inputs` has no key `relpicas`"),
        ("inputs.name.x", "expression-type: `inputs.name` is a string and has no member `x`"),
        ("inputs.tags.x", "expression-type: `inputs.tags` is a list and has no key `x`"),
        ("inputs.nothing.x", "expression-type: `inputs.nothing` is null and has no member `x`"),
        ("has(inputs.name) && !has(inputs.no) && has(inputs.nothing)", "true"),
        ("has(inputs['odd-name'])", "true"),
        ("has({'a': 1}.a)", "true"),
        ("has(inputs.no.deeper)", "expression-missing-key: `inputs` has no key `no`"),
        ("has(inputs.name.x)", "expression-type: `has()` asks for a member of a string, which has none"),
        ("outputs.x", "unknown-name: nothing is called `outputs` here"),
        ("{'a': {'namespace': 1}}.a.namespace", "1"),
    ]);
}

#[test]
fn comprehensions_run_in_order() {
    rows(&[
        ("inputs.tags.map(t, t + '!')", "[\"b!\",\"a!\",\"c!\"]"),
        ("inputs.nodes.map(n, n)", "[\"a\",\"b\"]"),
        ("inputs.nodes.map(n, n != 'a', inputs.nodes[n].ip)", "[\"10.0.0.2\"]"),
        ("inputs.ports.filter(p, inputs.ports[p] > 100)", "[\"admin\"]"),
        ("inputs.nodes.transformList(k, v, k + '=' + v.ip)", "[\"a=10.0.0.1\",\"b=10.0.0.2\"]"),
        ("inputs.nodes.transformMap(k, v, k == 'b', v.ip)", "{\"b\":\"10.0.0.2\"}"),
        ("inputs.tags.transformMapEntry(i, t, {t: i})", "{\"a\":1,\"b\":0,\"c\":2}"),
        ("['x', 'x'].transformMapEntry(i, t, {t: i})", "expression-value: the key `x` results twice"),
        ("['a', 'b'].transformList(i, t, string(i) + t)", "[\"0a\",\"1b\"]"),
        ("[1, 2, 3].exists(i, v, i == 2 && v == 3)", "true"),
        ("inputs.ports.all(k, v, v > 10)", "true"),
        ("[1, 2, 3].exists_one(x, x > 2)", "true"),
        ("cel.bind(x, inputs.replicas, x * x)", "9"),
        ("[[1, 2], [3]].map(l, l.map(x, x * 2))", "[[2,4],[6]]"),
        ("[3, 1, 2].sortBy(x, -x)", "[3,2,1]"),
        ("inputs.tags.map(inputs, inputs)", "[\"b\",\"a\",\"c\"]"),
        ("inputs.name.map(x, x)", "expression-type: a comprehension runs over a list or a map, not a string"),
    ]);
}

#[test]
fn functions_of_text() {
    rows(&[
        ("size('äb') + size(b'äb') + size([1]) + size({'a': 1})", "7"),
        ("'tacocat'.charAt(3)", "\"o\""),
        ("'hello mellow'.indexOf('ello', 2)", "7"),
        ("'hello mellow'.lastIndexOf('ello', 6)", "1"),
        ("'hello'.indexOf('x')", "-1"),
        ("'tacocat'.substring(4) + 'tacocat'.substring(0, 4)", "\"cattaco\""),
        ("'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]"),
        ("'abc'.split('')", "[\"a\",\"b\",\"c\"]"),
        ("['a', 'b'].join('-') + ['a'].join()", "\"a-ba\""),
        ("[1].join('-')", "expression-type: `join` takes a list of strings; item 0 is an integer"),
        ("'hello hello'.replace('he', 'we', 1)", "\"wello hello\""),
        ("' x '.trim() + 'TacoÄ'.lowerAscii() + 'tacoä'.upperAscii()", "\"xtacoÄTACOä\""),
        ("'abc'.matches('^[a-c]+$') && matches('abc', 'b')", "true"),
        ("'a1b22'.find('[0-9]+') + 'a1b22'.findAll('[0-9]+').join('/')", "\"11/22\""),
        ("'a'.matches('(')", "expression-value: `(` is no pattern"),
        ("'%s is %d, %.2f, %x, %%'.format(['a', 3, 1.5, 255])", "\"a is 3, 1.50, ff, %\""),
        ("'%s'.format([{'b': [1, 2.0], 'a': null}])", "\"{a: null, b: [1, 2]}\""),
        ("'%d'.format(['x'])", "expression-type: `%d` does not take a string, which is value 0"),
        ("strings.quote('a\"b')", "\"\\\"a\\\\\\\"b\\\"\""),
        ("'ab'.reverse()", "\"ba\""),
        ("base64.encode(b'hello') + string(base64.decode('aGVsbG8'))", "\"aGVsbG8=hello\""),
        ("sha256('a')", "\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\""),
        ("lines(['a', 1])", "\"a\\n1\\n\""),
        ("yaml({'b': [1.0, 'on'], 'a': {'c': 'x: y'}})", "\"a:\\n  c: 'x: y'\\nb:\\n- 1\\n- \\\"on\\\"\\n\""),
        ("json({'b': 1.0, 'a': ['x']})", "\"{\\\"a\\\":[\\\"x\\\"],\\\"b\\\":1}\""),
    ]);
}

#[test]
fn functions_of_lists_and_numbers() {
    rows(&[
        ("[3, 1, 2].sort()", "[1,2,3]"),
        ("[1, 2.0, 1u].distinct()", "[1,2.0]"),
        ("[1, [2, [3]]].flatten()", "[1,2,[3]]"),
        ("[1, [2, [3]]].flatten(2)", "[1,2,3]"),
        ("[1, 2, 3].slice(1, 3)", "[2,3]"),
        ("[1, 2, 3].slice(2, 4)", "expression-value: 2 to 4 is no range of a list of 3 items"),
        ("[1, 2].sum() + [1, 3].max() + [4, 2].min()", "8"),
        ("[].sum()", "0"),
        ("[].max()", "expression-value: the list is empty"),
        ("['a', 'b'].isSorted()", "true"),
        ("[1, 2, 1].indexOf(1) + [1, 2, 1].lastIndexOf(1)", "2"),
        ("lists.range(3)", "[0,1,2]"),
        (
            "sets.contains([1, 2], [2.0]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])",
            "true",
        ),
        ("math.greatest(1, 2.5, 2u)", "2.5"),
        ("math.least([3, 2])", "2"),
        ("math.ceil(1.2) + math.floor(1.8) + math.round(-1.5) + math.trunc(-1.9)", "0.0"),
        ("math.abs(-3) + math.sign(-3)", "2"),
        ("math.bitAnd(6, 3) + math.bitShiftLeft(1, 4)", "18"),
        ("int('42') + int(3.9) + int(-3.9) + int(7u)", "49"),
        ("int('x')", "expression-value: \"x\" is no integer"),
        ("double('1.5') + double(2)", "3.5"),
        ("string(1.0) + string(1.5) + string(true) + string(2u)", "\"11.5true2\""),
        ("bool('true') && !bool('0')", "true"),
    ]);
}

#[test]
fn functions_of_kubernetes() {
    rows(&[
        ("cidr('10.0.0.0/8').containsIP('10.42.0.1')", "true"),
        ("cidr('10.0.0.0/8').containsCIDR(cidr('10.42.0.0/16'))", "true"),
        (
            "string(cidr('10.42.1.1/16').masked()) + string(cidr('10.1.0.0/16').ip())",
            "\"10.42.0.0/1610.1.0.0\"",
        ),
        ("cidr('10.42.0.0/16').prefixLength() + ip('::1').family()", "22"),
        ("isIP('10.0.0.256') || isCIDR('10.0.0.0')", "false"),
        ("ip('127.0.0.1').isLoopback() && ip.isCanonical('::1') && !ip.isCanonical('::01')", "true"),
        ("quantity('1Gi').isGreaterThan(quantity('1G'))", "true"),
        ("string(quantity('500m').add(quantity('1500m')))", "\"2\""),
        ("quantity('2').compareTo(quantity('2000m'))", "0"),
        ("semver('1.2.3').isLessThan(semver('1.10.0')) && !isSemver('v1.2')", "true"),
        ("semver('v1.34', true).minor()", "34"),
        ("url('https://example.org:8443/a').getPort()", "\"8443\""),
        ("format.dns1123Label().isValid('a-b')", "true"),
        ("cidr('10.0.0.0')", "expression-value: \"10.0.0.0\" is no CIDR"),
        ("string(timestamp('2026-01-31T12:00:00Z') + duration('36h'))", "\"2026-02-02T00:00:00Z\""),
        ("timestamp('2026-01-31T23:00:00Z').getDate('+02:00')", "1"),
        ("duration('90m').getHours()", "1"),
        ("string(duration('1h30m'))", "\"5400s\""),
    ]);
}

#[test]
fn results_that_are_no_data_are_refused() {
    rows(&[
        ("ip('10.0.0.1')", "expression-type: the result is an IP address, which is no data of YAML"),
        ("[quantity('1')]", "expression-type: the result is a quantity, which is no data of YAML"),
        ("duration('1s')", "expression-type: the result is a duration, which is no data of YAML"),
        ("b'x'", "expression-type: the result is bytes, which are no data of YAML"),
        ("{1: 2}", "expression-type: the key `1` of a map is no string"),
        ("type(1)", "expression-type: a type is no data"),
    ]);
}

#[test]
fn omit_is_only_a_result() {
    rows(&[
        ("omit", "omit"),
        ("inputs.replicas > 5 ? 1 : omit", "omit"),
        ("cel.bind(x, 1, x == 1 ? omit : x)", "omit"),
        ("[omit]", "expression-omit: `omit` is used as an operand or argument"),
        ("omit == 1", "expression-omit: `omit` is used as an operand or argument"),
        ("size(omit)", "expression-omit: `omit` is used as an operand or argument"),
        ("'omit'", "\"omit\""),
    ]);
}

#[test]
fn syntax_errors_say_what_stands_there() {
    rows(&[
        ("", "expression-syntax: this expression is empty"),
        ("1 +", "expression-syntax: the expression ends where a value is expected"),
        ("a b", "expression-syntax: `b` stands where an operator or the end of the expression is expected"),
        ("(1", "expression-syntax: this `(` is not closed"),
        ("[1", "expression-syntax: this `[` is not closed"),
        ("a = 1", "expression-syntax: `=` means nothing in an expression"),
        ("a | b", "expression-syntax: `|` means nothing in an expression"),
        ("namespace", "expression-syntax: `namespace` is a reserved word of CEL"),
        ("T{}", "expression-syntax: messages cannot be made in an expression"),
        ("a.?b", "expression-syntax: optional members are not supported"),
        ("has(a)", "expression-syntax: `has()` takes one member, such as `has(inputs.host)`"),
        ("foo(1)", "expression-function: there is no function `foo`"),
        ("'a'.startWith('a')", "expression-function: there is no function `startWith`"),
        ("size(1, 2)", "expression-function: `size` takes one argument, not 2"),
        ("math.cei(1.0)", "expression-function: there is no function `math.cei`"),
        ("size(1)", "expression-type: `size` takes a string, a list, a map or bytes, not an integer"),
        ("'\\q'", "expression-syntax: `\\q` is no escape of a string"),
        ("1x", "expression-syntax: letters follow a number"),
    ]);
}

#[test]
fn work_is_bounded() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(run(&deep).starts_with("expression-limit"), "{}", run(&deep));
    let members = format!("inputs{}", ".a".repeat(5000));
    assert!(run(&members).starts_with("expression-limit"));
    let both = format!("{}inputs{}", "(".repeat(31), format!("{})", ".a".repeat(60)).repeat(31));
    assert!(run(&both).starts_with("expression-limit"), "{}", run(&both));
    let long = vec!["1"; 3000].join(" + ");
    assert_eq!(run(&long), "3000");
    let truths = vec!["true"; 3000].join(" && ");
    assert_eq!(run(&truths), "true");
    let nots = format!("{}true", "!".repeat(4000));
    assert_eq!(run(&nots), "true");
    assert!(run("lists.range(1000000)").starts_with("expression-limit"));
    let nested = "lists.range(3000).map(a, lists.range(3000).map(b, a * b))";
    assert!(run(nested).starts_with("expression-limit"));
    let hidden = "lists.range(3000).all(a, lists.range(3000).all(b, true)) || true";
    assert!(run(hidden).starts_with("expression-limit"));
    let mut doubled = "'0123456789abcdef'".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        doubled = format!(
            "cel.bind({name}, {doubled}, {name} + {name} + {name} + {name} + {name} + {name} + {name} + {name})"
        );
    }
    assert!(run(&doubled).starts_with("expression-limit"), "{}", run(&doubled));
    let mut shared = "[1]".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        shared = format!(
            "cel.bind({name}, {shared}, [{name}, {name}, {name}, {name}, {name}, {name}, {name}, {name}])"
        );
    }
    assert!(run(&shared).starts_with("expression-limit"));
    assert!(run(&format!("{shared} == {shared}")).starts_with("expression-limit"));
}

/// Evaluates a document over the inputs; findings as `code: message [what is underlined]`.
fn document(text: &str) -> Result<String, Vec<String>> {
    let sources = Sources::new();
    let node = tree(&sources, "stack.yaml", text);
    let scope = scope(&sources);
    match Tree::compile(&node, &sources).and_then(|tree| tree.evaluate(&scope)) {
        Ok(node) => Ok(node.map_or_else(|| "omit".to_owned(), |node| node.to_json().to_string())),
        Err(found) => Err(found
            .iter()
            .map(|d| {
                let place = d.primary.as_ref().map(|label| sources.snippet(label.span)).unwrap_or_default();
                format!("{}: {} [{place}]", d.code, d.message)
            })
            .collect()),
    }
}

fn evaluates(text: &str, wanted: &str) {
    assert_eq!(document(text), Ok(wanted.to_owned()), "{text}");
}

fn refuses(text: &str, wanted: &[&str]) {
    assert_eq!(document(text), Err(wanted.iter().map(ToString::to_string).collect()), "{text}");
}

#[test]
fn scalars_are_whole_or_text() {
    evaluates("a: ${inputs.replicas}", r#"{"a":3}"#);
    evaluates("a: n-${inputs.replicas}", r#"{"a":"n-3"}"#);
    evaluates("a: \"${inputs.ratio}x${inputs.name}${true}\"", r#"{"a":"1.5xshoptrue"}"#);
    evaluates("a: $${x} and $5 and $$", r#"{"a":"${x} and $5 and $$"}"#);
    evaluates("a: \"${'}' + '{'}${{'k': '}'}.k}\"", r#"{"a":"}{}"}"#);
    evaluates("a: |\n  one ${inputs.name}\n  two\n", r#"{"a":"one shop\ntwo\n"}"#);
    evaluates("a: \"${2.0 + 1.0}x\"", r#"{"a":"3x"}"#);
    refuses("a: x${inputs.tags}", &["expression-type: a list cannot be inserted into text [inputs.tags]"]);
    refuses(
        "a: x${inputs.nothing}",
        &["expression-type: null cannot be inserted into text [inputs.nothing]"],
    );
    refuses(
        "a: 'x${true ? omit : 1}'",
        &["expression-omit: `omit` cannot be inserted into text [true ? omit : 1]"],
    );
    refuses("a: ${inputs.name", &["expression-syntax: this expression is not closed [${inputs.name]"]);
}

#[test]
fn all_findings_of_a_tree_with_the_smallest_places() {
    refuses(
        "a: ${inputs.nam}\nb:\n  - \"${'x' + inputs.replicas}\"\n  - 'it''s ${inputs.tags[7]}'\nc: >-\n  folded\n  ${inputs.ports.wbe}\n",
        &[
            "expression-missing-key: `inputs` has no key `nam` [nam]",
            "expression-type: `+` does not take a string and an integer ['x' + inputs.replicas]",
            "expression-missing-key: `inputs.tags` has no item 7 [7]",
            "expression-missing-key: `inputs.ports` has no key `wbe` [wbe]",
        ],
    );
}

#[test]
fn omit_removes_keys_and_items() {
    evaluates(
        "a: {b: \"${omit}\", c: 1}\nd: ['${omit}', 2]\ne: {f: \"${omit}\"}",
        r#"{"a":{"c":1},"d":[2],"e":{}}"#,
    );
    evaluates("a: omit", r#"{"a":"omit"}"#);
    evaluates("\"${inputs.replicas > 9 ? 'x' : omit}\"", "omit");
}

#[test]
fn keys_may_be_expressions() {
    evaluates("\"${inputs.name}\": 1\n\"a-${inputs.replicas}\": 2", r#"{"a-3":2,"shop":1}"#);
    refuses(
        "\"${inputs.replicas}\": 1",
        &["expression-type: this key is an integer, not a string [\"${inputs.replicas}\"]"],
    );
    refuses("\"${inputs.name}\": 1\nshop: 2", &["expression-value: the key `shop` is set twice [shop]"]);
}

#[test]
fn each_expands_in_place() {
    evaluates(
        "l:\n  - first\n  - {$each: {each: n, key: k, in: \"${inputs.nodes}\"}, $when: \"${k != 'b'}\", $item: {ip: \"${n.ip}\", k: \"${k}\"}}\n  - last\n",
        r#"{"l":["first",{"ip":"10.0.0.1","k":"a"},"last"]}"#,
    );
    evaluates("l: [{$when: \"${false}\", $item: 1}, {$when: true, $item: 2}]", r#"{"l":[2]}"#);
    evaluates(
        "l: [{$each: [{each: a, in: [1, 2]}, {each: b, key: i, in: \"${[a, a * 10]}\"}], $item: \"${a + b + i}\"}]",
        r#"{"l":[2,12,4,23]}"#,
    );
    refuses(
        "l: [{$each: {each: inputs, in: [1]}, $item: 1}]",
        &["shadowed-name: `inputs` is in scope already [inputs]"],
    );
    refuses(
        "l: [{$each: [{each: a, in: [1]}, {each: a, in: [1]}], $item: 1}]",
        &["shadowed-name: `a` is in scope already [a]"],
    );
    refuses(
        "l: [{$each: {each: a, in: \"${inputs.name}\"}, $item: 1}]",
        &["expression-type: `in` is a string, neither a list nor a map [\"${inputs.name}\"]"],
    );
    refuses(
        "l: [{$each: {eech: a, in: [1]}, $item: 1}]",
        &[
            "expression-syntax: `eech` means nothing here [eech]",
            "expression-syntax: `each` is missing [{eech: a, in: [1]}]",
        ],
    );
    refuses("l: [{$item: 1, $whem: true}]", &["expression-syntax: `$whem` stands beside `$item` [$whem]"]);
    refuses(
        "l: {$item: 1}",
        &["expression-syntax: `$item` stands in a map that is no item of a list [$item]"],
    );
}

#[test]
fn plain_paths_keep_origins_and_results_know_what_they_read() {
    let sources = Sources::new();
    let node =
        tree(&sources, "stack.yaml", "a: ${inputs.nodes}\nb: ${inputs.name + string(inputs.replicas)}\n");
    let scope = scope(&sources);
    let result = Tree::compile(&node, &sources)
        .expect("compiles")
        .evaluate(&scope)
        .expect("evaluates")
        .expect("a node");
    let ip = result.at(&["a", "b", "ip"]).expect("there").span().expect("a place");
    assert_eq!(
        (sources.place(ip), sources.snippet(ip)),
        ("inputs.yaml:9:17".to_owned(), "10.0.0.2".to_owned())
    );
    let crate::value::Origin::Link(link) = &result.get("b").expect("there").origin else { panic!("no link") };
    let crate::value::OriginKind::Expression { at, reads } = link.as_ref() else { panic!("no expression") };
    assert_eq!(sources.snippet(*at), "${inputs.name + string(inputs.replicas)}");
    let paths: Vec<String> = reads.iter().map(|read| read.path.to_string()).collect();
    assert_eq!(paths, ["inputs.name", "inputs.replicas"]);
}

#[test]
fn rounds_know_the_path_of_their_items() {
    let sources = Sources::new();
    let each = tree(&sources, "stack.yaml", "{each: n, in: \"${inputs.nodes}\"}");
    let body = tree(&sources, "body.yaml", "${n.ip + '!'}");
    let scope = scope(&sources);
    let rounds = ForEach::compile(&each, &sources).expect("compiles").expand(&scope).expect("expands");
    let tree = Tree::compile(&body, &sources).expect("compiles");
    let result = tree.evaluate(&rounds[1].over(&scope)).expect("evaluates").expect("a node");
    let crate::value::Origin::Link(link) = &result.origin else { panic!("no link") };
    let crate::value::OriginKind::Expression { reads, .. } = link.as_ref() else { panic!("no expression") };
    assert_eq!(reads[0].path.to_string(), "inputs.nodes.b.ip");
    assert_eq!(result.value, Value::from("10.0.0.2!"));
}

#[test]
fn reads_are_known_before_evaluation() {
    let sources = Sources::new();
    let text = "a: \"${inputs.nodes[inputs.name].ip + requires.x['y-z'].w}\"\nb: \"${inputs.tags.map(t, t + overlay.name)}\"\nc: \"${has(requires.q) ? int(1) : 2}\"\nd: [{$each: {each: n, in: \"${inputs.l}\"}, $item: \"${n.x + instance.name}\"}]\n";
    let node = tree(&sources, "stack.yaml", text);
    let reads = Tree::compile(&node, &sources).expect("compiles").reads();
    let texts: Vec<String> =
        reads.iter().map(|free| format!("{}{}", free.path, if free.asked { "?" } else { "" })).collect();
    assert_eq!(
        texts,
        [
            "inputs.nodes",
            "inputs.name",
            "requires.x.y-z.w",
            "inputs.tags",
            "overlay.name",
            "requires.q?",
            "inputs.l",
            "instance.name"
        ]
    );
}

/// A map whose members are computed: `later` is not known yet, `broken` failed, `none` is absent.
struct Exports {
    value: Node,
}

impl Lazy for Exports {
    fn member(&self, key: &str) -> Found<'_> {
        match key {
            "value" => Found::Node(&self.value),
            "later" => Found::Ahead("only `inputs` may be read here".to_owned()),
            "broken" => Found::Failed(None),
            _ => Found::Absent,
        }
    }

    fn keys(&self) -> Vec<std::sync::Arc<str>> {
        vec!["value".into()]
    }

    fn absent(&self, _key: &str) -> Option<String> {
        Some("nothing provides it".to_owned())
    }
}

struct Capabilities(Exports);

impl Scope for Capabilities {
    fn variable(&self, name: &str) -> Found<'_> {
        if name == "requires" { Found::Lazy(&self.0) } else { Found::Absent }
    }

    fn names(&self) -> Vec<std::sync::Arc<str>> {
        vec!["requires".into()]
    }
}

#[test]
fn lazy_members_are_computed_absent_ahead_or_failed() {
    let sources = Sources::new();
    let scope = Capabilities(Exports { value: Node::new(7, crate::value::Origin::Compiler) });
    let eval = |text: &str| {
        let node = tree(&sources, "stack.yaml", text);
        Tree::compile(&node, &sources).expect("compiles").evaluate(&scope)
    };
    let json = |text: &str| eval(text).expect("evaluates").expect("a node").to_json().to_string();
    assert_eq!(json("${requires.value + 1}"), "8");
    assert_eq!(json("${requires}"), r#"{"value":7}"#);
    assert_eq!(json("${has(requires.value) && !has(requires.x) && 'value' in requires}"), "true");
    assert_eq!(json("${requires.map(k, k)}"), r#"["value"]"#);
    let absent = eval("${requires.valu}").expect_err("absent");
    assert_eq!(absent[0].message, "`requires` has no key `valu`");
    assert_eq!(absent[0].helps, ["did you mean `value`?"]);
    assert!(absent[0].notes.contains(&"nothing provides it".to_owned()));
    let ahead =
        eval("${true || requires.later}").map(|_| ()).and(eval("${requires.later}")).expect_err("ahead");
    assert_eq!(
        (ahead[0].code.as_str(), ahead[0].helps[0].as_str()),
        ("reads-ahead", "only `inputs` may be read here")
    );
    assert_eq!(eval("${requires.broken || true}").expect_err("failed"), []);
}

#[test]
fn messages_name_values_origins_and_remedies() {
    let sources = Sources::new();
    let scope = scope(&sources);
    let first = |text: &str| {
        let node = tree(&sources, "stack.yaml", text);
        Tree::compile(&node, &sources).and_then(|tree| tree.evaluate(&scope)).expect_err("fails").remove(0)
    };
    let wrong = first("${inputs.name + inputs.replicas}");
    let related: Vec<String> =
        wrong.related.iter().map(|label| format!("{}: {}", sources.place(label.span), label.text)).collect();
    assert_eq!(
        related,
        [
            "inputs.yaml:3:7: `inputs.name` is a string here",
            "inputs.yaml:2:11: `inputs.replicas` is an integer here"
        ]
    );
    assert!(wrong.helps[0].contains("string(...)"), "{:?}", wrong.helps);
    let missing = first("${inputs.relpicas}");
    assert_eq!(missing.helps, ["did you mean `replicas`?"]);
    assert!(missing.notes[0].starts_with("`inputs` has `replicas`, `name`"), "{:?}", missing.notes);
    let function = first("${inputs.name.toLower()}");
    assert_eq!(function.helps, ["write `x.lowerAscii()`"]);
}

#[test]
fn yaml_that_cut_an_expression_apart_is_explained() {
    for (text, quoted) in [
        ("a: ${x ? 1 : 2}\n", "\"${x ? 1 : 2}\""),
        ("a: {b: ${inputs.name}}\n", "\"${inputs.name}\""),
        ("a: ${x == 'b' #c}\n", "\"${x == 'b' #c}\""),
        ("- ${x ? \"a\" : y}\n", "'${x ? \"a\" : y}'"),
    ] {
        let sources = Sources::new();
        let file = sources.add("stack.yaml", text);
        let found = match yaml::read(file, text, yaml::Options::STRICT) {
            Err(error) => needs_quotes(&sources, error.at().span(file)).into_iter().collect(),
            Ok(node) => Tree::compile(&node, &sources).expect_err("half an expression"),
        };
        assert_eq!(found[0].code.as_str(), "expression-needs-quotes", "{text}");
        assert_eq!(found[0].helps[0], format!("write it in quotes: {quoted}"), "{text}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            run(&text);
        }

        #[test]
        fn no_tokens_panic(tokens in prop::collection::vec(prop::sample::select(vec![
            "inputs", ".", "name", "tags", "nodes", "[", "]", "(", ")", "{", "}", "'a'", "1", "2u", "1.5", "-", "!", "+", "*", "/",
            "%", "==", "<", "in", "&&", "||", "?", ":", ",", "size", "map", "x", "has", "exists", "filter", "omit", "null", "true",
            "cel.bind", "string", "split", "format", "math.greatest", "ip", "quantity", "duration", "9223372036854775807", "b'x'",
            "substring", "replace", "join", "sort", "slice", "transformMap", "k", "v", "lastIndexOf", "charAt", "''", "'ä'",
        ]), 0..24)) {
            run(&tokens.concat());
            run(&tokens.join(" "));
        }

        #[test]
        fn no_document_panics(text in "(a|b|\\$|\\{|\\}|'|\"|\\.|inputs|: |#|\n|  |-|\\||>|\\\\)*") {
            let sources = Sources::new();
            let file = sources.add("stack.yaml", text.as_str());
            if let Ok(node) = yaml::read(file, &text, yaml::Options::STRICT)
                && let Ok(tree) = Tree::compile(&node, &sources)
            {
                drop(tree.evaluate(&scope(&sources)));
            }
        }
    }
}
