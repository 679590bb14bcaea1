//! Go's package fmt over Go's values: `printf` with every verb and flag, `print`, `println`.
//!
//! Output is bytes, as a Go string may hold any. What cannot be finished (a value that contains itself, an output
//! beyond [`MAX_BYTES`]) is an error, where Go would use up all memory.

mod format;
mod print;

pub use print::{append_indirect, append_value, sprint, sprintf, sprintln};

/// The largest text that one call makes.
pub const MAX_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::sprintf;
    use crate::helm::value::{Kind, List, Map, Str, Value, types};
    use serde_json::Value as Json;

    fn bytes(hex: &Json) -> Vec<u8> {
        let hex = hex.as_str().expect("hex").as_bytes();
        hex.chunks(2)
            .map(|d| u8::from_str_radix(std::str::from_utf8(d).expect("ascii"), 16).expect("hex"))
            .collect()
    }

    fn operand(json: &Json) -> Value {
        let v = &json["v"];
        let number = || v.as_str().expect("number").parse::<i128>().expect("number");
        let items = || v.as_array().expect("array");
        let signed = |n: i128| i64::try_from(n).expect("in range");
        let unsigned = |n: i128| u64::try_from(n).expect("in range");
        match json["t"].as_str().expect("type") {
            "nil" => Value::Nil,
            "float64" => Value::Float(f64::from_bits(unsigned(number()))),
            "int" => Value::int(signed(number())),
            "int64" => Value::int64(signed(number())),
            "uint64" => Value::Uint(Kind::Uint64, unsigned(number())),
            "uint8" => Value::Uint(Kind::Uint8, unsigned(number())),
            "bytes" => Value::bytes(bytes(v)),
            "string" => Value::String(bytes(v).into()),
            "bool" => Value::Bool(v.as_bool().expect("bool")),
            "[]string" => Value::strings(items().iter().map(bytes)),
            "[]int" => {
                Value::List(List::ints(items().iter().map(|i| i.as_str().expect("n").parse().expect("n"))))
            }
            "nillist" => Value::List(List::nil(&types::LIST)),
            "list" => Value::list(items().iter().map(operand).collect()),
            "nilmap" => Value::Map(Map::nil(&types::MAP)),
            "map" => Value::map(v.as_object().expect("map").iter().map(|(k, v)| (k, operand(v)))),
            "map[string]string" => Value::Map(Map::of(
                &types::STRING_MAP,
                v.as_object().expect("map").iter().map(|(k, v)| (k, Value::string(Str::from(bytes(v))))),
            )),
            other => panic!("{other}"),
        }
    }

    /// `cases.jsonl` holds what Go 1.26's `fmt.Sprintf` printed, operands and output in hexadecimal.
    #[test]
    fn prints_what_go_prints() {
        let mut wrong = Vec::new();
        for line in include_str!("cases.jsonl").lines() {
            let case: Json = serde_json::from_str(line).expect("a case");
            let args: Vec<Value> = case["a"].as_array().expect("operands").iter().map(operand).collect();
            let got = sprintf(case["f"].as_str().expect("format").as_bytes(), &args).expect("prints");
            let want = bytes(&case["o"]);
            if got != want {
                wrong.push(format!(
                    "{} {args:?}: {:?}, Go: {:?}",
                    case["f"],
                    String::from_utf8_lossy(&got),
                    String::from_utf8_lossy(&want)
                ));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    }
}
