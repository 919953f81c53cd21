/** The part of Node-RED's editor in use (4.1 and 5): its own types know neither messages of validators nor its widgets. */

/** A node as the editor has it: its saved properties beside these. */
interface EditorNode {
  id: string;
  name?: string;
  valid?: boolean;
  changed?: boolean;
  /** A text of the node's own locale. */
  _(key: string, values?: Record<string, unknown>): string;
  [property: string]: unknown;
}

declare const RED: {
  nodes: {
    registerType(type: string, definition: object): void;
    node(id: unknown): EditorNode | null;
    eachConfig(callback: (node: EditorNode & { type: string }) => void): void;
    filterNodes(filter: { type: string }): EditorNode[];
  };
  utils: { validateTypedProperty(value: unknown, type: unknown, options: object): boolean | string };
  notify(text: string, kind: 'error'): void;
  /** A text of any locale: `<package>/<type>:<key>`. */
  _(key: string): string;
};

interface JQuery {
  typedInput(options: { default: string; types: string[]; typeField: string }): this;
  editableList(options: object): this;
  editableList(method: 'items'): JQuery<JQuery>;
  editableList(method: 'empty'): this;
  editableList(method: 'addItems', items: readonly object[]): this;
}
