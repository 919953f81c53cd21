/** The dialog of mo-database. */
import { ask, current, field, filled, onlyIf, register, rule, say, type Validate, whole } from '../lib/editor/dialog';

/** What "Test connection" finds. */
interface Found {
  server: string;
  state: string;
  counts?: Record<string, number>;
}

/** Fields of the mode that is not chosen are not checked. */
const inMode = (mode: 'embedded' | 'server', validate: Validate): { validate: Validate } => ({
  validate: onlyIf((node) => current(node, 'mode') === mode, validate),
});
const isPort = whole(1, 65535);

const told = (node: EditorNode, { counts, ...found }: Found): JQuery => {
  const lines = [node._('mo-database.test.server', found), node._(`mo-database.test.state.${found.state}`, found)];
  if (counts) lines.push(node._('mo-database.test.counts', counts));
  return say(lines.join('\n'));
};

/** Where the running database really is. */
function showConnection(node: EditorNode): void {
  const names = {
    host: node._('mo-database.label.host'),
    port: node._('mo-database.label.port'),
    database: node._('mo-database.label.database'),
    user: node._('mo-database.label.user'),
    passwordFile: node._('mo-database.label.passwordFile'),
  };
  type Connection = Partial<Record<keyof typeof names, string | number>>;
  void $.getJSON(`mo-bridge/mo-database/${encodeURIComponent(node.id)}/connection`).done((connection?: Connection) => {
    // Without details the database is not running: the tip stays.
    if (!connection?.port) return;
    $('#mo-database-not-running').hide();
    const list = $('#mo-database-connection').empty();
    for (const [key, name] of Object.entries(names)) {
      $('<dt>').text(name).appendTo(list);
      const value = connection[key as keyof typeof names] ?? '';
      $('<dd>').append($('<code>').text(value)).appendTo(list);
    }
  });
}

register('mo-database', {
  color: '#9FB6C8',
  properties: {
    mode: {},
    directory: {},
    port: inMode(
      'embedded',
      rule((port) => port === '' || isPort(port), 'mo-database.error.port'),
    ),
    host: inMode('server', rule(filled, 'mo-database.error.host')),
    serverPort: inMode('server', rule(isPort, 'mo-database.error.serverPort')),
    database: inMode('server', rule(filled, 'mo-database.error.database')),
    tls: { type: 'tls-config', required: false },
    metrics: {},
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' } },
  label: (node) => node._(node.mode === 'server' ? 'mo-database.mode.server' : 'mo-database.mode.embedded'),
  open(node) {
    const mode = field('mode');
    const showGroup = (): void => {
      $('.mo-database-form [data-mode]').each((_index, element) => {
        $(element).toggle($(element).data('mode') === mode.val());
      });
    };
    mode.on('change', showGroup);
    showGroup();
    $('#mo-database-test').on('click', () => {
      const keys = ['mode', 'host', 'serverPort', 'database', 'user', 'password', 'tls'];
      const values = Object.fromEntries(keys.map((key) => [key, field(key).val()]));
      ask<Found>(node, ['mo-database', 'test'], values, (found) => told(node, found));
    });
    showConnection(node);
  },
});
