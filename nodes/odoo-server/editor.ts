/** The dialog of odoo-server. */
import { ask, field, filled, register, rule, say, whole } from '../lib/editor/dialog';

/** What "Test connection" finds. */
interface Found {
  user: string;
  server: string;
  addon?: string;
  orders: number;
  /** Without the addon: what the fields tell, what can be weighed of the open orders, and what to know of it. */
  standard?: { versions: string; components: number; keyed: number; addonThere: boolean; daysLeft?: number };
  /** Where Odoo was found, if not as entered. */
  address?: string;
}

const isAddress = (url: unknown): boolean => typeof url === 'string' && /^\s*https?:\/\/[^\s/@]+/i.test(url);
const entered = (key: string): unknown => field(key).val();

const told = (node: EditorNode, { user, server, addon, orders, standard, address }: Found): JQuery => {
  const text = (key: string, values?: Record<string, unknown>): string => node._(`odoo-server.test.${key}`, values);
  const lines = [
    text('login', { user, server }),
    ...(standard ? [text('fields', { ...standard })] : [addon ? text('addon', { addon }) : text('addonHidden')]),
    text(standard ? 'open' : 'orders', { orders }),
    ...(standard ? [text('components', { ...standard })] : []),
    ...(standard?.addonThere ? [text('addonThere')] : []),
    ...(standard?.daysLeft === undefined
      ? []
      : [text(standard.daysLeft < 0 ? 'keyExpired' : 'keyDays', { days: standard.daysLeft })]),
    ...(address ? [text('address', { address })] : []),
  ];
  return say(lines.join('\n'));
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
      const values = Object.fromEntries(keys.map((key) => [key, entered(key)]));
      ask<Found>(node, ['odoo-server', 'test'], values, (found) => told(node, found));
    });
  },
});
