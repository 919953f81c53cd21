/** The live values of one slot beside the rows of the field table, for as long as the dialog is open. */
import { field, isForbidden, post } from '../lib/editor/dialog';
import { isSound, showLive, type Sight } from './editor-field-table';
import { asked } from './editor-read-now';

interface Answer {
  /** Read over a connection of its own. */
  own: boolean;
  fields: Sight[];
}

/** ms from one answer to the next question: CPUs have few connections to spare, and one that is down stays so for a while. */
const PAUSE = { deployed: 1_000, own: 3_000, failed: 5_000, idle: 500 } as const;

const TYPE = 'plc-consumption-read';
let timer: number | undefined;
let running: JQuery.jqXHR | undefined;

const say = (text: string): JQuery => $(`#${TYPE}-live-state`).text(text);
const slot = (): number => Number($(`#${TYPE}-live-slot`).val()) || 1;
const wanted = (node: EditorNode): boolean =>
  $(`#${TYPE}-live`).is(':checked') && field('operation').val() === 'read' && !document.hidden && isSound(node);

/** One question at a time: the next one waits for the answer. */
function look(node: EditorNode): void {
  const values = wanted(node) ? asked() : undefined;
  if (!values) {
    showLive(node, []);
    say('');
    return wait(node, PAUSE.idle);
  }
  const mine = post<Answer>(node, [TYPE, 'live'], { ...values, slot: slot() });
  running = mine;
  mine
    .done((answer) => {
      if (running !== mine) return;
      showLive(node, answer.ok ? answer.fields : []);
      say(answer.ok ? '' : (answer.problem ?? ''));
      wait(node, answer.ok ? PAUSE[answer.own ? 'own' : 'deployed'] : PAUSE.failed);
    })
    .fail(({ status }: { status: number }) => {
      if (running !== mine) return;
      showLive(node, []);
      say(node._(`${TYPE}.test.${isForbidden(status) ? 'forbidden' : 'silent'}`));
      if (!isForbidden(status)) wait(node, PAUSE.failed);
    });
}

const wait = (node: EditorNode, ms: number): void => void (timer = window.setTimeout(() => look(node), ms));

export function stopLive(): void {
  window.clearTimeout(timer);
  const last = running;
  running = undefined;
  last?.abort();
}

export function startLive(node: EditorNode): void {
  stopLive();
  const again = (): void => {
    stopLive();
    look(node);
  };
  $(`#${TYPE}-live, #${TYPE}-live-slot`).on('change', again);
  wait(node, 0);
}
