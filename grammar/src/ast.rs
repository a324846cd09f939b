//! The syntax tree: plain data, each kind with an example. Text and spans only; it knows no shapes and no functions.

use crate::span::{Dialect, Span};

/// A name and where it stands. May be dotted (`mlp.W1`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// As written.
    pub name: String,
    /// Where.
    pub span: Span,
}

impl Ident {
    /// A name at a place.
    pub fn new(name: impl Into<String>, span: Span) -> Ident {
        Ident { name: name.into(), span }
    }
}

/// A whole program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The spelling it was read in, which says what `*` and `^` mean.
    pub dialect: Dialect,
    /// In order.
    pub stmts: Vec<Stmt>,
    /// `//` and `/* */` comments after the last statement, as written.
    pub trailing: Vec<String>,
    /// Names that statements may have given which could not be read: nothing is said of their uses.
    pub broken: Vec<String>,
    /// Those that it is plain that such a statement defines: the `E` of `loss E = (x;`.
    pub heads: Vec<Ident>,
}

/// One statement with what stands around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it says.
    pub kind: StmtKind,
    /// The lines of its `///` documentation, without the slashes and one leading space.
    pub doc: Vec<String>,
    /// Comments before it (and inside of it), as written, with an empty string for a blank line.
    pub comments: Vec<String>,
    /// A `//` comment that stands after it on its last line.
    pub after: Option<String>,
    /// From its first token to its `;`.
    pub span: Span,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `dim B, N = 10;`
    Dim(Vec<DimDecl>),
    /// `param W: [N, M], b: [M] positive;`
    Decl {
        /// input, target or param.
        kind: DeclKind,
        /// One for each name.
        vars: Vec<VarDecl>,
    },
    /// `const lambda = 1e-4, mu = 2;`
    Const(Vec<(Ident, Expr)>),
    /// `z[i,k] = sum[j](x[i,j] * W[j,k]);` or `z = x @ W;` (no indices)
    Def {
        /// Its name.
        name: Ident,
        /// The index names on the left; empty for matrix notation.
        indices: Vec<Ident>,
        /// Its value.
        value: Expr,
    },
    /// `loss E = mse(o, t);`
    Loss {
        /// Its name.
        name: Ident,
        /// Its value.
        value: Expr,
    },
    /// `output o;` or `output y = x @ W;` or `output y[i] = x[i]^2;`
    Output {
        /// Its name.
        name: Ident,
        /// Index names on the left; empty for matrix notation.
        indices: Vec<Ident>,
        /// Absent for a definition that stands.
        value: Option<Expr>,
    },
    /// `grad E wrt x, W;`
    Request {
        /// Which derivative.
        kind: RequestKind,
        /// Of what.
        of: Ident,
        /// By what, as written; never empty.
        wrt: Vec<Ident>,
    },
    /// `fn dense(x, W, b) = x @ W + b;` or `fn f(x) { h = x^2; h + 1 }`
    Fn {
        /// Its name.
        name: Ident,
        /// Its parameters.
        params: Vec<Ident>,
        /// The definitions of a block body (all `Def`).
        body: Vec<Stmt>,
        /// The result.
        result: Expr,
        /// Whether it was written as a block.
        block: bool,
    },
    /// `net mlp = dense(20) |> tanh |> dense(3);`
    Net {
        /// Its name.
        name: Ident,
        /// The layers; a single one or a `Pipe`.
        chain: Expr,
    },
    /// A bare expression, e.g. the last statement of `-e 'a*b'`.
    Expr(Expr),
}

/// `N` or `N = 2*M + 1` in a `dim` statement.
#[derive(Clone, Debug, PartialEq)]
pub struct DimDecl {
    /// Its name.
    pub name: Ident,
    /// Its size, where fixed: an integer formula.
    pub value: Option<Expr>,
}

/// What a declared variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeclKind {
    /// Data.
    Input,
    /// Data that the loss compares with.
    Target,
    /// What the losses are differentiated by.
    Param,
}

