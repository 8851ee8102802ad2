// The package's hash beside another one, on the same bytes in the same pieces, by turns.

const BYTES = 16 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
const ROUNDS = 15;

/** How many times as quick as `other` the package's class is: the ratio of medians. */
export function ratio(Hasher, other) {
  const bytes = new Uint8Array(BYTES).map((_, at) => at * 31);
  const rate = (make, finish) => {
    const hasher = make();
    const began = performance.now();
    for (let at = 0; at < BYTES; at += PIECE_BYTES) hasher.update(bytes.subarray(at, at + PIECE_BYTES));
    const oid = finish(hasher);
    return { ms: performance.now() - began, oid };
  };
  const [ours, theirs] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = rate(() => new Hasher(), (hasher) => hasher.finish());
    const two = rate(() => other.init(), (hasher) => hasher.digest('hex'));
    if (one.oid !== two.oid) throw new Error('the digests differ');
    ours.push(one.ms);
    theirs.push(two.ms);
  }
  return median(theirs) / median(ours);
}

export function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
