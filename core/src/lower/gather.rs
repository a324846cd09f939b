//! Rows picked by integers: `x[idx]`, `x[idx, k]`, `x[i, t[i]]`, `x[s, t]`.
//! In: a value and what each of its axes is read at. Out: the picked entries, the axes of the integers where NumPy puts them.

use super::index::Read;
use super::shape::Operand;
use super::{Label, Lowerer, Val};
use crate::few::Each;
use crate::ir::{Dim, NodeId, Op};
use chainrule_grammar::{Code, Diagnostic, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lowerer<'_> {
    /// Every other position is read first; then the axes that integers pick from are taken one after another, and the axes of
    /// the integers, which broadcast, are read together.
    pub(super) fn gather(
        &mut self,
        val: &Val,
        shape: &[Dim],
        reads: Vec<Option<Read>>,
        span: Span,
    ) -> Result<Val> {
        let place = picked_place(&reads);
        let mut picks: Vec<(usize, Operand)> = Vec::new();
        let mut plain: Vec<Option<Read>> = Vec::new();
        let (mut axis, mut kept) = (0, 0);
        for read in reads {
            let dim = shape.get(axis);
            axis += usize::from(read.is_some());
            let stays = !matches!(read, Some(Read::At(..)));
            plain.push(match (read, dim) {
                (Some(Read::Gather(val, span)), Some(dim)) => {
                    self.whole_numbers(&val, span)?;
                    picks.push((kept, Operand { val, span }));
                    Some(Read::whole(dim))
                }
                (read, _) => read,
            });
            kept += usize::from(stays);
        }
        let basic = self.read(val, shape, plain, span)?;
        self.pick(&basic, &picks, place, span)
    }

    /// Takes entries along positional axes; the axes of the integers come to `place`, counted without the picked axes.
    fn pick(
        &mut self,
        basic: &Val,
        picks: &[(usize, Operand)],
        place: usize,
        span: Span,
    ) -> Result<Val> {
        let indices: Vec<Operand> = picks.each(|(_, index)| index.clone());
        let common = self.broadcast(&indices, "the index", span)?;
        let (axes, _) = self.axes(&common);
        let dims = self.positional(basic).to_vec();
        let (own, _) = self.axes(&dims);
        let mut node = basic.node;
        let mut reading: Vec<Label> = basic.labels.iter().chain(&own).copied().collect();
        for (axis, index) in picks {
            let at = reading.iter().position(|label| *label == own[*axis]).unwrap_or(0);
            let places = self.reading(&index.val, &common, &axes).into_iter().map(Label);
            let mut places: Vec<Label> = places.collect();
            if let ([place], Op::Range(size)) = (places.as_slice(), self.graph.op(index.val.node))
                && size == &dims[*axis]
            {
                // `x[range(B), t]`: every entry once, in order, is the axis itself.
                reading[at] = *place;
            } else {
                node = self.pick_one(node, at, &index.val);
                reading.remove(at);
                places.extend(reading);
                reading = places;
            }
        }
        let all = indices.iter().map(|index| &index.val).chain(std::iter::once(basic));
        let labels = self.union_labels(all);
        let mut rest: Vec<Label> = own
            .iter()
            .enumerate()
            .filter(|(axis, _)| picks.iter().all(|(picked, _)| picked != axis))
            .map(|(_, label)| *label)
            .collect();
        rest.splice(place..place, axes);
        let out: Vec<u32> = labels.iter().chain(&rest).map(|label| label.0).collect();
        let reading: Vec<u32> = reading.each(|label| label.0);
        Ok(Val { node: self.graph.einsum(&[(node, reading)], &out, &[]), labels })
    }

    /// `[axes of the index…, other axes…]` of the entries picked along an axis.
    fn pick_one(&mut self, node: NodeId, axis: usize, index: &Val) -> NodeId {
        let rank = self.graph.rank(node);
        let mut order = vec![axis];
        order.extend((0..rank).filter(|other| *other != axis));
        let rows = self.graph.permute(node, &order);
        let mut shape = self.graph.shape(index.node).clone();
        shape.extend(self.graph.shape(rows)[1..].to_vec());
        self.graph.push(Op::Gather, vec![rows, index.node], shape)
    }

    pub(super) fn whole_numbers(&self, index: &Val, span: Span) -> Result<()> {
        if self.is_whole(index.node) {
            return Ok(());
        }
        Err(Diagnostic::new(Code::BadIndexing, span, "an index must be whole numbers")
            .help("declare it as `input idx: int[B];`, name an index bound by sum[…], or round a formula with `floor(…)`"))
    }
}

/// Where the picked axes stand among those that are not picked: where the first picked axis was; or first of all, as in NumPy,
/// where a slice stands between positions that are picked or fixed.
fn picked_place(reads: &[Option<Read>]) -> usize {
    let taken = |read: &Option<Read>| match read {
        Some(Read::Gather(..)) => true,
        Some(Read::At(position, _)) => position.terms.is_empty(),
        _ => false,
    };
    let first = reads.iter().position(taken).unwrap_or(0);
    let last = reads.iter().rposition(taken).unwrap_or(0);
    if !reads[first..=last].iter().all(taken) {
        return 0;
    }
    reads[..first].iter().filter(|read| !matches!(read, Some(Read::At(..)))).count()
}
