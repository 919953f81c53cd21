/** Choosing a PLC: the `s7 endpoint` of node-red-contrib-s7. */
import type { Validate } from './dialog';

/** One variable of the endpoint's own list. */
type Variable = { name?: string; addr?: string };

/**
 * Whether a config node is sound, as far as it is needed here: the variables of an endpoint are for node-red-contrib-s7's own
 * nodes, and a new endpoint, with none but a blank one, is not valid to them.
 */
function isUsable({ valid, validationErrors, vartable }: EditorNode): boolean {
  if (valid !== false) return true;
  const onlyVariables = Array.isArray(validationErrors) && validationErrors.every((each) => each === 'vartable');
  const variables = Array.isArray(vartable) ? (vartable as Variable[]) : [];
  return onlyVariables && variables.every(({ name, addr }) => !name && !addr);
}

/** Replaces Node-RED's own check of a config node, which asks for it whatever the operation is. */
export const usable = (type: string, what: 'endpoint' | 'silos' | 'database'): Validate =>
  function (id, _options) {
    const found = RED.nodes.node(id);
    if (found && isUsable(found)) return true;
    return this._(`${type}.error.chosen`, { what: this._(`${type}.label.${what}`) });
  };
