/** The dialog of the silo map: a table with a row for every silo, and as many further ones as the plant has. */
import { DEFAULT_SILOS, hasColumns, type Silo } from '../lib/domain/silos';
import { ask, register, say } from '../lib/editor/dialog';
import { type Component, nextSilo, type Problem, problemsOf, proposed } from './silo-rows';

const words = (node: EditorNode, { error, values }: Problem): string => node._(`silo-map.error.${error}`, values);

const table = (): JQuery => $('#node-config-input-silos-container');

const readTable = (): Silo[] =>
  table()
    .children()
    .get()
    .map((row) => {
      const value = (key: string): string => String($(row).find(`.${key}`).val()).trim();
      const enabled = Boolean($(row).find('.enabled').prop('checked'));
      return { tag: value('tag'), code: value('code'), label: value('label'), enabled };
    });

function check(node: EditorNode): void {
  const silos = readTable();
  const problems = problemsOf(silos);
  table()
    .children()
    .each((index, row) => {
      $(row).toggleClass('off', !silos[index]?.enabled);
      const wrong = (part: string): boolean => problems.some((each) => each.index === index && each.part === part);
      for (const part of ['tag', 'code']) $(row).find(`.${part}`).toggleClass('input-error', wrong(part));
    });
  $('#silo-map-problems')
    .empty()
    .append(problems.map((problem) => $('<div>').text(words(node, problem))));
}

/** The fifteen have columns by their tags; a further one is called as the plant likes, and can go again. */
function addRow(node: EditorNode, { tag, code, label, enabled }: Silo): void {
  const input = (key: string, value: string): JQuery => $('<input type="text">').addClass(key).val(value);
  const row = $('<tr>').appendTo(table());
  const remove = $(
    '<button type="button" class="red-ui-button red-ui-button-small"><i class="fa fa-remove"></i></button>',
  )
    .attr('title', node._('silo-map.label.remove'))
    .on('click', () => {
      row.remove();
      check(node);
    });
  const cell = (...content: JQuery[]): JQuery => $('<td>').append(content);
  const fixed = hasColumns(tag);
  row.append(
    cell($('<input type="checkbox" class="enabled">').prop('checked', enabled)),
    fixed ? cell($('<code>').text(tag), $('<input type="hidden" class="tag">').val(tag)) : cell(input('tag', tag)),
    cell(input('code', code)),
    cell(input('label', label)),
    fixed ? cell() : cell(remove),
  );
}

/** Adds a row for every product of open orders whose code stands in none. */
function offerProducts(node: EditorNode): void {
  const server = $('#silo-map-server');
  RED.nodes.eachConfig(({ id, type, name, url }) => {
    const label = name || (typeof url === 'string' && url) || id;
    if (type === 'odoo-server') $('<option>').val(id).text(label).appendTo(server);
  });
  $('#silo-map-row-propose').toggle(server.children().length > 0);
  $('#silo-map-propose').on('click', () => {
    ask<{ components: Component[] }>(node, ['silo-map', 'propose'], { server: server.val() }, ({ components }) => {
      const { silos, nameless } = proposed(readTable(), components);
      for (const silo of silos) addRow(node, silo);
      check(node);
      const text = (key: string, values: object): string => node._(`silo-map.test.${key}`, { ...values });
      const told = [text('proposed', { count: silos.length }), ...(nameless ? [text('nameless', { nameless })] : [])];
      return say(told.join(' '));
    });
  });
}

register('silo-map', {
  color: '#8FC1BC',
  palette: 'label.silos',
  properties: {
    silos: {
      value: DEFAULT_SILOS,
      validate(silos, _options) {
        const problems = problemsOf((silos as Silo[] | undefined) ?? []);
        return problems.length === 0 || problems.map((problem) => words(this, problem));
      },
    },
  },
  label: (node) => node._('silo-map.label.silos'),
  open(node) {
    const saved = (node.silos as Silo[] | undefined) ?? [];
    const standard = DEFAULT_SILOS.map((silo) => saved.find(({ tag }) => tag === silo.tag) ?? silo);
    for (const silo of [...standard, ...saved.filter(({ tag }) => !hasColumns(tag))]) addRow(node, silo);
    table().on('input change', () => check(node));
    $('#silo-map-add').on('click', () => {
      addRow(node, nextSilo(readTable()));
      table().children().last().find('.tag').trigger('focus');
      check(node);
    });
    offerProducts(node);
    check(node);
  },
  save(node) {
    node.silos = readTable();
  },
});
