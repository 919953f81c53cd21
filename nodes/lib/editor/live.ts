/** The live values of one slot beside the rows of the field table, for as long as the dialog is open. */
import { field, isForbidden, part, post, text } from './dialog';
import type { FieldTable, Sight, TableRow } from './field-table';

interface Answer<Told> {
  /** Read over a connection of its own. */
  own: boolean;
  fields: Told[];
}

/** What the dialog asks with, and how it shows what comes back. */
export interface LiveOptions<Row extends TableRow, Told> {
  table: FieldTable<Row>;
  /** What stands in the dialog; undefined: too little has been chosen yet. */
  asked: () => object | undefined;
  /** Whether the operation that is chosen has slots. */
  wanted: () => boolean;
  sight: (node: EditorNode, told: Told) => Sight;
}

/** ms from one answer to the next question: CPUs have few connections to spare, and one that is down stays so for a while. */
const PAUSE = { deployed: 1_000, own: 3_000, failed: 5_000, idle: 500 } as const;

let timer: number | undefined;
let running: JQuery.jqXHR | undefined;

const say = (words: string): JQuery => part('live-state').text(words);
const slot = (): number => Number(part('live-slot').val()) || 1;

/** One question at a time: the next one waits for the answer. */
function look<Row extends TableRow, Told>(node: EditorNode, options: LiveOptions<Row, Told>): void {
  const { table, asked, wanted, sight } = options;
  const on = part('live').is(':checked') && wanted() && !document.hidden && table.isSound(node);
  const values = on ? asked() : undefined;
  const wait = (ms: number): void => void (timer = window.setTimeout(() => look(node, options), ms));
  if (!values) {
    table.showLive([]);
    say('');
    return wait(PAUSE.idle);
  }
  const mine = post<Answer<Told>>(node, [table.kind.type, 'live'], { ...values, slot: slot() });
  running = mine;
  mine
    .done((answer) => {
      if (running !== mine) return;
      table.showLive(answer.ok ? answer.fields.map((told) => sight(node, told)) : []);
      say(answer.ok ? '' : (answer.problem ?? ''));
      wait(answer.ok ? PAUSE[answer.own ? 'own' : 'deployed'] : PAUSE.failed);
    })
    .fail(({ status }: { status: number }) => {
      if (running !== mine) return;
      table.showLive([]);
      say(text(node, `test.${isForbidden(status) ? 'forbidden' : 'silent'}`));
      if (!isForbidden(status)) wait(PAUSE.failed);
    });
}

export function stopLive(): void {
  window.clearTimeout(timer);
  const last = running;
  running = undefined;
  last?.abort();
}

export function startLive<Row extends TableRow, Told>(node: EditorNode, options: LiveOptions<Row, Told>): void {
  stopLive();
  part('live')
    .add(part('live-slot'))
    .on('change', () => {
      stopLive();
      look(node, options);
    });
  timer = window.setTimeout(() => look(node, options), 0);
}

/** What a call needs of the editor's own state of the endpoint (node-red-contrib-s7). */
const ENDPOINT = [
  ...['id', 'transport', 'connmode', 'address', 'port', 'rack', 'slot', 'timeout'],
  ...['localtsaphi', 'localtsaplo', 'remotetsaphi', 'remotetsaplo'],
];

const pick = (keys: readonly string[], valueOf: (key: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(keys.map((key) => [key, valueOf(key)]));

/** Settings as they stand in the dialog, with the editor's own state of PLC and silo map; undefined: not both are chosen. */
export function askedOf(settings: readonly string[]): Record<string, unknown> | undefined {
  const endpoint = RED.nodes.node(field('endpoint').val());
  const map = RED.nodes.node(field('silos').val());
  if (!endpoint || !map) return undefined;
  return {
    ...pick(settings, (key) => field(key).val()),
    silos: map.silos,
    endpoint: { ...pick(ENDPOINT, (key) => endpoint[key]), changed: Boolean(endpoint.changed) },
  };
}
