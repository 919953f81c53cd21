/**
 * JSON schemas of what comes from outside. Each is compiled when it is first needed: compiling all of them would take
 * Node-RED longer at every start than loading this whole package.
 */
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';

/** One breach of a schema or limit, with the place it was found at. */
export interface Problem {
  field: string;
  problem: string;
}

const ajv = new Ajv({ allErrors: true, strict: false });

function compiledLate(schema: object): () => ValidateFunction {
  let validate: ValidateFunction | undefined;
  return () => (validate ??= ajv.compile(schema));
}

/** A guard for values that have the schema's shape. */
export function matches<T>(schema: object): (value: unknown) => value is T {
  const validator = compiledLate(schema);
  return (value): value is T => validator()(value);
}

/** Every breach of the schema in a value, in the words of the manual API: field and problem; none: it has the shape. */
export function breaches(schema: object): (value: unknown) => Problem[] {
  const validator = compiledLate(schema);
  return (value) => {
    const validate = validator();
    return validate(value) ? [] : (validate.errors ?? []).map(toProblem);
  };
}

function toProblem({ instancePath, params, message = 'is not valid' }: ErrorObject): Problem {
  const named = params as { missingProperty?: string; additionalProperty?: string };
  const extra = named.missingProperty ?? named.additionalProperty;
  const path = [...instancePath.split('/').slice(1), ...(extra ? [extra] : [])].join('.');
  return { field: path || '(message)', problem: named.missingProperty ? 'is required' : message };
}
