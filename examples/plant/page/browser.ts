/** The page "The plant" in the browser: draws each picture that it is told, and pulls what is pressed. */
import { element, fill, find, keep } from './browser-dom';
import { count, kg, PHASES, time, WORDS } from './browser-words';
import type { DeedPicture, MischiefCode, SiloPicture, SlotPicture, Told } from './told';

type Place = 'plc' | 'node-red' | 'database' | 'odoo';

/** Which buttons stand at which place; those of the operator's panel at the PLC. */
const BUTTONS: Record<Place, MischiefCode[]> = {
  plc: ['cable', 'stop', 'mistyped', 'typed-over'],
  'node-red': ['node-red'],
  database: ['database'],
  odoo: ['odoo-down', 'forgets', 'password', 'cancelled'],
};

async function press(button: HTMLButtonElement, path: string): Promise<void> {
  button.disabled = true;
  const refused = find('#refused');
  try {
    const response = await fetch(path, { method: 'POST' });
    refused.hidden = response.ok;
    if (!response.ok) refused.textContent = `Not done: ${await response.text()}.`;
  } finally {
    button.disabled = false;
  }
}

const lastingOf = ({ deeds }: Told): Set<string> =>
  new Set(deeds.filter(({ mended }) => mended === undefined).map(({ code }) => code));

function drawButtons(told: Told): void {
  const lasting = lastingOf(told);
  for (const [place, codes] of Object.entries(BUTTONS))
    keep(find(`[data-place="${place}"] .buttons`), codes, (code) => {
      const button = element('button', { type: 'button', 'data-code': code });
      const verb = (): string => (button.dataset.lasting === 'true' ? 'mend' : 'pull');
      button.addEventListener('click', () => void press(button, `/${verb()}/${code}`));
      return button;
    }).forEach((button, index) => {
      const code = codes[index] as MischiefCode;
      const { pull, mend } = WORDS[code];
      button.dataset.lasting = String(lasting.has(code));
      button.textContent = lasting.has(code) ? (mend ?? pull) : pull;
    });
}

/** A station's sentence, and whether it is as it should be. */
function drawStates(told: Told): void {
  const lasting = lastingOf(told);
  const { plc, node_red, database, odoo } = told;
  const states: [Place, boolean, string][] = [
    ['plc', plc.cable && plc.running, !plc.cable ? 'cable pulled' : plc.running ? 'RUN' : 'STOP'],
    ['node-red', node_red.up, node_red.up ? 'running' : 'killed'],
    ['database', database !== undefined, database ? 'running' : 'cannot be reached'],
    [
      'odoo',
      !['odoo-down', 'forgets', 'password'].some((code) => lasting.has(code)),
      lasting.has('odoo-down')
        ? 'off'
        : lasting.has('password')
          ? 'password changed'
          : lasting.has('forgets')
            ? 'answers and forgets'
            : `running · ${count(odoo.open + odoo.progress, 'open order')}`,
    ],
  ];
  for (const [place, well, words] of states) {
    const station = find(`[data-place="${place}"]`);
    station.classList.toggle('ill', !well);
    find('.state', station).textContent = words;
  }
}

function drawSilos(silos: readonly SiloPicture[]): void {
  const most = Math.max(1, ...silos.map(({ weighed }) => weighed));
  const drawn = keep(
    find('#silos'),
    silos.map(({ tag }) => tag),
    (tag) =>
      element('li', { 'data-silo': tag }, [
        element('div', { class: 'bin', 'aria-hidden': 'true' }, [
          element('i', { class: 'weighed' }),
          element('i', { class: 'confirmed' }),
        ]),
        element('span', { class: 'name' }, [tag.replace(/^silo_/, 'silo ').replace(/^lq_/, 'liquid ')]),
        element('span', { class: 'kg' }),
      ]),
  );
  silos.forEach(({ weighed, confirmed }, index) => {
    const silo = drawn[index] as HTMLElement;
    find('.weighed', silo).style.height = `${(100 * weighed) / most}%`;
    find('.confirmed', silo).style.height = `${(100 * confirmed) / most}%`;
    find('.kg', silo).textContent = kg(weighed);
    silo.title = `${kg(weighed)} weighed, ${kg(confirmed)} in Odoo`;
  });
}

function drawSlots(slots: readonly SlotPicture[]): void {
  const drawn = keep(
    find('#slots'),
    slots.map(({ slot }) => String(slot)),
    (slot) =>
      element('li', { 'data-slot': slot }, [
        element('span', { class: 'number' }),
        element('span', { class: 'phase' }),
        element('i', { class: 'share', 'aria-hidden': 'true' }),
      ]),
  );
  slots.forEach(({ phase, number, share, kg: weighed }, index) => {
    const slot = drawn[index] as HTMLElement;
    slot.dataset.phase = phase;
    find('.number', slot).textContent = number || '–';
    find('.phase', slot).textContent = phase === 'free' ? PHASES.free : `${PHASES[phase]} · ${kg(weighed)}`;
    find('.share', slot).style.width = `${Math.min(100, 100 * share)}%`;
  });
}

const QUEUE = { queued: 'queued', running: 'running', completed: 'completed', needs_person: 'needs a person' } as const;

