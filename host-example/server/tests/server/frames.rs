//! As much of HTTP/2 as a hostile client needs.

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const HEADERS: u8 = 1;
const DATA: u8 = 0;
const END_HEADERS: u8 = 4;
const END_STREAM: u8 = 1;
const INITIAL_WINDOW: u16 = 4;

/// How a connection begins; `window` is what the server may send on a stream unasked.
pub(crate) fn beginning(window: u32) -> Vec<u8> {
    let mut setting = INITIAL_WINDOW.to_be_bytes().to_vec();
    setting.extend(window.to_be_bytes());
    [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &setting)].concat()
}

pub(crate) fn ping() -> Vec<u8> {
    frame(PING, 0, 0, b"12345678")
}

pub(crate) fn data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(DATA, 0, stream, bytes)
}

/// A request whose body is still to come, unless it has none.
pub(crate) fn request(stream: u32, method: &str, host: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "http"), (":authority", host), (":path", path)];
    let block: Vec<u8> = pseudo.iter().chain(more).flat_map(|(name, value)| literal(name, value)).collect();
    let end = if method == "GET" { END_STREAM } else { 0 };
    frame(HEADERS, END_HEADERS | end, stream, &block)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn literal(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &length(name.len()), name.as_bytes(), &length(value.len()), value.as_bytes()].concat()
}

/// A number with a prefix of seven bits.
fn length(mut number: usize) -> Vec<u8> {
    const PREFIX: usize = 127;
    if number < PREFIX {
        return vec![number as u8];
    }
    let mut bytes = vec![PREFIX as u8];
    number -= PREFIX;
    while number >= 128 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
