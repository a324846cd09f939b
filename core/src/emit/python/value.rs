//! A tensor as a Python expression. Broadcasting is left to the library as long as it can be: a value says which of its
//! node's axes its array has.

/// How tightly an expression holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bind {
    /// `a < b`, `f(x) if c else …`
    Loose,
    /// `a + b`
    Sum,
    /// `a * b`, `a / b`, `a @ b`
    Product,
    /// `-a`
    Minus,
    /// `a**b`
    Power,
    /// A name, a call, an index.
    Atom,
}

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// An array of numbers.
    Array,
    /// A number of Python.
    Plain,
    /// Truth values.
    Truth,
}

/// An expression for a node.
#[derive(Clone, Debug)]
pub struct Value {
    /// The expression.
    pub text: String,
    /// How tightly it holds together.
    pub bind: Bind,
    /// What it gives.
    pub gives: Gives,
    /// The node's axes that the array has, ascending; along the others the node repeats it.
    pub axes: Vec<usize>,
}

impl Value {
    /// An array with all axes of its node.
    pub fn array(text: impl Into<String>, bind: Bind, rank: usize) -> Value {
        Value { text: text.into(), bind, gives: Gives::Array, axes: (0..rank).collect() }
    }

    /// A number of Python.
    pub fn plain(text: impl Into<String>, bind: Bind) -> Value {
        Value { text: text.into(), bind, gives: Gives::Plain, axes: Vec::new() }
    }

    /// The expression where one that holds together at least so tightly is wanted.
    pub fn at(&self, least: Bind) -> String {
        if self.bind >= least { self.text.clone() } else { format!("({})", self.text) }
    }

    /// Whether it is a name or a number.
    pub fn is_word(&self) -> bool {
        self.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
    }

    /// The value with axes of size 1 so that it broadcasts against an array that has these axes of the node.
    pub fn against(&self, axes: &[usize]) -> Value {
        match insertion(&self.axes, axes) {
            None => self.clone(),
            Some(index) => Value {
                text: format!("{}{index}", self.at(Bind::Atom)),
                bind: Bind::Atom,
                ..self.clone()
            },
        }
    }
}

/// The index that gives an array with the axes `have` axes of size 1 where `want` has more, the leading ones left out.
pub fn insertion(have: &[usize], want: &[usize]) -> Option<String> {
    let first = have.first()?;
    let after: Vec<usize> = want.iter().copied().skip_while(|axis| axis != first).collect();
    if after.len() == have.len() {
        return None;
    }
    let slots: Vec<&str> =
        after.iter().map(|axis| if have.contains(axis) { ":" } else { "None" }).collect();
    // Trailing full axes need not be said.
    let last = slots.iter().rposition(|slot| *slot == "None")?;
    Some(format!("[{}]", slots[..=last].join(", ")))
}

/// The axes that any of the values has, ascending.
pub fn union(values: &[Value]) -> Vec<usize> {
    let mut axes: Vec<usize> = values.iter().flat_map(|value| value.axes.iter().copied()).collect();
    axes.sort_unstable();
    axes.dedup();
    axes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_size_one_are_inserted_where_broadcasting_needs_them() {
        for (have, want, index) in [
            (&[1][..], &[0, 1][..], None),
            (&[0], &[0, 1], Some("[:, None]")),
            (&[1], &[0, 1, 2], Some("[:, None]")),
            (&[0, 2], &[0, 1, 2], Some("[:, None]")),
            (&[0], &[0, 1, 2], Some("[:, None, None]")),
            (&[], &[0, 1], None),
        ] {
            assert_eq!(insertion(have, want).as_deref(), index, "{have:?} {want:?}");
        }
    }
}
