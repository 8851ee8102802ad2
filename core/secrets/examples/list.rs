//! What is found in a file, for its developers: prints values.
use hydrant_secrets::{Named, Rules, Scan};
fn main() {
    let rules = Rules::built_in().expect("rules");
    let bytes = std::fs::read(std::env::args().nth(1).expect("a file")).expect("a file");
    let named = Named::default();
    let mut scan = Scan::new(&rules, &named);
    let mut heard = |f: hydrant_secrets::Finding<'_>| {
        println!("{}\t{}\t{}", f.line, rules.name(f.kind), String::from_utf8_lossy(f.value))
    };
    scan.push(&bytes, &mut heard).expect("lines");
    scan.end(&mut heard);
}
