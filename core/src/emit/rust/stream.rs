//! In: steps that run block by block along an axis. Out: the loop over blocks; where threads may share the work, in parts of the axis,
//! each with sums of its own, which the run-time support adds up.

use super::index;
use super::nest::Places;
use crate::ir::Graph;
use crate::plan::stream::{AT_HAND, Block, NEAR, POSITIONS};
use crate::plan::{Cut, Slot, Stream};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// The same `steps` on parts of the slices, one after the other.
pub fn stream(
    graph: &Graph,
    stream: &Stream,
    places: &dyn Places,
    steps: &TokenStream,
) -> TokenStream {
    if stream.shared {
        return shared(graph, stream, places, steps);
    }
    let sums = stream.sums.iter().map(|(slot, _)| places.local(*slot));
    let blocks = blocks(graph, stream, places, &index::dim(graph, &stream.size), steps);
    quote! {
        #(#sums.fill(F::ZERO);)*
        #blocks
    }
}

/// How many positions a block has.
fn most(graph: &Graph, stream: &Stream) -> TokenStream {
    match &stream.block {
        Block::Of(count) => {
            let count = index::literal(count.unsigned_abs());
            quote!(#count)
        }
        Block::With(row) => {
            let [at_hand, least, most] = [AT_HAND as i128, POSITIONS[0], POSITIONS[1]]
                .map(|number| index::literal(number.unsigned_abs()));
            let row = index::dim(graph, row);
            quote!((#at_hand / (1 + #row)).clamp(#least, #most) / 8 * 8)
        }
        Block::Near(row) => {
            let [near, most] =
                [NEAR as i128, POSITIONS[1]].map(|number| index::literal(number.unsigned_abs()));
            let row = index::dim(graph, row);
            quote!((#near / (1 + #row)).clamp(1, #most))
        }
    }
}

/// The loop over the blocks of `size` positions.
fn blocks(
    graph: &Graph,
    stream: &Stream,
    places: &dyn Places,
    size: &TokenStream,
    steps: &TokenStream,
) -> TokenStream {
    let here = index::dim(graph, &stream.here);
    let most = most(graph, stream);
    let bind = stream
        .here
        .as_named()
        .map(|_| quote!(let #here = if #size - block < most { #size - block } else { most };));
    let cuts = stream.cut.iter().map(|cut| {
        let (local, row) = (places.local(cut.slot), index::dim(graph, &cut.row));
        let from = if cut.whole { quote!(block * #row) } else { quote!(0) };
        match cut.slot {
            Slot::Var(_) => quote!(let #local = &#local[#from..][..#here * #row];),
            _ => quote!(let #local = &mut #local[#from..][..#here * #row];),
        }
    });
    quote! {
        let most = #most;
        let mut block = 0;
        while block < #size {
            #bind
            #(#cuts)*
            #steps
            block += most;
        }
    }
}

/// The blocks, shared by threads.
fn shared(graph: &Graph, stream: &Stream, places: &dyn Places, steps: &TokenStream) -> TokenStream {
    let slices = |belongs: &dyn Fn(Slot) -> bool| -> (Vec<Ident>, Vec<TokenStream>) {
        let mine = |cut: &&Cut| belongs(cut.slot);
        let both = |cut: &Cut| (places.local(cut.slot), index::dim(graph, &cut.row));
        stream.cut.iter().filter(mine).map(both).unzip()
    };
    let is_given = |slot: Slot| matches!(slot, Slot::Var(_));
    let (read, read_rows) = slices(&|slot| is_given(slot) && !places.is_int(slot));
    let (ints, int_rows) = slices(&|slot| is_given(slot) && places.is_int(slot));
    let (written, written_rows) = slices(&|slot| !is_given(slot));
    let [reads, int_count, writes] = [&read, &ints, &written].map(|slices| slices.len());
    let (size, block) = (index::dim(graph, &stream.size), most(graph, stream));
    let (sums, lens): (Vec<Ident>, Vec<TokenStream>) =
        stream.sums.iter().map(|(slot, len)| (places.local(*slot), index::dim(graph, len))).unzip();
    let room = stream.room().map(|_| places.local(Slot::Scratch));
    let room = room.map_or_else(|| quote!(&mut []), |room| quote!(&mut #room[..]));
    let blocks = blocks(graph, stream, places, &quote!(size), steps);
    let width = match lens.as_slice() {
        [] => quote!(0),
        lens => quote!(#(#lens)+*),
    };
    quote! {{
        let rows = ::chainrule::rt::Rows {
            read: [#((&#read[..], #read_rows)),*],
            ints: [#((&#ints[..], #int_rows)),*],
            written: [#((&mut #written[..], #written_rows)),*],
        };
        let room: &mut [F] = #room;
        ::chainrule::rt::in_parts(
            rows,
            [#size, #block],
            room,
            #width,
            &|rows: ::chainrule::rt::Rows<'_, F, #reads, #int_count, #writes>, size: usize, sums: &mut [F]| {
                let [#((#read, _)),*] = rows.read;
                let [#((#ints, _)),*] = rows.ints;
                let [#((#written, _)),*] = rows.written;
                sums.fill(F::ZERO);
                #(let (#sums, sums) = sums.split_at_mut(#lens);)*
                #blocks
            },
        );
        let sums = &room[..];
        #(
            let (part, sums) = sums.split_at(#lens);
            #sums.copy_from_slice(part);
        )*
    }}
}
