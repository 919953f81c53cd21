/**
 * Calls from an edit dialog ("Test connection", "Read now"): with the values that stand in the dialog, before they are
 * deployed, and behind the permission to change such a node. Nothing that was sent comes back.
 */
import type { NodeAPI } from 'node-red';
import { migrateConfig } from './config-migrations';
import type { TlsConfigNode } from './config-nodes';
import { variableIn } from './variables';

/** The dialog's values with `${NAME}` replaced; `id` is the node's. */
export type DialogValues = Record<string, unknown> & { id?: string };

/** What is kept here may only be used as it was deployed. */
export interface DialogCall {
  /** Fields that say where the password goes: with another one in any of them, nothing that is kept here is used. */
  place: readonly string[];
  /** Fields that hold the values of another node's dialog, or a list of it with the same name, with that node's type. */
  nodes?: Readonly<Record<string, string>>;
}

/** What the editor puts into the field of a secret instead of the secret. */
const STORED_PASSWORD = '__PWRD__';
/** What it puts into the field of a config node while none is chosen. */
const NONE_CHOSEN = '_ADD_';

/**
 * POST /mo-bridge/<type>/<action>: answers {ok: true, …} with what `act` found, or {ok: false, problem} with why it threw.
 */
export function registerDialogCall(
  RED: NodeAPI,
  type: string,
  action: string,
  call: DialogCall,
  act: (values: DialogValues) => Promise<object>,
): void {
  const path = `/mo-bridge/${type}/${action}`;
  RED.httpAdmin.post(path, RED.auth.needsPermission(`${type}.write`), (req, res) => {
    const answer = async (): Promise<object> => {
      const values = (req.body ?? {}) as DialogValues;
      return { ok: true, ...(await act(withWhatIsKept(RED, type, call, values))) };
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
  if (typeof id !== 'string' || !id || id === NONE_CHOSEN) return undefined;
  const node = RED.nodes.getNode(id) as unknown as (TlsConfigNode & { type: string }) | null;
  if (node?.type !== 'tls-config') throw new Error(RED._(`${type}.error.tls`));
  return node.addTLSOptions({});
}

/**
 * The dialog's values with the stored password and the variables of the environment, as far as they are the deployed node's
 * own: whoever may open a dialog may enter any address into it, and must not have them sent there.
 * @throws Error saying what has to be deployed or entered
 */
function withWhatIsKept(
  RED: NodeAPI,
  type: string,
  { place, nodes = {} }: DialogCall,
  values: DialogValues,
): DialogValues {
  const id = values.id ?? '';
  const saved = deployed(RED, type, id);
  const same = saved !== undefined && place.every((field) => textOf(saved[field]) === textOf(values[field]));
  const kept: Record<string, unknown> = same ? { ...saved, ...RED.nodes.getCredentials(id) } : {};
  const given = { ...values };
  for (const [secret, value] of Object.entries(given)) {
    if (value !== STORED_PASSWORD) continue;
    if (saved && !same) throw new Error(RED._(`${type}.error.stored`));
    given[secret] = kept[secret] ?? '';
  }
  for (const [field, nodeType] of Object.entries(nodes)) {
    const value = values[field] as { id?: unknown } | undefined;
    const other = deployed(RED, nodeType, String(value?.id ?? saved?.[field]));
    kept[field] = Array.isArray(value) ? other?.[field] : other;
  }
  return withEnvironment(RED, type, id, given, kept) as DialogValues;
}

/** The config of a deployed node as it was entered, with its variables' names. */
function deployed(RED: NodeAPI, type: string, id: string): Record<string, unknown> | undefined {
  let found: Record<string, unknown> | undefined;
  RED.nodes.eachNode((config) => {
    if (config.id === id && config.type === type) found = { ...migrateConfig(type, config) };
  });
  return found;
}

const textOf = (value: unknown): string =>
  (typeof value === 'string' || typeof value === 'number') && value !== NONE_CHOSEN ? String(value) : '';

/**
 * Replaces `${NAME}` as Node-RED does when it makes a node, where the deployed node has the same in this field.
 * @throws Error naming a variable that is not set, or that the deployed node does not have there
 */
function withEnvironment(RED: NodeAPI, type: string, id: string, value: unknown, kept: unknown): unknown {
  const within = (key: string | number): unknown => (kept as Record<string, unknown> | null | undefined)?.[key];
  if (Array.isArray(value)) return value.map((each, index) => withEnvironment(RED, type, id, each, within(index)));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, withEnvironment(RED, type, id, each, within(key))]),
    );
  }
  const name = variableIn(value);
  if (!name) return value;
  // A deployed node also knows the variables that are set in Node-RED itself.
  const node = RED.nodes.getNode(id);
  const found: unknown = RED.util.evaluateNodeProperty(name, 'env', node, {});
  if (found === '') throw new Error(RED._(`${type}.error.environment`, { name }));
  if (value !== kept) throw new Error(RED._(`${type}.error.undeployed`, { name }));
  return found;
}