/// One name of a declaration: `idx: int[B]`, `t`, `T: [B, M] one_hot`.
#[derive(Clone, Debug, PartialEq)]
pub struct VarDecl {
    /// Its name.
    pub name: Ident,
    /// Whether its entries are integers (`int[B]`).
    pub int: bool,
    /// Its sizes (integer formulas); `None` where no `: […]` was written (a scalar).
    pub shape: Option<Vec<Expr>>,
    /// Declared facts: `one_hot`, `symmetric`, …
    pub facts: Vec<Ident>,
}

/// Which derivative a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// The gradient of a loss.
    Grad,
    /// The Jacobian of an output.
    Jacobian,
    /// The matrix of second derivatives of a loss.
    Hessian,
    /// Hessian times a direction.
    Hvp,
    /// Jacobian times a direction.
    Jvp,
}

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Where; for printed formulas the default span.
    pub span: Span,
}

/// What an expression says. Chains of one precedence are flat lists, so that depth is the depth of brackets only.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1`, `0.5`, `1e-4`: as written.
    Num(String),
    /// `x`, `mlp.W1`, `pi`
    Name(String),
    /// `"ij,jk->ik"`: only as an argument.
    Str(String),
    /// `(0, 1)` or `[0, 1]`: only as an argument.
    List(Vec<Expr>),
    /// `-a`
    Neg(Box<Expr>),
    /// `a + b - c`: signs of all terms but the first.
    Sum(Box<Expr>, Vec<(AddOp, Expr)>),
    /// `a * b / c @ d`, left associative.
    Product(Box<Expr>, Vec<(MulOp, Expr)>),
    /// `a ^ b` (in the matlab dialect: the power of a scalar or of a square matrix)
    Pow(Box<Expr>, Box<Expr>),
    /// `a .^ b` of the matlab dialect
    DotPow(Box<Expr>, Box<Expr>),
    /// `a < b`
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `x |> f(a) |> g`: each stage is a `Name` or a `Call`.
    Pipe(Box<Expr>, Vec<Expr>),
    /// `a.T`, `a'`
    Transpose(Box<Expr>),
    /// `x[0, 1:4, ..., None]`, `x[i, j+1]`, `delta[i, k]`
    Index(Box<Expr>, Vec<IndexItem>),
    /// `f(a, b, axis=1)`; `sum[i, j](e)`, `tensor[i, j:N](e)` with bound indices.
    Call {
        /// The function.
        func: Ident,
        /// Bound indices in square brackets; empty for an ordinary call.
        bound: Vec<Binder>,
        /// Arguments by position.
        args: Vec<Expr>,
        /// Arguments by keyword.
        kwargs: Vec<(Ident, Expr)>,
    },
}

/// A bound index, with its range where it is written out: `i` or `i:N`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binder {
    /// The index.
    pub name: Ident,
    /// How many values it takes (from 0), an integer formula; else it follows from the axes it stands on.
    pub range: Option<Expr>,
}

/// One position between the brackets of an index.
// Few items are slices, and none is kept for long; boxes would only make every match harder to read.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum IndexItem {
    /// `i`, `0`, `-1`, `2*i + k`, `idx`
    At(Expr),
    /// `a:b`, `:`, `::2`
    Slice(Option<Expr>, Option<Expr>, Option<Expr>),
    /// `...`
    Ellipsis,
    /// `None`
    NewAxis,
}

/// `+` or `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddOp {
    /// `+`
    Add,
    /// `-`
    Sub,
}

/// `*`, `/`, `@`, and in the other dialect `.*`, `./`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MulOp {
    /// `*` (in the matlab dialect: the matrix product)
    Mul,
    /// `/`
    Div,
    /// `@`
    MatMul,
    /// `.*` of the matlab dialect
    DotMul,
    /// `./` of the matlab dialect
    DotDiv,
}