function drawCounts({ database, odoo, account }: Told): void {
  const list = (selector: string, counts: [string, number | undefined][]): void =>
    fill(
      find(selector),
      counts.map(([name, number]) =>
        element('div', {}, [element('dt', {}, [name]), element('dd', {}, [number ?? '–'])]),
      ),
    );
  list('#queue', [
    ...Object.entries(QUEUE).map(([key, name]): [string, number | undefined] => [
      name,
      database?.[key as keyof typeof QUEUE],
    ]),
    ['in the history', database?.archived],
  ]);
  list('#pushes', [
    ['orders fetched', account?.queued],
    ['pushes confirmed', account?.pushed],
    ['batches archived', account?.archived],
  ]);
  list('#orders', [
    ['confirmed', odoo.open],
    ['in progress', odoo.progress],
    ['done', odoo.done],
    ['cancelled', odoo.cancelled],
  ]);
}

let before: Told | undefined;

/** Kilograms and the pipes that they went through since the last picture. */
function drawKilograms(told: Told): void {
  const { kg: now, database, plc, node_red } = told;
  const show = (id: string, value: number | undefined): void =>
    void (find(id).textContent = value === undefined ? '–' : kg(value));
  show('#weighed', now.weighed);
  show('#stored', now.stored);
  show('#confirmed', now.confirmed);
  const lasting = lastingOf(told);
  const grew = (key: 'stored' | 'confirmed'): boolean => (now[key] ?? 0) > (before?.kg[key] ?? Infinity);
  const pipes: [string, boolean, boolean][] = [
    ['plc', grew('stored'), !plc.cable || !node_red.up],
    ['node-red', grew('stored'), !database],
    ['database', grew('confirmed'), !node_red.up || !database || lasting.has('odoo-down') || lasting.has('password')],
  ];
  for (const [from, flowing, cut] of pipes) {
    const pipe = find(`[data-from="${from}"]`);
    pipe.classList.toggle('flowing', flowing && !cut);
    pipe.classList.toggle('cut', cut);
  }
}

/** The one sentence that the page exists for. */
function verdict({ kg: { weighed, confirmed, set_apart }, account, database }: Told): string {
  const onTheWay = Math.max(0, Math.round((weighed - confirmed - set_apart) * 100) / 100);
  const equal = account?.differences === 0 ? 'equal in PLC, database and Odoo, silo by silo' : 'NOT equal';
  const archived = account?.archived
    ? `${count(account.archived, 'batch', 'batches')} archived, ${kg(account.kg)}: ${equal}. `
    : '';
  const asked = database?.needs_person ? ` ${count(database.needs_person, 'batch', 'batches')} need a person.` : '';
  const apart = set_apart > 0 ? ` ${kg(set_apart)} were put aside by a person.` : '';
  const rest = onTheWay > 0 ? `${kg(onTheWay)} are on their way.` : 'Every kilogram has arrived.';
  return archived + rest + apart + asked;
}

/** What has become of the orders that a deed befell. */
function outcome({ mended, coming, befallen, arrived, asks, kg: weight }: DeedPicture): {
  code: string;
  words: string;
} {
  if (mended === undefined) return { code: 'lasting', words: 'Lasts. Mend it when you like.' };
  if (asks.length > 0) return { code: 'asks', words: `Needs a person: ${asks.join(', ')}. See the dashboard.` };
  if (coming) return { code: 'coming', words: 'Happens to the next batch that it can.' };
  if (arrived < befallen)
    return { code: 'arriving', words: `${arrived} of ${count(befallen, 'batch', 'batches')} arrived, ${kg(weight)} …` };
  if (befallen === 0) return { code: 'arrived', words: 'No batch was in a slot: nothing to make good.' };
  return { code: 'arrived', words: `All arrived: ${count(befallen, 'batch', 'batches')}, ${kg(weight)}.` };
}

function drawDeeds(deeds: readonly DeedPicture[]): void {
  find('#no-deeds').hidden = deeds.length > 0;
  fill(
    find('#deeds'),
    deeds.map((deed) => {
      const { code, words } = outcome(deed);
      const when = deed.mended && deed.mended !== deed.at ? `${time(deed.at)} – ${time(deed.mended)}` : time(deed.at);
      return element('li', { 'data-deed': deed.code, 'data-outcome': code }, [
        element('time', { datetime: deed.at }, [when]),
        element('span', { class: 'told' }, [WORDS[deed.code].told]),
        element('span', { class: 'outcome' }, [words]),
      ]);
    }),
  );
}

function draw(told: Told): void {
  find('#verdict').textContent = verdict(told);
  find('#verdict').dataset.differences = String(told.account?.differences ?? '');
  find<HTMLAnchorElement>('#editor').href = told.node_red.url;
  find<HTMLAnchorElement>('#dashboard').href = `${told.node_red.url}/dashboard`;
  drawButtons(told);
  drawStates(told);
  drawSilos(told.silos);
  drawSlots(told.slots);
  drawCounts(told);
  drawKilograms(told);
  drawDeeds(told.deeds);
  before = told;
}

const events = new EventSource('/events');
events.addEventListener('message', ({ data }: MessageEvent<string>) => draw(JSON.parse(data) as Told));
events.addEventListener('error', () => {
  find('#verdict').textContent = 'The demo has ended. Start it again with npm start.';
});
