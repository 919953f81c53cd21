/** The dialog of the silo map: a table with a row for every silo. */
import { DEFAULT_SILOS, type Silo } from '../lib/domain/silos';
import { register } from '../lib/editor/dialog';

interface Problem {
  /** Row of the table; -1: of none. */
  index: number;
  message: string;
}

/** What is wrong with the silos in use. */
function problemsOf(node: EditorNode, silos: readonly Silo[]): Problem[] {
  const problems: Problem[] = [];
  const users = new Map<string, string>();
  silos.forEach(({ tag, code, enabled }, index) => {
    if (!enabled) return;
    const other = users.get(code);
    if (!code) problems.push({ index, message: node._('silo-map.error.blank', { tag }) });
    else if (other) problems.push({ index, message: node._('silo-map.error.twice', { tag, code, other }) });
    else users.set(code, tag);
  });
  if (!silos.some(({ enabled }) => enabled)) problems.push({ index: -1, message: node._('silo-map.error.none') });
  return problems;
}

const table = (): JQuery => $('#node-config-input-silos-container');

const readTable = (): Silo[] =>
  table()
    .children()
    .get()
    .map((row) => {
      const value = (key: string): string => String($(row).find(`.${key}`).val()).trim();
      const enabled = Boolean($(row).find('.enabled').prop('checked'));
      return { tag: $(row).data('tag') as Silo['tag'], code: value('code'), label: value('label'), enabled };
    });

function check(node: EditorNode): void {
  const silos = readTable();
  const problems = problemsOf(node, silos);
  table()
    .children()
    .each((index, row) => {
      $(row).toggleClass('off', !silos[index]?.enabled);
      const wrong = problems.some((problem) => problem.index === index);
      $(row).find('.code').toggleClass('input-error', wrong);
    });
  $('#silo-map-problems')
    .empty()
    .append(problems.map(({ message }) => $('<div>').text(message)));
}

register('silo-map', {
  color: '#8FC1BC',
  palette: 'label.silos',
  properties: {
    silos: {
      value: DEFAULT_SILOS,
      validate(silos, _options) {
        const problems = problemsOf(this, (silos as Silo[] | undefined) ?? []);
        return problems.length === 0 || problems.map(({ message }) => message);
      },
    },
  },
  label: (node) => node._('silo-map.label.silos'),
  open(node) {
    const saved = (node.silos as Silo[] | undefined) ?? [];
    for (const silo of DEFAULT_SILOS) {
      const { tag, code, label, enabled } = saved.find((one) => one.tag === silo.tag) ?? silo;
      const field = (key: string, value: string): JQuery =>
        $('<td>').append($('<input type="text">').addClass(key).val(value));
      $('<tr>')
        .data('tag', tag)
        .append($('<td>').append($('<input type="checkbox" class="enabled">').prop('checked', enabled)))
        .append($('<td>').append($('<code>').text(tag)))
        .append(field('code', code), field('label', label))
        .appendTo(table());
    }
    table().on('input change', () => check(node));
    check(node);
  },
  save(node) {
    node.silos = readTable();
  },
});