/// Comparisons: 1 where they hold, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl CompareOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
        }
    }
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, span }
    }

    /// Shows every expression directly inside of this one, in the order of the text.
    pub fn children<'e>(&'e self, see: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Num(_) | ExprKind::Name(_) | ExprKind::Str(_) => {}
            ExprKind::List(items) => items.iter().for_each(see),
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) => see(inner),
            ExprKind::Sum(first, rest) => {
                see(first);
                rest.iter().for_each(|(_, term)| see(term));
            }
            ExprKind::Product(first, rest) => {
                see(first);
                rest.iter().for_each(|(_, factor)| see(factor));
            }
            ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
                see(a);
                see(b);
            }
            ExprKind::Pipe(first, stages) => {
                see(first);
                stages.iter().for_each(see);
            }
            ExprKind::Index(base, items) => {
                see(base);
                items.iter().for_each(|item| match item {
                    IndexItem::At(at) => see(at),
                    IndexItem::Slice(from, to, step) => {
                        [from, to, step].into_iter().flatten().for_each(&mut *see);
                    }
                    IndexItem::Ellipsis | IndexItem::NewAxis => {}
                });
            }
            ExprKind::Call { args, kwargs, .. } => {
                args.iter().for_each(&mut *see);
                kwargs.iter().for_each(|(_, value)| see(value));
            }
        }
    }

    /// The same expression with functions called as `rename` says; `sum[i](…)` and its like keep their names.
    pub fn rename_calls(&mut self, rename: &dyn Fn(&str) -> Option<String>) {
        if let ExprKind::Call { func, bound, .. } = &mut self.kind
            && bound.is_empty()
            && let Some(name) = rename(&func.name)
        {
            func.name = name;
        }
        self.children_mut(&mut |inner| inner.rename_calls(rename));
    }

    /// The same expression with other names, as `rename` says.
    pub fn rename_names(&mut self, rename: &dyn Fn(&str) -> Option<String>) {
        if let ExprKind::Name(name) = &mut self.kind
            && let Some(new) = rename(name)
        {
            *name = new;
        }
        self.children_mut(&mut |inner| inner.rename_names(rename));
    }

    /// As [`Expr::children`], to be changed.
    pub fn children_mut(&mut self, see: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Num(_) | ExprKind::Name(_) | ExprKind::Str(_) => {}
            ExprKind::List(items) => items.iter_mut().for_each(see),
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) => see(inner),
            ExprKind::Sum(first, rest) => {
                see(first);
                rest.iter_mut().for_each(|(_, term)| see(term));
            }
            ExprKind::Product(first, rest) => {
                see(first);
                rest.iter_mut().for_each(|(_, factor)| see(factor));
            }
            ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
                see(a);
                see(b);
            }
            ExprKind::Pipe(first, stages) => {
                see(first);
                stages.iter_mut().for_each(see);
            }
            ExprKind::Index(base, items) => {
                see(base);
                items.iter_mut().for_each(|item| match item {
                    IndexItem::At(at) => see(at),
                    IndexItem::Slice(from, to, step) => {
                        [from, to, step].into_iter().flatten().for_each(&mut *see);
                    }
                    IndexItem::Ellipsis | IndexItem::NewAxis => {}
                });
            }
            ExprKind::Call { args, kwargs, .. } => {
                args.iter_mut().for_each(&mut *see);
                kwargs.iter_mut().for_each(|(_, value)| see(value));
            }
        }
    }

    /// An expression of no place: of a printed formula.
    pub fn synthetic(kind: ExprKind) -> Expr {
        Expr { kind, span: Span::default() }
    }

    /// A name of no place.
    pub fn name(name: impl Into<String>) -> Expr {
        Expr::synthetic(ExprKind::Name(name.into()))
    }

    /// A number of no place.
    pub fn num(text: impl Into<String>) -> Expr {
        Expr::synthetic(ExprKind::Num(text.into()))
    }

    /// An ordinary call of no place.
    pub fn call(func: impl Into<String>, args: Vec<Expr>) -> Expr {
        Expr::synthetic(ExprKind::Call {
            func: Ident::new(func, Span::default()),
            bound: Vec::new(),
            args,
            kwargs: Vec::new(),
        })
    }
}
