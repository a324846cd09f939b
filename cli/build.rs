//! Lists the gallery's programs, which the playground offers, so that a new one needs no further line.

use std::path::Path;
use std::{env, fs};

fn main() {
    // Asked at run time: a build folder may be shared by checkouts.
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where");
    let folder = Path::new(&root).join("../examples");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "grad"))
        .collect();
    paths.sort();
    let mut list = String::from("&[\n");
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        list.push_str(&format!(
            "    ({name:?}, include_str!({:?})),\n",
            path.display().to_string()
        ));
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&out).join("gallery.rs"), list).expect("a file in the build folder");
}
