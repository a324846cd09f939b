//! Arrays as JSON: nested, row-major; a scalar is a plain number; `NaN`, `Infinity` and `-Infinity` are written as those strings.

use chainrule_core::eval::Array;
use serde_json::{Map, Number, Value};

/// An array as nested lists.
pub(crate) fn from_array(array: &Array) -> Value {
    nest(&array.shape, &array.data)
}

fn nest(shape: &[usize], data: &[f64]) -> Value {
    match shape.split_first() {
        None => data.first().map_or(Value::Null, |&entry| number(entry)),
        Some((&size, rest)) => {
            let each = data.len() / size.max(1);
            Value::Array(
                (0..size).map(|at| nest(rest, &data[at * each..(at + 1) * each])).collect(),
            )
        }
    }
}

/// A number, in the shortest spelling that reads back as the same one.
pub(crate) fn number(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// Nested lists as an array, or what is wrong with them. Positions are told as `[1][0]`.
pub(crate) fn to_array(value: &Value) -> Result<Array, String> {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Value::Array(items) = inner {
        shape.push(items.len());
        match items.first() {
            Some(first) => inner = first,
            None => return Err("an axis has no entries; sizes are at least 1".to_string()),
        }
    }
    let mut data = Vec::new();
    collect(value, &shape, &mut Vec::new(), &mut data)?;
    Array::new(&shape, data).ok_or_else(|| "the nesting is uneven".to_string())
}

fn collect(
    value: &Value,
    shape: &[usize],
    at: &mut Vec<usize>,
    data: &mut Vec<f64>,
) -> Result<(), String> {
    match (value, shape.split_first()) {
        (Value::Array(items), Some((&size, rest))) => {
            if items.len() != size {
                let (here, before) = (count(items.len()), count(size));
                return Err(format!(
                    "the nesting is uneven: {} has {here}, the ones before it {before}",
                    place(at)
                ));
            }
            for (index, item) in items.iter().enumerate() {
                at.push(index);
                collect(item, rest, at, data)?;
                at.pop();
            }
            Ok(())
        }
        (Value::Array(_), None) => Err(format!(
            "the nesting is uneven: {} is a list, the ones before it are numbers",
            place(at)
        )),
        (other, shape) => {
            let number = entry(other)
                .ok_or_else(|| format!("{} is {}, not a number", place(at), kind(other)))?;
            if shape.is_some() {
                return Err(format!(
                    "the nesting is uneven: {} is a number, the ones before it are lists",
                    place(at)
                ));
            }
            data.push(number);
            Ok(())
        }
    }
}

fn entry(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn count(size: usize) -> String {
    if size == 1 { "1 entry".to_string() } else { format!("{size} entries") }
}

fn place(at: &[usize]) -> String {
    if at.is_empty() {
        return "the value".to_string();
    }
    let brackets: String = at.iter().map(|index| format!("[{index}]")).collect();
    format!("entry {brackets}")
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        Value::Object(_) => "an object".to_string(),
        Value::Array(_) => "a list".to_string(),
        Value::Number(number) => number.to_string(),
    }
}

/// JSON for people and programs: objects are indented, lists stand on one line each.
pub(crate) fn pretty(value: &Value) -> String {
    let mut out = pretty_at(value, 0);
    out.push('\n');
    out
}

/// The same for a value that stands inside of others.
pub(crate) fn pretty_at(value: &Value, depth: usize) -> String {
    let mut out = String::new();
    write(&mut out, value, depth);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => members(out, map, depth),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "[\n" } else { ",\n" });
                out.push_str(&"  ".repeat(depth + 1));
                write(out, item, depth + 1);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
            out.push(']');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write(out, item, depth);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn members(out: &mut String, map: &Map<String, Value>, depth: usize) {
    for (at, (key, value)) in map.iter().enumerate() {
        out.push_str(if at == 0 { "{\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push_str(": ");
        write(out, value, depth + 1);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push('}');
}
