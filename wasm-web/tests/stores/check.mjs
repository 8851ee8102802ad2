// Assertions that work in Node, in a page and in a worker. They are counted: a case that asserts nothing has failed.

/** The assertions of one case. */
export class Check {
  count = 0;

  ok(value, what) {
    this.count += 1;
    if (!value) throw new Error(`not so: ${what}`);
  }

  /** Equal as text: numbers, strings, booleans, undefined, and arrays and plain objects of them. */
  equal(found, expected, what) {
    this.ok(show(found) === show(expected), `${what}: found ${show(found)}, expected ${show(expected)}`);
  }

  /** Rejects, or throws, an error with this name, code or message; or this very value. */
  async rejects(work, expected, what) {
    let found;
    let isFulfilled = false;
    try {
      await work();
      isFulfilled = true;
    } catch (error) {
      found = error;
    }
    this.ok(!isFulfilled, `${what}: nothing was thrown`);
    if (expected.is !== undefined) return this.ok(found === expected.is, `${what}: ${found} was thrown`);
    for (const key of Object.keys(expected)) this.equal(found?.[key], expected[key], `${what}: ${key} of ${found}`);
  }
}

function show(value) {
  const plain = (key, it) => (it === undefined ? 'undefined' : typeof it === 'bigint' ? `${it}n` : it);
  return JSON.stringify(value, plain);
}

/** Runs cases in places of their own; what each came to. */
export async function runAll(cases, make) {
  const results = [];
  for (const [name, run] of cases) results.push({ name, ...(await runOne(run, make)) });
  return results;
}

/** Runs one case. */
export async function runOne(run, make) {
  const check = new Check();
  const place = await make();
  let error;
  try {
    await run(check, place);
    if (check.count === 0) throw new Error('the case asserts nothing');
  } catch (thrown) {
    error = `${thrown?.stack ?? thrown}`;
  }
  await place.end?.();
  return { error, checks: check.count };
}
