//! `bindgen MODULE FOLDER NAME`: makes `FOLDER/NAME.js` and `FOLDER/NAME_bg.wasm` of a module that wasm-bindgen's
//! macros prepared.
//!
//! A program of its own, so that xtask itself is built in seconds.

use wasm_bindgen_cli_support::Bindgen;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder, name] = arguments.as_slice() else {
        eprintln!("usage: bindgen MODULE FOLDER NAME");
        std::process::exit(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(name).typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    if let Err(error) = bindgen.web(true).and_then(|bindgen| bindgen.generate(folder)) {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
}
