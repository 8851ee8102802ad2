// The recording of the core that hosts replay.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { target, workspace } from './component.mjs';

/** Milliseconds to make a recording, building included. */
const RECORDING_MS_MAX = 20 * 60 * 1000;

/** The recording that HYDRANT_RECORD names, or one that `cargo run --bin record` makes now. */
export function recording() {
  if (process.env.HYDRANT_RECORD) return process.env.HYDRANT_RECORD;
  const path = join(target, 'record.jsonl');
  const cargo = ['run', '--quiet', '--package', 'hydrant-tests', '--bin', 'record', '--', path];
  execFileSync(process.env.CARGO ?? 'cargo', cargo, { cwd: workspace, stdio: 'inherit', timeout: RECORDING_MS_MAX });
  assert.ok(existsSync(path), 'the recording was made');
  return path;
}
