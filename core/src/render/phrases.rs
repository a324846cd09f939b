//! Every sentence that a derivation says, in each language. Holes stand in braces. The compiler finds what has no translation,
//! and a test that translations have the same holes.

/// A language of reasons and headings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

/// What is said, whatever the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences below say it")]
pub enum Phrase {
    Definition,
    OnceMore,
    Along,
    Paired,
    ChainRule,
    WithRule,
    DerivativeOf,
    FlatFunction,
    HeldFunction,
    Power,
    Product,
    ByCases,
    SumRule,
    Linear,
    TermLeft,
    Moved,
    ThroughTime,
    DeltasContracted,
    TermsVanish,
    ZeroUnless,
    PutIn,
    Collected,
    StableSpelling,
    RowsSumToOne,
    SomeRowsSumToOne,
    PicksSumToOne,
    Symmetric,
    InverseOfProduct,
    Independent,
    AsBefore,
    TwoCases,
    CasesInOne,
    If,
    Otherwise,
    Heading,
    HeadingScalar,
    Forward,
    Where,
    Result,
    InTheLanguage,
    Derivations,
    Conventions,
    Layout,
    EntryByEntry,
    DividesEntries,
    MatrixPower,
    OuterProduct,
    OnesVector,
    OtherEntries,
    AllAdded,
    AllMultiplied,
    Condition,
    Barred,
    NoValue,
    InnerProduct,
    Delta,
    AxisSum,
    Between,
    Comma,
}

impl Phrase {
    /// All of them.
    pub const ALL: &[Phrase] = &[
        Phrase::Definition,
        Phrase::OnceMore,
        Phrase::Along,
        Phrase::Paired,
        Phrase::ChainRule,
        Phrase::WithRule,
        Phrase::DerivativeOf,
        Phrase::FlatFunction,
        Phrase::HeldFunction,
        Phrase::Power,
        Phrase::Product,
        Phrase::ByCases,
        Phrase::SumRule,
        Phrase::Linear,
        Phrase::TermLeft,
        Phrase::Moved,
        Phrase::ThroughTime,
        Phrase::DeltasContracted,
        Phrase::TermsVanish,
        Phrase::ZeroUnless,
        Phrase::PutIn,
        Phrase::Collected,
        Phrase::StableSpelling,
        Phrase::RowsSumToOne,
        Phrase::SomeRowsSumToOne,
        Phrase::PicksSumToOne,
        Phrase::Symmetric,
        Phrase::InverseOfProduct,
        Phrase::Independent,
        Phrase::AsBefore,
        Phrase::TwoCases,
        Phrase::CasesInOne,
        Phrase::If,
        Phrase::Otherwise,
        Phrase::Heading,
        Phrase::HeadingScalar,
        Phrase::Forward,
        Phrase::Where,
        Phrase::Result,
        Phrase::InTheLanguage,
        Phrase::Derivations,
        Phrase::Conventions,
        Phrase::Layout,
        Phrase::EntryByEntry,
        Phrase::DividesEntries,
        Phrase::MatrixPower,
        Phrase::OuterProduct,
        Phrase::OnesVector,
        Phrase::OtherEntries,
        Phrase::AllAdded,
        Phrase::AllMultiplied,
        Phrase::Condition,
        Phrase::Barred,
        Phrase::NoValue,
        Phrase::InnerProduct,
        Phrase::Delta,
        Phrase::AxisSum,
        Phrase::Between,
        Phrase::Comma,
    ];
}

