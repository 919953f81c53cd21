/** Variables in settings: Node-RED puts their values in place of `${NAME}`, and leaves the text where there is none. */
const VARIABLE = /^\$\{([^}]+)\}$/;

/** The name in a setting that is one variable; undefined for any other value. */
export const variableIn = (value: unknown): string | undefined =>
  typeof value === 'string' ? VARIABLE.exec(value)?.[1] : undefined;

/** The first variable of a node's settings that nothing sets. */
export const unsetVariable = (config: object): string | undefined =>
  Object.values(config).map(variableIn).find(Boolean);
