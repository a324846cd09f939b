//! In: files of functions that emitted code may call, and a piece of emitted code. Out: those that it needs.
//! A function begins where a line that is not indented holds its name, and ends where the next one begins.

use std::collections::BTreeSet;

/// A function of a file: its name and its text.
pub struct Helper {
    /// What it is called.
    pub name: String,
    /// Its definition, from the first line to the last.
    pub text: String,
}

/// The functions of a file, in order; `name` tells the name that a line defines, if it begins a function.
pub fn parse(file: &str, name: fn(&str) -> Option<String>) -> Vec<Helper> {
    let mut helpers: Vec<Helper> = Vec::new();
    for line in file.lines() {
        if let Some(name) = name(line) {
            helpers.push(Helper { name, text: String::new() });
        }
        if let Some(helper) = helpers.last_mut() {
            helper.text.push_str(line);
            helper.text.push('\n');
        }
    }
    for helper in &mut helpers {
        helper.text = helper.text.trim_end().to_string();
    }
    helpers
}

/// The names and numbers of a text.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let others = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    text.split(others).filter(|word| !word.is_empty())
}

/// Whether a text has this name as a whole word.
pub fn mentions(text: &str, name: &str) -> bool {
    words(text).any(|word| word == name)
}

/// The functions that a text calls, and those that they call, in the order of `helpers`.
pub fn needed<'h>(helpers: &'h [Helper], text: &str) -> Vec<&'h Helper> {
    let mut wanted = vec![false; helpers.len()];
    let mut open = vec![text];
    while let Some(text) = open.pop() {
        let said: BTreeSet<&str> = words(text).collect();
        for (at, helper) in helpers.iter().enumerate() {
            if !wanted[at] && said.contains(helper.name.as_str()) {
                wanted[at] = true;
                open.push(&helper.text);
            }
        }
    }
    helpers.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(helper, _)| helper).collect()
}
