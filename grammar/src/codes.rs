//! The table of all codes: what each means, a program that is refused (or warned of) with it, and that program put right.
//! `chainrule explain` and the error index of the guide are printed from it; a test compiles every example.

use crate::diagnostic::Level;

macro_rules! codes {
    ($($variant:ident $id:literal $level:ident $title:literal
        $explanation:literal
        wrong $wrong:literal
        right $right:literal;)*) => {
        /// Every kind of finding. Numbers are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// All codes in order of number.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];
            /// The stable identifier, e.g. `E0203`.
            pub fn id(self) -> &'static str { match self { $(Code::$variant => $id,)* } }
            /// What it is, in a few words.
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }
            /// What it means and what to do, in a few sentences.
            pub fn explanation(self) -> &'static str { match self { $(Code::$variant => $explanation,)* } }
            /// A program, or a command line that begins with `$`, which is answered with this code.
            pub fn wrong(self) -> &'static str { match self { $(Code::$variant => $wrong,)* } }
            /// The same without the mistake.
            pub fn right(self) -> &'static str { match self { $(Code::$variant => $right,)* } }
            /// Whether it refuses the program.
            pub fn level(self) -> Level { match self { $(Code::$variant => Level::$level,)* } }
        }
    };
}

codes! {
    Syntax "E0101" Error "syntax error"
        "The text does not follow the grammar. The message says what was found and what could stand there. Every statement ends in `;`, products are written with `*` or `@`, powers with `^`, comments begin with `//`."
        wrong "param x;\nloss E = 2x;"
        right "param x;\nloss E = 2*x;";
    TooDeep "E0102" Error "nested too deeply"
        "Brackets, operators or calls are nested deeper than the limit; a function that calls itself never ends. Name parts of the formula with definitions."
        wrong "fn f(x) = f(x) + 1;\nparam x;\nloss E = f(x);"
        right "fn f(x) = x + 1;\nparam x;\nloss E = f(x);";
    TooLarge "E0103" Error "input too large"
        "The text has more than a megabyte, stands for more than two million operations, or its functions, which are inlined where they are called, come to more than a hundred thousand; or a derivative has more entries than can be checked. A tensor written as one formula with indices is small whatever its sizes: write `sum[i](x[i]^2)` rather than the sum of a million terms."
        wrong "// a program of more than 1 MiB"
        right "param x: [1000000];\nloss E = sum(x^2);";
    BadNumber "E0104" Error "number out of range"
        "A number cannot be represented: it has too many digits, or is over the range of a double (about 1.8e308). So it is with a product, a power or a const that comes to such a number, or to one that is closer to zero than a double can be."
        wrong "param x;\nloss E = 1e400*x;"
        right "param x;\nloss E = 1e300*x;";
    ShapeMismatch "E0201" Error "shapes do not fit"
        "Two operands have shapes that do not broadcast. As in NumPy, shapes are aligned at their last axes; two sizes that meet must be equal, or one of them 1. A vector that belongs to the rows is laid along them with `v[:, None]`."
        wrong "dim B, N;\ninput x: [B, N];\nparam b: [B];\nloss E = sum((x + b)^2);"
        right "dim B, N;\ninput x: [B, N];\nparam b: [B];\nloss E = sum((x + b[:, None])^2);";
    MatmulShape "E0202" Error "inner dimensions differ"
        "In a matrix product `a @ b` the last axis of `a` is summed with the last but one (or only) axis of `b`: both must have the same size. A transpose is written `W.T`; scaling by a number is `*`."
        wrong "dim N, M;\ninput x: [N];\nparam W: [M, N];\nloss E = sum((x @ W)^2);"
        right "dim N, M;\ninput x: [N];\nparam W: [M, N];\nloss E = sum((x @ W.T)^2);";
    BadAxis "E0203" Error "no such axis"
        "An `axis` argument or a transpose names an axis that the operand does not have. Axes are counted from 0, or from the end with -1."
        wrong "dim B, N;\nparam z: [B, N];\nloss E = sum(softmax(z, axis=2)^2);"
        right "dim B, N;\nparam z: [B, N];\nloss E = sum(softmax(z, axis=1)^2);";
    BadIndexing "E0204" Error "bad indexing"
        "A position or slice lies outside of its axis, or there are more positions than axes. Positions are counted from 0, or from the end with -1. Rows are picked by integers, declared as `input idx: int[B];`."
        wrong "param w: [3];\nloss E = w[3]^2;"
        right "param w: [3];\nloss E = w[2]^2;";
    NonScalarLoss "E0205" Error "loss is not a scalar"
        "A loss must be a single number. Reduce it with `sum(...)` or `mean(...)`; for the derivative of a whole tensor declare an `output` and ask for its `jacobian`."
        wrong "dim N;\nparam w: [N];\nloss E = w^2;"
        right "dim N;\nparam w: [N];\nloss E = sum(w^2);";
    BadDimension "E0206" Error "bad dimension"
        "A size must be a whole number of at least 1, a name declared with `dim`, or a formula of those with `+ - * /`."
        wrong "param w: [2.5];\nloss E = sum(w);"
        right "param w: [2];\nloss E = sum(w);";
    NotSquare "E0207" Error "matrix is not square"
        "The function is defined for square matrices only: the last two axes must have the same size."
        wrong "dim N, M;\nparam A: [N, M];\nloss E = logdet(A);"
        right "dim N, M;\nparam A: [N, M];\nloss E = logdet(A.T @ A);";
    DimOverflow "E0208" Error "sizes overflow"
        "A tensor of fixed size has more entries than can be addressed (2^40)."
        wrong "param W: [2000000, 2000000];\nloss E = sum(W);"
        right "param W: [2000, 2000];\nloss E = sum(W);";
    UnknownName "E0301" Error "unknown name"
        "The name is not declared or defined before this place. Data is declared with `input` or `target`, what is trained with `param`, sizes with `dim`, named numbers with `const`."
        wrong "input x;\nparam w;\nloss E = (w*x + b)^2;"
        right "input x;\nparam w, b;\nloss E = (w*x + b)^2;";
    UnknownFunction "E0302" Error "unknown function"
        "No function of this name is in the rule book or defined by `fn`. `chainrule ops` lists all functions; they are called by their bare names, without a module or an object before them."
        wrong "param x;\nloss E = sigmod(x);"
        right "param x;\nloss E = sigmoid(x);";
    Redefinition "E0303" Error "name is already taken"
        "A name is declared or defined twice. Every name stands for one value; write the new value under a new name."
        wrong "param w;\nz = 2*w;\nz = tanh(z);\nloss E = z^2;"
        right "param w;\nz = 2*w;\na = tanh(z);\nloss E = a^2;";
    UseBeforeDefinition "E0304" Error "used before it is defined"
        "Definitions are read in order; a name can be used only below its definition."
        wrong "param w;\nloss E = z^2;\nz = tanh(w);"
        right "param w;\nz = tanh(w);\nloss E = z^2;";
    UnboundIndex "E0305" Error "unbound index"
        "An index is neither named on the left of the definition nor bound by `sum[...]`, `prod[...]` or another reduction, or its range does not follow from any axis. Sums are always written: a repeated index does not sum by itself."
        wrong "dim N, M;\ninput x: [N];\nparam W: [N, M];\nz[k] = x[j]*W[j,k];\nloss E = sum(z^2);"
        right "dim N, M;\ninput x: [N];\nparam W: [N, M];\nz[k] = sum[j](x[j]*W[j,k]);\nloss E = sum(z^2);";
    IndexRange "E0306" Error "index ranges disagree"
        "One index stands on axes of different sizes. The range of an index follows from the axes that it stands on; a shorter range is written out, as in `sum[k:K](x[k])`."
        wrong "dim N, M;\ninput x: [N];\nparam w: [M];\nloss E = sum[j](x[j]*w[j])^2;"
        right "dim N;\ninput x: [N];\nparam w: [N];\nloss E = sum[j](x[j]*w[j])^2;";
    Arity "E0307" Error "wrong number of arguments"
        "The function takes another number of arguments, or does not know this keyword. `chainrule ops NAME` shows how it is called."
        wrong "dim N;\nparam w: [N];\nloss E = mse(w);"
        right "dim N;\nparam w: [N];\nloss E = mse(w, 1);";
    BadArgument "E0308" Error "bad argument"
        "An argument is not of the kind that the function wants: a number, a list of sizes, a word in quotes, ..."
        wrong "dim N;\nparam A: [N, N];\nloss E = einsum(\"ij,ij->\", A);"
        right "dim N;\nparam A: [N, N];\nloss E = einsum(\"ij,ij->\", A, A);";
    BadRequest "E0309" Error "bad request"
        "The request asks for a derivative that is not defined: a gradient or a Hessian is of a scalar; of a tensor there is a Jacobian."
        wrong "dim N;\nparam w: [N];\ny = tanh(w);\ngrad y wrt w;"
        right "dim N;\nparam w: [N];\ny = tanh(w);\njacobian y wrt w;";
    BadFact "E0310" Error "bad fact"
        "The declared fact is unknown, or does not fit the shape of the variable: only a square matrix is symmetric, only a tensor has rows that sum to one."
        wrong "dim N, M;\nparam A: [N, M] symmetric;\nloss E = sum(A^2);"
        right "dim N;\nparam A: [N, N] symmetric;\nloss E = sum(A^2);";
    NoDerivative "E0401" Error "no derivative"
        "The function has no derivative with respect to this argument, because its values are discrete, or the variable is integers. Use a smooth function in its place (`softmax` for `argmax`), or take its value as an `input`."
        wrong "dim N;\nparam w: [N];\nloss E = argmax(w)*sum(w);"
        right "dim N;\nparam w: [N];\nloss E = sum(softmax(w)*w);";
    MissingDerivative "E0402" Error "derivative not written yet"
        "The function's derivative exists, but the rule book does not have it yet. It is never taken to be zero."
        wrong "param A: [3, 2];\nloss E = sum(svd_u(A));"
        right "param A: [3, 2];\nloss E = sum(svdvals(A));";
    Unsupported "E0403" Error "not supported"
        "The language has this, but this version cannot do it in this place. The help says what would be understood."
        wrong "dim N;\nparam w: [N];\nloss E = sum(w[::2]);"
        right "dim N = 10;\nparam w: [N];\nloss E = sum(w[::2]);";
    DivisionByZero "E0404" Error "division by zero"
        "A divisor is the constant zero, or zero whatever the values are, as in `1/(x - x)`; or zero is raised to a negative power."
        wrong "const n = 0;\nparam x;\nloss E = x/n;"
        right "const n = 2;\nparam x;\nloss E = x/n;";
    BadPoint "E0501" Error "point does not fit the program"
        "The point for `eval` lacks an array, has one too many, or one of the wrong shape. It is an object with a number or a nested array for every variable."
        wrong "$ echo '{\"y\": 2}' | chainrule eval -e 'x^2' --var x --at -"
        right "$ echo '{\"x\": 2}' | chainrule eval -e 'x^2' --var x --at -";
    Usage "E0601" Error "bad command line"
        "A command or flag is unknown, or its value does not fit. `chainrule help COMMAND` shows what there is. The exit code is 2."
        wrong "$ chainrule dervie -e 'x^2' --var x"
        right "$ chainrule derive -e 'x^2' --var x";
    ZeroByStructure "W0501" Warning "gradient is zero by structure"
        "The loss does not depend on the variable at all, so its derivative is identically zero. Often a parameter was declared and forgotten."
        wrong "param w, b;\nloss E = w^2;"
        right "param w, b;\nloss E = (w + b)^2;";
    ZeroAlmostEverywhere "W0502" Warning "gradient is zero almost everywhere"
        "Every path from the variable to the loss goes through a function whose derivative is zero wherever it exists: `sign`, `floor`, `round`, comparisons. Training would not move it."
        wrong "dim N;\nparam w: [N];\nloss E = sum(sign(w));"
        right "dim N;\nparam w: [N];\nloss E = sum(tanh(w));";
    BrokenFact "W0503" Warning "declared fact does not hold"
        "The point does not have a property that the program declares, such as rows that sum to one. Closed forms may rely on the property, so derivatives can be wrong there."
        wrong "$ echo '{\"x\": -2}' | chainrule eval -e 'param x positive; loss E = x^2;' --at -"
        right "$ echo '{\"x\": 2}' | chainrule eval -e 'param x positive; loss E = x^2;' --at -";
    NeverPositive "W0504" Warning "argument is outside of the domain"
        "The argument of a logarithm, or what a loss takes as a probability, can never be positive, or that of a root is always negative, so the value is NaN everywhere. Often a sign is missing, or a log-probability is given for a probability."
        wrong "param x;\nloss E = log(-exp(x));"
        right "param x;\nloss E = -log(exp(x));";
    ByLetter "W0505" Warning "taken by its letter"
        "In a program of the matlab dialect that declares nothing a name of one letter is what its letter says: `a` to `g` a scalar, `h` to `z` a column, a capital a matrix; sizes are those with which the formula fits together. The `n` of `sum(S)/n`, which nothing declares, is the number of rows of `S`, the `m` of `Q*K'/sqrt(m)` the size over which the product sums, and the `k` of `T + a/k` the number of entries of a row of `T`. Declare the variables to say otherwise."
        wrong "$ chainrule derive --syntax matlab -e 'sum((A*x - y).^2)'"
        right "$ chainrule derive --syntax matlab -e 'sum((A*x - y).^2)' --var A:m,n --var x:n,1 --var y:m,1";
    BothRepeated "W0506" Warning "both sides of a loss are repeated"
        "What is compared has neither the shape of the one side nor that of the other: each entry of the one meets many of the other, as where a column `[N, 1]` is compared with a vector `[N]`. The loss is one of all pairs then, which is hardly ever meant."
        wrong "dim N;\nparam p: [N];\ntarget t: [N, 1];\nloss E = mse(p, t);"
        right "dim N;\nparam p: [N];\ntarget t: [N, 1];\nloss E = mse(p, t[:, 0]);";
}
