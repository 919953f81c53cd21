/** The dialog of odoo-server. */
import { ask, field, filled, register, rule, say, whole } from '../lib/editor/dialog';

interface Component {
  product: string;
  code: string;
}

/** What "Test connection" finds. */
interface Found {
  user: string;
  server: string;
  addon?: string;
  /** With the addon: how many are confirmed. */
  orders?: number;
  /** What is open of each line, and of which components the silo is known. */
  lines?: { line: string; orders: number; known: Component[]; unknown: Component[] }[];
  /** Without the addon: what the fields tell, and what to know of it. */
  standard?: { versions: string; addonThere: boolean; daysLeft?: number };
  /** Where Odoo was found, if not as entered. */
  address?: string;
}

const isAddress = (url: unknown): boolean => typeof url === 'string' && /^\s*https?:\/\/[^\s/@]+/i.test(url);
const entered = (key: string): unknown => field(key).val();

/** The lines that nodes fetch from this Odoo; where a variable names one, Node-RED knows which. */
function linesFetched(id: string): object[] {
  const fetches = RED.nodes.filterNodes({ type: 'odoo-fetch-mo' }).filter(({ server, operation, line }) => {
    return server === id && operation === 'fetch' && !(line as string | undefined)?.startsWith('$');
  });
  return fetches.map(({ line = '', lineBy: by = 'operation-type', lineField: field = '', silos }) => {
    const map = RED.nodes.node(silos)?.silos as { code: string; enabled: boolean }[] | undefined;
    const codes = map?.filter(({ enabled }) => enabled).map(({ code }) => code);
    return { line, by, field, ...(codes ? { codes } : {}) };
  });
}

/** So many components are named: the others are counted. */
const MOST_NAMED = 20;

/** What is open of one line, and what of it will be weighed. */
function ofLine(
  text: (key: string, values?: Record<string, unknown>) => string,
  { line, orders, known, unknown }: NonNullable<Found['lines']>[number],
): string[] {
  const named = (list: Component[]): string => {
    const names = list.slice(0, MOST_NAMED).map(({ product, code }) => `${product} (${code || text('nameless')})`);
    return [...names, ...(list.length > MOST_NAMED ? [`… ${list.length}`] : [])].join(', ');
  };
  const about = line ? text('line', { line, orders }) : text('open', { orders });
  if (orders === 0) return [about, ...(line ? [text('lineEmpty')] : [])];
  return [
    about,
    ...(known.length > 0 ? [text('known', { components: named(known) })] : []),
    ...(unknown.length > 0 ? [text('unknown', { components: named(unknown) })] : []),
  ];
}

const told = (node: EditorNode, { user, server, addon, orders, lines = [], standard, address }: Found): JQuery => {
  const text = (key: string, values?: Record<string, unknown>): string => node._(`odoo-server.test.${key}`, values);
  const facts = [
    text('login', { user, server }),
    ...(standard ? [text('fields', { ...standard })] : [addon ? text('addon', { addon }) : text('addonHidden')]),
    ...(orders === undefined ? [] : [text('orders', { orders })]),
    ...lines.flatMap((line) => ofLine(text, line)),
    ...(standard?.addonThere ? [text('addonThere')] : []),
    ...(standard?.daysLeft === undefined
      ? []
      : [text(standard.daysLeft < 0 ? 'keyExpired' : 'keyDays', { days: standard.daysLeft })]),
    ...(address ? [text('address', { address })] : []),
  ];
  return say(facts.join('\n'));
};

register('odoo-server', {
  color: '#B99BC7',
  palette: 'label.server',
  properties: {
    interface: {},
    secret: {},
    siloBy: {},
    siloField: {},
    url: { validate: rule(isAddress, 'odoo-server.error.url') },
    database: { validate: rule(filled, 'odoo-server.error.database') },
    timeout: { validate: rule(whole(1, 600), 'odoo-server.error.timeout') },
    parallel: { validate: rule(whole(1, 16), 'odoo-server.error.parallel') },
    tls: { type: 'tls-config', required: false },
  },
  credentials: { user: { type: 'text', required: true }, password: { type: 'password' }, apiKey: { type: 'password' } },
  label: (node) => (typeof node.url === 'string' && node.url) || node._('odoo-server.label.server'),
  open(node) {
    // An address from the environment may turn out to be https.
    const showTls = (): void => {
      const url = String(entered('url'));
      $('#node-config-row-tls').toggle(/^\s*(https:|\$)/i.test(url));
      $('#odoo-server-plain').toggle(/^\s*http:/i.test(url));
    };
    field('url').on('input change', showTls);
    showTls();
    const showInterface = (): void => {
      const standard = entered('interface') === 'standard';
      const key = standard && entered('secret') === 'key';
      $('#node-config-row-secret, #node-config-row-siloBy').toggle(standard);
      $('#node-config-row-siloField').toggle(standard && entered('siloBy') === 'field');
      $('#node-config-row-apiKey').toggle(key);
      $('#node-config-row-password').toggle(!key);
      $('#odoo-server-rights').text(node._(`odoo-server.tip.${standard ? 'rightsStandard' : 'rights'}`));
    };
    for (const key of ['interface', 'secret', 'siloBy']) field(key).on('change', showInterface);
    showInterface();
    // What was proposed for the one is too much for the other; what was entered stays.
    field('interface').on('change', () => {
      const [one, other] = entered('interface') === 'standard' ? ['2', '1'] : ['1', '2'];
      if (String(entered('parallel')) === one && node.interface !== entered('interface')) field('parallel').val(other);
    });
    $('#odoo-server-test').on('click', () => {
      const keys = [
        ...['interface', 'url', 'database', 'user', 'secret', 'password', 'apiKey', 'timeout', 'tls'],
        ...['siloBy', 'siloField'],
      ];
      const values = { ...Object.fromEntries(keys.map((key) => [key, entered(key)])), lines: linesFetched(node.id) };
      ask<Found>(node, ['odoo-server', 'test'], values, (found) => told(node, found));
    });
  },
});
