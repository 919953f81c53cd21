/**
 * Why a slot was refused, in one word of few: to count by. The texts are those of the guards (slot-guards, slot-decode).
 */
const REASONS = [
  ['not-finite', /^is not a finite number/],
  ['negative', /^is negative/],
  ['above-limit', /^is above the limit/],
  ['bad-status', /^is neither 0 nor 1/],
  ['bad-order', /^is not a manufacturing order id/],
  ['bad-text', /^(has characters that are not ASCII|is a STRING\[|has the length byte|has the header 00 00)/],
  ['no-number', /^is blank, but the slot/],
  ['two-slots', /^stands in the slots/],
  ['left-slot', /^was complete, but left the slot/],
] as const;

/** Every word that `rejectionReason` gives. */
export const REJECTION_REASONS = [...REASONS.map(([reason]) => reason), 'other'] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** The reason behind a problem's text; 'other' for a text that is not known here. */
export const rejectionReason = (problem: string): RejectionReason =>
  REASONS.find(([, text]) => text.test(problem))?.[0] ?? 'other';
