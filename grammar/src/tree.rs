//! Pairs of a statement -> `StmtKind`. The grammar has already said that the parts are there; should one be missing
//! nonetheless, that is a syntax error and never a panic.

use crate::ast::{DeclKind, DimDecl, Expr, Ident, RequestKind, Stmt, StmtKind, VarDecl};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::{Rule, Slice, bad, parts};
use pest::iterators::Pair;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Expects a next part.
fn need<'t>(next: Option<Pair<'t, Rule>>, place: Span) -> Result<Pair<'t, Rule>> {
    next.ok_or_else(|| bad(place, "the statement is not complete"))
}

impl<'t> Slice<'t> {
    /// The statement of a `line`.
    pub(crate) fn statement(self, line: Pair<'t, Rule>) -> Result<StmtKind> {
        let place = self.span(&line);
        let pair = need(parts(line).next(), place)?;
        match pair.as_rule() {
            Rule::dims => self.dims(pair),
            Rule::declaration => self.declaration(pair),
            Rule::constants => self.constants(pair),
            Rule::definition => self.definition(pair),
            Rule::loss => self.loss(pair),
            Rule::output => self.output(pair),
            Rule::request => self.request(pair),
            Rule::net => self.net(pair),
            Rule::function => self.function(pair),
            _ => Ok(StmtKind::Expr(self.expr(pair)?)),
        }
    }

    fn dims(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let items = parts(pair).map(|item| {
            let place = self.span(&item);
            let mut parts = parts(item);
            let name = self.ident(&need(parts.next(), place)?);
            let value = parts.next().map(|value| self.expr(value)).transpose()?;
            Ok(DimDecl { name, value })
        });
        Ok(StmtKind::Dim(items.collect::<Result<_>>()?))
    }

    fn declaration(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let place = self.span(&pair);
        let mut parts = parts(pair);
        let kind = match need(parts.next(), place)?.as_str() {
            "input" => DeclKind::Input,
            "target" => DeclKind::Target,
            _ => DeclKind::Param,
        };
        let vars = parts.map(|variable| self.variable(variable)).collect::<Result<_>>()?;
        Ok(StmtKind::Decl { kind, vars })
    }

    fn variable(self, pair: Pair<'t, Rule>) -> Result<VarDecl> {
        let place = self.span(&pair);
        let mut parts = parts(pair);
        let name = self.ident(&need(parts.next(), place)?);
        let mut var = VarDecl { name, int: false, shape: None, facts: Vec::new() };
        for part in parts {
            match part.as_rule() {
                Rule::int_word => var.int = true,
                Rule::shape => {
                    let sizes = part.into_inner().map(|size| self.expr(size));
                    var.shape = Some(sizes.collect::<Result<_>>()?);
                }
                _ => var.facts.extend(part.into_inner().map(|fact| self.ident(&fact))),
            }
        }
        Ok(var)
    }

    fn constants(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let items = parts(pair).map(|item| self.named(item));
        Ok(StmtKind::Const(items.collect::<Result<_>>()?))
    }

    /// `name = value`
    fn named(self, pair: Pair<'t, Rule>) -> Result<(Ident, Expr)> {
        let place = self.span(&pair);
        let mut parts = parts(pair);
        let name = self.ident(&need(parts.next(), place)?);
        Ok((name, self.expr(need(parts.next(), place)?)?))
    }

    /// `name[i, k] = value`, the indices and the value as far as they are there.
    fn assigned(self, pair: Pair<'t, Rule>) -> Result<(Ident, Vec<Ident>, Option<Expr>)> {
        let place = self.span(&pair);
        let mut parts = parts(pair).peekable();
        let name = self.ident(&need(parts.next(), place)?);
        let indices = match parts.next_if(|part| part.as_rule() == Rule::indices) {
            Some(indices) => indices.into_inner().map(|index| self.ident(&index)).collect(),
            None => Vec::new(),
        };
        let value = parts.next().map(|value| self.expr(value)).transpose()?;
        Ok((name, indices, value))
    }

    fn definition(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let place = self.span(&pair);
        let (name, indices, value) = self.assigned(pair)?;
        let value = value.ok_or_else(|| bad(place, "the definition has no value"))?;
        Ok(StmtKind::Def { name, indices, value })
    }

    fn output(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let (name, indices, value) = self.assigned(pair)?;
        Ok(StmtKind::Output { name, indices, value })
    }

    /// A loss without a name takes the word's.
    fn loss(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let place = self.span(&pair);
        let mut parts = parts(pair);
        let word = need(parts.next(), place)?;
        let next = need(parts.next(), place)?;
        let (name, value) = match next.as_rule() {
            Rule::name => (next, need(parts.next(), place)?),
            _ => (word, next),
        };
        Ok(StmtKind::Loss { name: self.ident(&name), value: self.expr(value)? })
    }

    fn request(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let place = self.span(&pair);
        let mut parts = parts(pair);
        let kind = match need(parts.next(), place)?.as_str() {
            "grad" => RequestKind::Grad,
            "jacobian" => RequestKind::Jacobian,
            "hessian" => RequestKind::Hessian,
            "hvp" => RequestKind::Hvp,
            _ => RequestKind::Jvp,
        };
        let of = self.ident(&need(parts.next(), place)?);
        let wrt = parts.map(|name| self.ident(&name)).collect();
        Ok(StmtKind::Request { kind, of, wrt })
    }

    fn net(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let (name, chain) = self.named(pair)?;
        Ok(StmtKind::Net { name, chain })
    }

    fn function(self, pair: Pair<'t, Rule>) -> Result<StmtKind> {
        let place = self.span(&pair);
        let mut parts = parts(pair);
        let name = self.ident(&need(parts.next(), place)?);
        let params = need(parts.next(), place)?.into_inner().map(|name| self.ident(&name));
        let params = params.collect();
        let last = need(parts.next(), place)?;
        let block = last.as_rule() == Rule::block;
        let (body, result) = match block {
            true => self.block(last)?,
            false => (Vec::new(), self.expr(last)?),
        };
        Ok(StmtKind::Fn { name, params, body, result, block })
    }

    fn block(self, pair: Pair<'t, Rule>) -> Result<(Vec<Stmt>, Expr)> {
        let place = self.span(&pair);
        let mut body = Vec::new();
        for part in pair.into_inner() {
            let rule = part.as_rule();
            let span = self.span(&part);
            let inner = need(part.into_inner().next(), span)?;
            if rule == Rule::result {
                return Ok((body, self.expr(inner)?));
            }
            body.push(Stmt {
                kind: self.definition(inner)?,
                doc: Vec::new(),
                comments: Vec::new(),
                after: None,
                span,
            });
        }
        Err(bad(place, "a block ends with its result"))
    }
}
