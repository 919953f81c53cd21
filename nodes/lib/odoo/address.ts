/**
 * The address of an Odoo as people enter it, mostly copied from their browser: mended where its meaning is certain.
 */

/** What is wrong with an address that cannot be mended. */
export type AddressProblem = 'blank' | 'scheme' | 'user' | 'malformed';

export type OdooUrl =
  | {
      /** http(s)://host[:port][/prefix of a reverse proxy], without a slash at the end. */
      url: string;
      /** The database that the address itself names (`?db=…`). */
      database?: string;
      problem?: never;
    }
  | { problem: AddressProblem; url?: never; database?: never };

/** Ports that only ever speak one of the two: HTTP's own, Odoo's own (which has no TLS), HTTPS's own. */
const SCHEME_OF_PORT: Readonly<Record<string, string>> = { 80: 'http', 8069: 'http', 443: 'https' };

/** Odoo's own pages and routes: what stands before them is the address. `/odoo` is the web client from version 17.2 on. */
const OWN_PAGES = /\/(web|odoo|jsonrpc|xmlrpc|api\/scada)(\/.*)?$/i;

export function odooAddress(text: string): OdooUrl {
  const entered = text.trim();
  if (!entered) return { problem: 'blank' };
  const address = withScheme(entered);
  if (!address) return { problem: 'scheme' };
  // A slash or two that are missing behind the scheme leave no doubt either; an address in an address does.
  if (!URL.canParse(address) || /\s/.test(address) || /^https?:\/*https?\b/i.test(address)) {
    return { problem: 'malformed' };
  }
  const { protocol, username, password, host, pathname, searchParams } = new URL(address);
  if (username || password) return { problem: 'user' };
  const prefix = beforeOwnPages(pathname).replace(/\/+$/, '');
  const database = searchParams.get('db');
  return { url: `${protocol}//${host}${prefix}`, ...(database ? { database } : {}) };
}

/** undefined: it does not say whether it is http or https, and a password is not sent on a guess. */
function withScheme(entered: string): string | undefined {
  if (/^https?:/i.test(entered)) return entered;
  const [, port = ''] = /^(?:\/\/)?(?:[^\s/:@?#]+|\[[\da-f:.]+\]):(\d+)(?:[/?#]|$)/i.exec(entered) ?? [];
  const scheme = SCHEME_OF_PORT[port];
  return scheme && `${scheme}://${entered.replace(/^\/\//, '')}`;
}

/** `/web` may follow a prefix that is called like another page, as in /odoo/web: then it is the page. */
function beforeOwnPages(pathname: string): string {
  const web = /^(.*?)\/web(\/.*)?$/i.exec(pathname)?.[1];
  return web ?? pathname.replace(OWN_PAGES, '');
}
