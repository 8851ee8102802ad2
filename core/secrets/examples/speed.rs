//! How quickly a file is searched: `cargo run --release -p hydrant-secrets --example speed FILE`.

use hydrant_secrets::{Named, Rules, Scan};
use std::time::Instant;

fn main() {
    let began = Instant::now();
    let rules = Rules::built_in().expect("rules");
    println!("rules made in {:.2} ms", began.elapsed().as_secs_f64() * 1e3);
    let path = std::env::args().nth(1).expect("a file");
    let bytes = std::fs::read(path).expect("a file");
    for _ in 0..3 {
        let began = Instant::now();
        let named = Named::default();
        let mut scan = Scan::new(&rules, &named);
        let mut found = 0;
        for piece in bytes.chunks(256 * 1024) {
            scan.push(piece, &mut |_| found += 1).expect("lines");
        }
        scan.end(&mut |_| found += 1);
        let took = began.elapsed().as_secs_f64();
        println!("{found} found, {:.0} MB/s", bytes.len() as f64 / 1e6 / took);
    }
}
