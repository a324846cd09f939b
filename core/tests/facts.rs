//! Declared facts at given points: what does not hold is said, what holds is not.

use chainrule_core::check::facts::broken;
use chainrule_core::check::random_point;
use chainrule_core::ir::VarId;
use chainrule_core::{Code, Source, compile};

/// A declaration of `x`, entries that break its fact, and what is said of them.
const BROKEN: &[(&str, &[f64], &str)] = &[
    ("x:[2,2] one_hot", &[1.0, 0.0, 0.5, 0.5], "row 1 has the entry 0.5"),
    ("x:[2,2] one_hot", &[1.0, 1.0, 0.0, 1.0], "row 0 has 2 ones"),
    ("x:[2,2] one_hot", &[0.0, 1.0, 0.0, 0.0], "row 1 has 0 ones"),
    ("x:[2] simplex", &[1.5, -0.5], "an entry is -0.5"),
    ("x:[2] simplex", &[0.5, 0.25], "row 0 sums to 0.75"),
    ("x:[2] unit", &[1.0, 1.0], "row 0 has length 1.414"),
    ("x positive", &[0.0], "an entry is 0"),
    ("x nonnegative", &[-1.0], "an entry is -1"),
    ("x:[2,2] symmetric", &[1.0, 2.0, 3.0, 1.0], "entry [0,1] is 2 and entry [1,0] is 3"),
    ("x:[2,2] spd", &[1.0, 2.0, 2.0, 1.0], "it has an eigenvalue that is not positive"),
    ("x:[2,2] orthogonal", &[1.0, 1.0, 0.0, 1.0], "rows 0 and 0 have the product 2"),
    ("x:[2,2] diagonal", &[1.0, 0.0, 4.0, 1.0], "entry [1,0] is 4"),
    ("x:[2,2] triangular", &[1.0, 5.0, 0.0, 1.0], "entry [0,1] is 5"),
];

#[test]
fn facts_that_a_point_breaks_are_told() {
    for (declared, entries, why) in BROKEN {
        let program = format!("param {declared}; loss E = sum(x^2);");
        let compiled = compile(&Source::new("test", program.as_str()));
        assert!(!compiled.has_errors(), "{program}: {:?}", compiled.diagnostics);
        let mut point = random_point(&compiled, 1).expect("a point that has the fact");
        assert!(broken(&compiled.graph, &point).is_empty(), "{program}");

        let x = point.vars.get_mut(&VarId(0)).expect("x");
        x.data = entries.to_vec();
        let told = broken(&compiled.graph, &point);
        assert_eq!(told.len(), 1, "{program}: {told:?}");
        assert_eq!(told[0].code, Code::BrokenFact);
        assert!(told[0].message.contains(why), "{program}: {}", told[0].message);
    }
}
