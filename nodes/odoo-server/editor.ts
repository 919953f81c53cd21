/** The dialog of odoo-server. */
import { ask, field, filled, register, rule, say, whole } from '../lib/editor/dialog';

/** What "Test connection" finds. */
interface Found {
  user: string;
  server: string;
  addon?: string;
  orders: number;
  /** Where Odoo was found, if not as entered. */
  address?: string;
}

const isAddress = (url: unknown): boolean => typeof url === 'string' && /^\s*https?:\/\/[^\s/@]+/i.test(url);
const entered = (key: string): unknown => field(key).val();

const told = (node: EditorNode, { user, server, addon, orders, address }: Found): JQuery => {
  const text = (key: string, values?: Record<string, unknown>): string => node._(`odoo-server.test.${key}`, values);
  const lines = [
    text('login', { user, server }),
    addon ? text('addon', { addon }) : text('addonHidden'),
    text('orders', { orders }),
    ...(address ? [text('address', { address })] : []),
  ];
  return say(lines.join('\n'));
};

register('odoo-server', {
  color: '#B99BC7',
  palette: 'label.server',
  properties: {
    url: { validate: rule(isAddress, 'odoo-server.error.url') },
    database: { validate: rule(filled, 'odoo-server.error.database') },
    timeout: { validate: rule(whole(1, 600), 'odoo-server.error.timeout') },
    parallel: { validate: rule(whole(1, 16), 'odoo-server.error.parallel') },
    tls: { type: 'tls-config', required: false },
  },
  credentials: { user: { type: 'text', required: true }, password: { type: 'password', required: true } },
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
    $('#odoo-server-test').on('click', () => {
      const keys = ['url', 'database', 'user', 'password', 'timeout', 'tls'];
      const values = Object.fromEntries(keys.map((key) => [key, entered(key)]));
      ask<Found>(node, ['odoo-server', 'test'], values, (found) => told(node, found));
    });
  },
});
