// The contract of `wit/` as JavaScript: its functions, and its one resource, `Operation`. Both modules have the same
// contract; what a module does not have is not there.

import { HydrantError, Misuse } from './error.js';
import { functions, lfsError } from './forms.js';
import { put, take } from './lane.js';

/** The interfaces of a module: `{ operations, pointers, endpoints, batches, manifests, sessions }`. */
export function contract(module) {
  const { operation, ...interfaces } = functions;
  const { operations, sessions, ...others } = interfaces;
  const begin = (name, forms, values) => {
    put(module, forms, values);
    const running = module.Running[name]();
    if (!running) throw new HydrantError(lfsError.read(module));
    return new Operation(running);
  };

  class Operation {
    #running;

    constructor(running) {
      this.#running = running;
    }

    static {
      for (const [name, [forms, form, error = lfsError]] of Object.entries(operation)) {
        if (name in module.Running) this[name] = (...values) => begin(name, forms, values);
        if (!(name in module.Running.prototype)) continue;
        this.prototype[name] = function (...values) {
          if (!this.#running) throw new Misuse('finished');
          put(module, forms, values);
          this.#running[name]();
          return take(module, form, error, (payload) => new Misuse(payload));
        };
      }
    }

    [Symbol.dispose ?? Symbol.for('dispose')]() {
      this.#running?.free();
      this.#running = undefined;
    }
  }

  return {
    ...Object.fromEntries(Object.entries(others).map(([name, members]) => [name, free(module, name, members)])),
    operations: { ...free(module, 'operations', operations), Operation },
    sessions: { hydrateSession: (...values) => begin('hydrateSession', sessions.hydrateSession[0], values) },
  };
}

/** The functions of an interface that need no operation. */
function free(module, name, members) {
  const functions = {};
  for (const [member, [forms, form, error = lfsError]] of Object.entries(members)) {
    const call = module[name + member[0].toUpperCase() + member.slice(1)];
    if (!call) continue;
    functions[member] = (...values) => {
      put(module, forms, values);
      call();
      return take(module, form, error, thrown);
    };
  }
  return functions;
}

/** What a function throws: an `lfs-error` of the contract, or an error of the function's own kind. */
function thrown(payload) {
  return payload.code ? new HydrantError(payload) : Object.assign(new Error(payload.message), { payload });
}
