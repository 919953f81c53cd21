/** What people are asked and decide, beside what the queue does by itself. */
import type { Batch } from '../domain/batch';
import type { Need } from '../domain/need';
import type { SiloNames } from '../domain/silos';
import { type Belonging, belongsTo, type NotGiven } from './belongs-to';
import type { Database } from './connection';
import type { Decision } from './decide';
import { finishedWeight } from './decisions';
import { needs } from './needs';
import { noteRejected, type SlotsJudged } from './rejected';

export class People {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Everything that needs a person: see needs.ts. */
  needs(line: string, stalledMinutes: number, silos?: SiloNames): Promise<Need[]> {
    return needs(this.#db, line, stalledMinutes, silos);
  }

  /** Which slots of a source are refused now: see rejected.ts. */
  noteRejected(judged: SlotsJudged): Promise<null> {
    return noteRejected(this.#db, judged);
  }

  /** "This reading belongs to order …": see belongs-to.ts. */
  belongsTo(belonging: Belonging, decision: Decision = {}): Promise<Batch | NotGiven> {
    return belongsTo(this.#db, belonging, decision);
  }

  /** The finished weight (kg) that nobody told: see decisions.ts. */
  finishedWeight(moId: string, kg: number, decision: Decision = {}): Promise<Batch | null> {
    return finishedWeight(this.#db, moId, kg, decision);
  }
}
