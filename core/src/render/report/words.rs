//! The words of a report, in each language. A field that has no translation does not compile.

use crate::render::phrases::Lang;

#[allow(missing_docs, reason = "the words below say it")]
pub(super) struct Words {
    pub graph: &'static str,
    pub caption: &'static str,
    pub program: &'static str,
    pub derivations: &'static str,
    pub check: &'static str,
    pub check_note: &'static str,
    pub no_check: &'static str,
    /// The heads of the check's table.
    pub heads: [&'static str; 7],
    pub holds: &'static str,
    pub fails: &'static str,
    /// After the number of lines of code that are left out.
    pub more: &'static str,
    pub font: &'static str,
}

const EN: Words = Words {
    graph: "Computation graph",
    caption: "Thick: the path of the chain rule. Derivatives along a path multiply; those of several paths add up. \
              Point at a name here or in a formula to see it in both; a variable leads to its derivation.",
    program: "Program",
    derivations: "Derivations by the chain rule",
    check: "Gradient check",
    check_note: "The closed forms against central finite differences at random points that satisfy the declared facts; the \
                 entry that agrees least. An error is relative to the largest entry and may be at most",
    no_check: "No check was possible:",
    heads: [
        "derivative",
        "variable",
        "worst entry",
        "closed form",
        "difference",
        "relative error",
        "",
    ],
    holds: "holds",
    fails: "does not hold",
    more: "further lines: <code>chainrule emit --target rust</code> writes all of it.",
    font: "Formulas are set in STIX Two Math (SIL Open Font License 1.1).",
};

const ZH: Words = Words {
    graph: "计算图",
    caption: "粗线为链式法则的路径。同一路径上的导数相乘，不同路径的结果相加。\
              指向图中或公式中的名称，两处会同时高亮；点击变量可跳到它的推导。",
    program: "程序",
    derivations: "用链式法则推导梯度",
    check: "数值梯度检验",
    check_note: "在满足所声明条件的随机点上，比较闭式解与中心差分；所列为误差最大的元素。误差相对于最大元素，上限为",
    no_check: "无法检验：",
    heads: ["导数", "变量", "误差最大处", "闭式解", "差分", "相对误差", ""],
    holds: "成立",
    fails: "不成立",
    more: "行未列出：<code>chainrule emit --target rust</code> 可输出全部代码。",
    font: "公式字体为 STIX Two Math（SIL Open Font License 1.1）。",
};

pub(super) fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &EN,
        Lang::Zh => &ZH,
    }
}