/// The sentence.
pub fn phrase(phrase: Phrase, lang: Lang) -> &'static str {
    use Lang::{En, Zh};
    match (phrase, lang) {
        (Phrase::Definition, En) => "definition of {name}",
        (Phrase::Definition, Zh) => "{name} 的定义",
        (Phrase::OnceMore, En) => "the gradient {gradient}, differentiated once more",
        (Phrase::OnceMore, Zh) => "对梯度 {gradient} 再次求导",
        (Phrase::Along, En) => "derivative of {what} along {direction}",
        (Phrase::Along, Zh) => "{what} 沿 {direction} 的方向导数",
        (Phrase::Paired, En) => {
            "the Hessian is symmetric: its product with {direction} is the gradient of {inner}"
        }
        (Phrase::Paired, Zh) => "Hessian 矩阵对称：它与 {direction} 的乘积是 {inner} 的梯度",
        (Phrase::ChainRule, En) => "chain rule",
        (Phrase::ChainRule, Zh) => "链式法则",
        (Phrase::WithRule, En) => "chain rule; with {call}, {partials}",
        (Phrase::WithRule, Zh) => "链式法则；其中 {call}，{partials}",
        (Phrase::DerivativeOf, En) => "chain rule; derivative of {function}",
        (Phrase::DerivativeOf, Zh) => "链式法则；{function} 的导数",
        (Phrase::FlatFunction, En) => "the derivative of {function} is 0 wherever it exists",
        (Phrase::FlatFunction, Zh) => "{function} 的导数凡存在处皆为 0",
        (Phrase::HeldFunction, En) => "{function} makes a constant of its argument",
        (Phrase::HeldFunction, Zh) => "{function} 把自变量视为常量",
        (Phrase::Power, En) => "power rule: {formula}",
        (Phrase::Power, Zh) => "幂法则：{formula}",
        (Phrase::Product, En) => "product rule: {formula}",
        (Phrase::Product, Zh) => "乘积法则：{formula}",
        (Phrase::ByCases, En) => "chain rule; the derivative of {function} has the two cases above",
        (Phrase::ByCases, Zh) => "链式法则；{function} 的导数分上述两种情形",
        (Phrase::SumRule, En) => "a sum is differentiated term by term",
        (Phrase::SumRule, Zh) => "和式逐项求导",
        (Phrase::Linear, En) => "a product is linear in each factor",
        (Phrase::Linear, Zh) => "乘积对每个因子都是线性的",
        (Phrase::TermLeft, En) => "a product is linear in each factor; of its sum one term is left",
        (Phrase::TermLeft, Zh) => "乘积对每个因子都是线性的，求和只剩一项",
        (Phrase::Moved, En) => "entries are only moved",
        (Phrase::Moved, Zh) => "只是重新排列各元素",
        (Phrase::ThroughTime, En) => {
            "back-propagation through time: a step gets what comes from the loss and what the step after it hands back"
        }
        (Phrase::ThroughTime, Zh) => "沿时间反向传播：每一步收到损失给它的梯度与后一步传回的梯度",
        (Phrase::DeltasContracted, En) => "Kronecker deltas contracted",
        (Phrase::DeltasContracted, Zh) => "消去克罗内克符号",
        (Phrase::TermsVanish, En) => "the terms with {unequal} vanish, as {delta} there",
        (Phrase::TermsVanish, Zh) => "{unequal} 的各项为零，因为此时 {delta}",
        (Phrase::ZeroUnless, En) => "{delta} unless {equal}",
        (Phrase::ZeroUnless, Zh) => "除非 {equal}，否则 {delta}",
        (Phrase::PutIn, En) => "{name} put in",
        (Phrase::PutIn, Zh) => "代入 {name}",
        (Phrase::Collected, En) => "collected",
        (Phrase::Collected, Zh) => "合并化简",
        (Phrase::StableSpelling, En) => "the same, spelt so that nothing overflows or cancels",
        (Phrase::StableSpelling, Zh) => "等价写法，避免溢出与相消",
        (Phrase::RowsSumToOne, En) => "uses that {name} sums to 1 along its last axis",
        (Phrase::RowsSumToOne, Zh) => "利用 {name} 沿最后一个轴之和为 1",
        (Phrase::SomeRowsSumToOne, En) => "uses that a softmax sums to 1 along its last axis",
        (Phrase::PicksSumToOne, En) => "uses that a one-hot row sums to 1",
        (Phrase::PicksSumToOne, Zh) => "利用独热行之和为 1",
        (Phrase::Symmetric, En) => "uses that {name} is symmetric",
        (Phrase::Symmetric, Zh) => "利用 {name} 是对称的",
        (Phrase::InverseOfProduct, En) => "a matrix times its inverse is the identity; {formula}",
        (Phrase::InverseOfProduct, Zh) => "矩阵与其逆之积为单位矩阵；{formula}",
        (Phrase::SomeRowsSumToOne, Zh) => "利用 softmax 沿最后一个轴之和为 1",
        (Phrase::Independent, En) => {
            "it does not depend on the variable, so the derivative is zero by structure"
        }
        (Phrase::Independent, Zh) => "它不依赖于该变量，因此导数恒为零",
        (Phrase::AsBefore, En) => "up to here as for {gradient}",
        (Phrase::AsBefore, Zh) => "到此为止与 {gradient} 的推导相同",
        (Phrase::TwoCases, En) => {
            "the derivative of {of} by {by} has two cases: {same}, and {other}"
        }
        (Phrase::TwoCases, Zh) => "{of} 对 {by} 的导数分两种情形：{same} 与 {other}",
        (Phrase::CasesInOne, En) => "both cases in one, with Kronecker's delta",
        (Phrase::CasesInOne, Zh) => "用克罗内克符号把两种情形合写为一式",
        (Phrase::If, En) => "if ",
        (Phrase::If, Zh) => "若 ",
        (Phrase::Otherwise, En) => "otherwise",
        (Phrase::Otherwise, Zh) => "其他情形",
        (Phrase::Heading, En) => "{derivative}, of shape {shape}",
        (Phrase::Heading, Zh) => "{derivative}，形状为 {shape}",
        (Phrase::HeadingScalar, En) => "{derivative}, a scalar",
        (Phrase::HeadingScalar, Zh) => "{derivative}，标量",
        (Phrase::Forward, En) => "Forward pass:",
        (Phrase::Forward, Zh) => "前向计算：",
        (Phrase::Where, En) => "where",
        (Phrase::Where, Zh) => "其中",
        (Phrase::Result, En) => "Result",
        (Phrase::Result, Zh) => "结果",
        (Phrase::InTheLanguage, En) => "In the language: ",
        (Phrase::InTheLanguage, Zh) => "用本语言写作：",
        (Phrase::Derivations, En) => "Derivations by the chain rule",
        (Phrase::Derivations, Zh) => "用链式法则推导梯度",
        (Phrase::Conventions, En) => "Conventions: ",
        (Phrase::Conventions, Zh) => "约定：",
        (Phrase::Layout, En) => "a gradient has the shape of its variable",
        (Phrase::Layout, Zh) => "梯度与其变量形状相同",
        (Phrase::EntryByEntry, En) => "{sign} multiplies entry by entry",
        (Phrase::EntryByEntry, Zh) => "{sign} 为逐元素相乘",
        (Phrase::DividesEntries, En) => "{sign} divides entry by entry",
        (Phrase::DividesEntries, Zh) => "{sign} 为逐元素相除",
        (Phrase::MatrixPower, En) => {
            "powers and fractions of matrices are taken entry by entry, {inverse} is the inverse"
        }
        (Phrase::MatrixPower, Zh) => "矩阵的幂与分式按元素计算，{inverse} 为逆矩阵",
        (Phrase::OuterProduct, En) => {
            "{sign} is the outer product of vectors, of matrices Kronecker's"
        }
        (Phrase::OuterProduct, Zh) => "{sign} 为向量的外积，对矩阵则为克罗内克积",
        (Phrase::OtherEntries, En) => "{sign} multiplies all entries but the one at its own place",
        (Phrase::OtherEntries, Zh) => "{sign} 为除自身外所有元素之积",
        (Phrase::AllAdded, En) => "{sign} without an index adds all entries",
        (Phrase::AllAdded, Zh) => "不带下标的 {sign} 对所有元素求和",
        (Phrase::AllMultiplied, En) => "{sign} without an index multiplies all entries",
        (Phrase::AllMultiplied, Zh) => "不带下标的 {sign} 为所有元素之积",
        (Phrase::Condition, En) => "{bracket} is 1 where the condition holds, else 0",
        (Phrase::Condition, Zh) => "条件成立时 {bracket} 为 1，否则为 0",
        (Phrase::OnesVector, En) => "{sign} is made of ones",
        (Phrase::OnesVector, Zh) => "{sign} 的元素全为 1",
        (Phrase::Barred, En) => "a bar marks the derivative of the result by what is under it",
        (Phrase::Barred, Zh) => "上横线表示结果对该量的导数",
        (Phrase::NoValue, En) => "where {what} is 0, the derivative has no value",
        (Phrase::NoValue, Zh) => "当 {what} 为 0 时导数不存在",
        (Phrase::InnerProduct, En) => "{inner} is the sum of the products of all entries",
        (Phrase::InnerProduct, Zh) => "{inner} 为所有对应元素乘积之和",
        (Phrase::Delta, En) => "{delta} is 1 where the indices are equal, else 0",
        (Phrase::Delta, Zh) => "下标相等时 {delta} 为 1，否则为 0",
        (Phrase::AxisSum, En) => "{sum} sums along axis 0, the first one",
        (Phrase::AxisSum, Zh) => "{sum} 沿第 0 轴（即第一个轴）求和",
        (Phrase::Between, En) => "; ",
        (Phrase::Between, Zh) => "；",
        (Phrase::Comma, En) => ", ",
        (Phrase::Comma, Zh) => "，",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn translations_have_the_same_holes() {
        for one in Phrase::ALL {
            let (en, zh) = (phrase(*one, Lang::En), phrase(*one, Lang::Zh));
            assert_eq!(holes(en), holes(zh), "{one:?}");
            assert!(!en.is_empty() && !zh.is_empty(), "{one:?}");
        }
    }

    #[test]
    fn chinese_has_chinese_punctuation() {
        for one in Phrase::ALL {
            let zh = phrase(*one, Lang::Zh);
            assert!(!zh.contains([',', ';', ':', '(', '.']), "{one:?}: {zh}");
        }
    }
}
