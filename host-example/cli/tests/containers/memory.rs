//! What is unpacked is never held as a whole.

use hydrant_kit::scene::Scene;

use super::{python, text};

/// KiB of address space that the program gets.
const KIB_MAX: u32 = 200 * 1024;

/// Writes an archive with one member of 1 GiB, of which a piece is packed once and repeated.
const BIG: &str = r#"
import zlib, struct
def big(name, piece):
    times = (1 << 30) // len(piece)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)) * times + b"\x03\x00"
    crc, size = 0, len(piece) * times
    for _ in range(times): crc = zlib.crc32(piece, crc)
    facts = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5021, crc, len(packed), size, 3, 0)
    local = b"PK\x03\x04" + facts + b"big" + packed
    entry = b"PK\x01\x02\x14\x00" + facts + bytes(10) + struct.pack("<I", 0) + b"big"
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    open(name, "wb").write(local + entry + end)
"#;

#[test]
fn a_large_member_is_looked_through_or_refused_in_little_memory() {
    let scene = Scene::new();
    scene.file("text", text().as_bytes());
    python(
        &scene,
        &scene.folder,
        &format!(
            "{BIG}
import random, gzip
big('zeros.zip', bytes(1 << 20))
big('lines.zip', b'a line that comes again\\n' * 40000)
random.seed(1)
with gzip.open('long.gz', 'wb', 1) as to:
    line = random.randbytes(300).hex().encode() + b'\\n'
    for _ in range(80000): to.write(line)
    to.write(open('text', 'rb').read())
"
        ),
    );
    for (file, code, said) in [
        ("zeros.zip", 1, "zeros.zip: not looked through: big: line 1 is longer than 33554432 bytes"),
        ("lines.zip", 1, "lines.zip: not looked through: big: more than "),
        ("long.gz", 0, "1 secret in 1 place"),
    ] {
        let program = scene.hydrant_command(&scene.folder);
        let mut command = scene.program("sh", &scene.folder);
        let script = format!("ulimit -v {KIB_MAX}; exec \"$0\" redact {file}");
        let ran = command.args(["-c", &script]).arg(program.get_program()).output().expect("a shell");
        let err = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(code), "{file}: {err}");
        assert!(err.contains(said), "{file}: {err}");
    }
}
