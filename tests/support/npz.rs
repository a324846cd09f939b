//! Arrays of numbers in uncompressed `.npz` files. In: bytes. Out: arrays by name, as f64.

use chainrule_core::eval::Array;
use std::collections::BTreeMap;
use std::path::Path;

/// The arrays of one file.
pub struct Npz(BTreeMap<String, Array>);

impl Npz {
    /// Reads a file of this project; what is wrong with it is a mistake of the project.
    pub fn read(path: &Path) -> Npz {
        let bytes = std::fs::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let (mut arrays, mut rest) = (BTreeMap::new(), bytes.as_slice());
        // A local file header of the zip format: signature, 22 bytes, the lengths of the name and of what is added to it.
        while rest.starts_with(b"PK\x03\x04") {
            let (name, added) = (short(&rest[26..]), short(&rest[28..]));
            let file = String::from_utf8_lossy(&rest[30..30 + name]).into_owned();
            assert_eq!(short(&rest[8..]), 0, "{file} is compressed");
            let (array, length) = npy(&rest[30 + name + added..]);
            arrays.insert(file.trim_end_matches(".npy").to_string(), array);
            rest = &rest[30 + name + added + length..];
        }
        Npz(arrays)
    }

    /// An array that must be there.
    pub fn get(&self, name: &str) -> &Array {
        self.0.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", self.0.keys()))
    }

    /// Its numbers.
    pub fn numbers(&self, name: &str) -> &[f64] {
        &self.get(name).data
    }

    /// Its one number.
    pub fn number(&self, name: &str) -> f64 {
        self.numbers(name)[0]
    }
}

fn short(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// An array in NumPy's format, version 1, and how many bytes it takes.
fn npy(bytes: &[u8]) -> (Array, usize) {
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "an array of another version");
    let start = 10 + short(&bytes[8..]);
    let header = String::from_utf8_lossy(&bytes[10..start]);
    let (_, sizes) = header.split_once("'shape': (").expect("a shape");
    let sizes = sizes.split(')').next().unwrap_or_default();
    let shape: Vec<usize> = sizes
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().expect("a size"))
        .collect();
    let count: usize = shape.iter().product();
    let words = || bytes[start..].chunks_exact(8).take(count).map(|w| w.try_into().expect("8"));
    let (data, width): (Vec<f64>, usize) = if header.contains("'<f8'") {
        (words().map(f64::from_le_bytes).collect(), 8)
    } else if header.contains("'<i8'") {
        (words().map(|word| i64::from_le_bytes(word) as f64).collect(), 8)
    } else {
        assert!(header.contains("'|u1'"), "{header}");
        (bytes[start..start + count].iter().map(|&byte| f64::from(byte)).collect(), 1)
    };
    let data = match shape.as_slice() {
        [rows, columns] if header.contains("'fortran_order': True") => {
            (0..count).map(|at| data[at % columns * rows + at / columns]).collect()
        }
        _ => data,
    };
    (Array { shape, data }, start + count * width)
}
