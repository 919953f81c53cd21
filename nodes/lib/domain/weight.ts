/**
 * The one rounding of the product. Weights are kilograms; Odoo's unit "kg" keeps 0.01 (recorded exchange 088: 123.456 is
 * stored as 123.46; 094: 0.004 is stored as 0).
 */

/** 3 decimals are kept of a weight that was decoded from the PLC: float32 600.3 arrives as 600.2999877929688. */
const DECODED_STEPS = 1000;
/** Odoo keeps 2 decimals of a quantity in kg. */
const ODOO_STEPS = 100;

/** Rounds half-up in decimal, not in binary: 1.005 becomes 1.01, although its nearest double lies below. */
function roundHalfUp(value: number, steps: number): number {
  if (!Number.isFinite(value)) return value;
  const scaled = Math.abs(value) * steps;
  // One relative epsilon lifts a tie that only the binary representation pushed below .5.
  const rounded = Math.floor(scaled * (1 + Number.EPSILON) + 0.5) / steps;
  return value < 0 ? -rounded : rounded + 0;
}

/** A decoded weight as the row keeps it: 3 decimals (kg). */
export const roundDecoded = (kg: number): number => roundHalfUp(kg, DECODED_STEPS);

/** A weight as it is sent, compared and summed: 0.01 kg, as Odoo keeps it. Null and undefined count as 0. */
export const roundForOdoo = (kg: number | null | undefined): number => roundHalfUp(kg ?? 0, ODOO_STEPS);

/** Whether two weights are the same to Odoo. */
export const sameForOdoo = (a: number | null | undefined, b: number | null | undefined): boolean =>
  roundForOdoo(a) === roundForOdoo(b);

/** Sum of weights, each rounded first, so that a total equals the sum of what is shown (kg). */
export const sumForOdoo = (weights: Iterable<number | null | undefined>): number => {
  let hundredths = 0;
  for (const kg of weights) hundredths += Math.round(roundForOdoo(kg) * 100);
  return hundredths / 100;
};

/** No silo and no batch holds more (kg); beyond it Odoo's own figures go astray (exchange 112: 1e15 is kept as 1e15 + 0.5). */
export const LARGEST_WEIGHT = 10_000_000;
