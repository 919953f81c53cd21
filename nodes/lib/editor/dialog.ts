/**
 * What the dialogs of all nodes share: how a type is registered, where defaults come from, validators with messages, and the
 * calls to Node-RED ("Test connection", "Read now").
 */
import { defaultsOf } from '../node-red/config-migrations';

/** true, or what is wrong. */
export type Verdict = boolean | string | string[];
export type Validate = (this: EditorNode, value: unknown, options: object) => Verdict;

/** A property of a node. What its config history gives a default needs none here. */
export interface Property {
  value?: unknown;
  /** A config node: its type. */
  type?: string;
  required?: boolean;
  label?: string;
  validate?: Validate;
}

export interface Definition {
  color: string;
  /** Its name, where it is a label as well; by default the text `palette`. */
  palette?: string;
  /** Beside name and version, which every node has. */
  properties: Record<string, Property>;
  credentials?: Record<string, { type: 'text' | 'password'; required?: boolean }>;
  /** What the canvas shows while the node has no name. */
  label: (node: EditorNode) => string;
  /** Action nodes: what the ports say; a config node has none. */
  ports?: { outputs: number; input: (node: EditorNode) => string; output: (node: EditorNode, index: number) => string };
  /** The dialog has been filled with the node's values. */
  open?: (node: EditorNode) => void;
  /** The dialog is confirmed: what its fields do not save by themselves. */
  save?: (node: EditorNode) => void;
  /** The dialog is gone, whichever way: what it does meanwhile ends. */
  close?: () => void;
}

const PACKAGE = '@mo-bridge/node-red-mo-bridge';

/** The node whose dialog is open: there the fields tell more than the saved properties. */
let edited: EditorNode | null = null;
let prefix = '';
/** The type of that node. */
let editedType = '';

/** The element of a property in the open dialog. */
export const field = (key: string): JQuery => $(`#${prefix}-${key}`);

/** Another element of the open dialog: what its ids begin with is its type. */
export const part = (name: string): JQuery => $(`#${editedType}-${name}`);

/** A text of the node whose dialog is open. */
export const text = (node: EditorNode, key: string, values?: Record<string, unknown>): string =>
  node._(`${editedType}.${key}`, values);

/** What a property is by now: in the open dialog as it stands there, else as it is saved. */
export const current = (node: EditorNode, key: string): unknown => (node === edited ? field(key).val() : node[key]);

/** The label of a config node's field, by which Node-RED says that it is missing. */
export const labelOf = (type: string, key: string): string => RED._(`${PACKAGE}/${type}:${type}.label.${key}`);

/** A setting that an older version did not save shows what the node does without it, not a blank. */
function fillIn(node: EditorNode, defaults: Record<string, unknown>, properties: Definition['properties']): void {
  for (const [key, value] of Object.entries(defaults)) {
    // Node-RED fills in the choice of a config node.
    if (node[key] !== undefined || properties[key]?.type) continue;
    if (typeof value === 'boolean') field(key).prop('checked', value);
    else field(key).val(String(value));
  }
}

/** Registers a node type with what all of this package have in common. */
export function register(type: string, definition: Definition): void {
  const { color, palette = 'palette', properties, credentials, label, ports, open, save, close } = definition;
  const defaults = defaultsOf(type);
  const opened = (node: EditorNode): void => {
    edited = node;
    editedType = type;
    prefix = ports ? 'node-input' : 'node-config-input';
  };
  const closed = (): void => {
    edited = null;
    close?.();
  };
  const whole = Object.entries({ name: { value: '' }, ...properties, configVersion: {} });
  RED.nodes.registerType(type, {
    category: ports ? 'MO Bridge' : 'config',
    color,
    defaults: Object.fromEntries(whole.map(([key, property]) => [key, { value: defaults[key] ?? '', ...property }])),
    ...(credentials ? { credentials } : {}),
    icon: `${type}.svg`,
    paletteLabel(this: EditorNode) {
      return this._(`${type}.${palette}`);
    },
    label(this: EditorNode) {
      return this.name || label(this);
    },
    labelStyle(this: EditorNode) {
      return this.name ? 'node_label_italic' : '';
    },
    ...(ports && {
      inputs: 1,
      outputs: ports.outputs,
      inputLabels(this: EditorNode) {
        return ports.input(this);
      },
      outputLabels(this: EditorNode, index: number) {
        return ports.output(this, index);
      },
    }),
    oneditprepare(this: EditorNode) {
      opened(this);
      fillIn(this, defaults, properties);
      open?.(this);
    },
    oneditsave(this: EditorNode) {
      save?.(this);
      // What stands in the dialog is whole: as one of today's.
      this.configVersion = defaults.configVersion;
      closed();
    },
    oneditcancel: closed,
    oneditdelete: closed,
  });
}

/** A validator with a message. Node-RED shows it only of validators that declare two parameters. */
export const rule = (test: (value: unknown, node: EditorNode) => boolean, message: string): Validate =>
  function (value, _options) {
    return test(value, this) || this._(message);
  };

export const filled = (value: unknown): boolean => typeof value === 'string' && /\S/.test(value);

/** A test for whole numbers, ends included. */
export const whole =
  (least: number, most: number) =>
  (value: unknown): boolean =>
    /\d/.test(String(value)) && Number.isInteger(Number(value)) && Number(value) >= least && Number(value) <= most;

/** What a validator asks only under a condition: fields of an operation that is not chosen are not checked. */
export const onlyIf = (condition: (node: EditorNode) => boolean, validate: Validate): Validate =>
  function (value, options) {
    return !condition(this) || validate.call(this, value, options);
  };

/** Says something for good, in an element of its own: never as markup. */
export const say = (text: string): JQuery => $('<span>').text(text);

/** What this package in Node-RED answers to a dialog. */
export type Answered<Answer> = Answer & { ok: boolean; problem?: string };

/** Asks this package in Node-RED, through the editor's own connection and with its permissions. */
export const post = <Answer extends object>(
  node: EditorNode,
  [type, action]: [type: string, action: string],
  values: object,
): JQuery.jqXHR<Answered<Answer>> =>
  $.ajax({
    url: `mo-bridge/${type}/${action}`,
    method: 'POST',
    contentType: 'application/json',
    data: JSON.stringify({ id: node.id, ...values }),
  });

/** Whether an HTTP status says that this person may not do that. */
export const isForbidden = (status: number): boolean => status === 401 || status === 403;

/**
 * Asks this package in Node-RED with what stands in the dialog: a spinner, then a green tick or a red cross with text, in the
 * element `#<type>-result`. Its texts are `<type>.test.busy`, `forbidden` and `silent`.
 */
export function ask<Answer extends object>(
  node: EditorNode,
  [type, action]: [type: string, action: string],
  values: object,
  show: (answer: Answer) => JQuery | JQuery[],
): void {
  const tell = (icon: string, state: string, content: JQuery | JQuery[]): JQuery =>
    $(`#${type}-result`)
      .attr('class', state)
      .empty()
      .append($('<i>').addClass(`fa ${icon}`), ' ', content);
  tell('fa-spinner fa-spin', 'busy', say(node._(`${type}.test.busy`)));
  post<Answer>(node, [type, action], values)
    .done((answer) => {
      if (answer.ok) tell('fa-check', 'good', show(answer));
      else tell('fa-times', 'bad', say(answer.problem ?? ''));
    })
    .fail(({ status }: { status: number }) => {
      tell('fa-times', 'bad', say(node._(`${type}.test.${isForbidden(status) ? 'forbidden' : 'silent'}`)));
    });
}
