// Stages in memory: for as long as the page lives, and nobody else's.

import { badStage, noStage } from './names.js';
import { Pieces } from './pieces.js';

/** The stages of one store. */
export class MemoryStages {
  /** By id. */
  #stages = new Map();

  /**
   * The longest stage of a blob to which nobody writes. One that is longer than its own blob is none of it, and goes.
   */
  begun(oid, size) {
    let best;
    for (const [stage, { of, pieces, validator, isOpen }] of this.#stages) {
      if (of.oid !== oid || isOpen) continue;
      if (pieces.bytes > of.size) this.#stages.delete(stage);
      else if (pieces.bytes <= size && pieces.bytes > (best?.pieces.bytes ?? 0)) best = { stage, pieces, validator };
    }
    return best && { stage: best.stage, blob: best.pieces.blob(), validator: best.validator };
  }

  /** Makes a stage, with the first bytes of an older one, which is gone then. */
  stage(id, of, older) {
    if (this.#stages.has(id)) throw badStage('there is such a stage already');
    const beginning = older && this.#beginning(of, older);
    const stage = { of, pieces: new Pieces(beginning), validator: undefined, isOpen: true };
    this.#stages.set(id, stage);
    return {
      beginning,
      write(bytes) {
        if (!stage.isOpen) throw badStage('the stage is closed');
        stage.pieces.push(bytes);
      },
      async close(validator) {
        stage.pieces.close();
        stage.validator = validator;
        stage.isOpen = false;
      },
    };
  }

  /** All bytes of a stage that is to be kept. */
  whole(id, oid) {
    const stage = this.#stages.get(id);
    if (!stage) throw noStage();
    if (stage.isOpen) throw badStage('somebody writes to the stage');
    if (stage.of.oid !== oid) throw badStage('the stage is of another blob');
    if (stage.of.size !== stage.pieces.bytes) throw badStage('the stage is not as long as the blob');
    return stage.pieces;
  }

  /** A blob is kept: no stage of it is of use any more, unless somebody writes to it. */
  kept(oid) {
    for (const [id, { of, isOpen }] of this.#stages) if (of.oid === oid && !isOpen) this.#stages.delete(id);
  }

  has(id) {
    return this.#stages.has(id);
  }

  drop(id) {
    this.#stages.delete(id);
  }

  #beginning({ oid, size }, { stage: id, bytes }) {
    const stage = this.#stages.get(id);
    if (!stage || stage.of.oid !== oid || stage.isOpen || stage.pieces.bytes < bytes || bytes > size) throw noStage();
    this.#stages.delete(id);
    return stage.pieces.blob().slice(0, bytes);
  }
}
