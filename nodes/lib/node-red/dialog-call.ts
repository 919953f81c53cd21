/**
 * Calls from an edit dialog ("Test connection", "Read now"): with the values that stand in the dialog, before they are
 * deployed, and behind the permission to change such a node. Nothing that was sent comes back.
 */
import type { NodeAPI } from 'node-red';
import type { TlsConfigNode } from './config-nodes';

/** The dialog's values with `${NAME}` replaced; `id` is the node's. */
export type DialogValues = Record<string, unknown> & { id?: string };

/** What the editor puts into a password field instead of the password. */
const STORED_PASSWORD = '__PWRD__';
const VARIABLE = /^\$\{([^}]+)\}$/;

/**
 * POST /mo-bridge/<type>/<action>: answers {ok: true, …} with what `act` found, or {ok: false, problem} with why it threw.
 */
export function registerDialogCall(
  RED: NodeAPI,
  type: string,
  action: string,
  act: (values: DialogValues) => Promise<object>,
): void {
  const path = `/mo-bridge/${type}/${action}`;
  RED.httpAdmin.post(path, RED.auth.needsPermission(`${type}.write`), (req, res) => {
    const answer = async (): Promise<object> => {
      const values = (req.body ?? {}) as DialogValues;
      const resolved = withEnvironment(RED, type, values.id, withStoredPassword(RED, values)) as DialogValues;
      return { ok: true, ...(await act(resolved)) };
    };
    answer()
      .catch((error: unknown) => ({ ok: false, problem: error instanceof Error ? error.message : String(error) }))
      .then((body) => res.json(body))
      // The dialog was closed meanwhile: nobody listens.
      .catch(() => undefined);
  });
}

/** TLS options of a chosen tls-config. @throws Error when it is not deployed yet */
export function tlsOptions(RED: NodeAPI, type: string, id: unknown): object | undefined {
  if (typeof id !== 'string' || !id || id === '_ADD_') return undefined;
  const node = RED.nodes.getNode(id) as unknown as TlsConfigNode | null;
  if (!node) throw new Error(RED._(`${type}.error.tls`));
  return node.addTLSOptions({});
}

function withStoredPassword(RED: NodeAPI, values: DialogValues): DialogValues {
  if (values.password !== STORED_PASSWORD) return values;
  const { password } = (RED.nodes.getCredentials(values.id ?? '') ?? {}) as { password?: string };
  return { ...values, password: password ?? '' };
}

/** Replaces `${NAME}` as Node-RED does when it makes a node. @throws Error naming a variable that is not set */
function withEnvironment(RED: NodeAPI, type: string, id: string | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => withEnvironment(RED, type, id, each));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withEnvironment(RED, type, id, each)]));
  }
  const name = typeof value === 'string' ? VARIABLE.exec(value)?.[1] : undefined;
  if (!name) return value;
  // A deployed node also knows the variables that are set in Node-RED itself.
  const node = RED.nodes.getNode(id ?? '');
  const found: unknown = RED.util.evaluateNodeProperty(name, 'env', node, {});
  if (found === '') throw new Error(RED._(`${type}.error.environment`, { name }));
  return found;
}
