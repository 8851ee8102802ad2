// A sound, as a WAVE file: 16 bits, one channel.

const RATE = 8000;
const HEAD_BYTES = 44;

/** A tone of this many seconds. */
export function sound(seconds) {
  const samples = RATE * seconds;
  const bytes = Buffer.alloc(HEAD_BYTES + 2 * samples);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(2 * RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * samples, 40);
  for (let at = 0; at < samples; at += 1) {
    bytes.writeInt16LE(Math.round(8000 * Math.sin((at * 2 * Math.PI * 440) / RATE)), HEAD_BYTES + 2 * at);
  }
  return bytes;
}
