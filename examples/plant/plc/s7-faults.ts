/** What can go wrong at the simulated S7 CPU and on the way to it. */

/**
 * The connection is cut at one telegram: it never arrives; it is carried out and its answer is lost; or its answer has just
 * gone out.
 */
export interface Cut {
  /** Only telegrams that read or write this data block count. */
  db: number;
  /** At which of them, from now on: 1 is the next. */
  telegram: number;
  /** They count from the next one that writes. */
  fromWrite?: boolean;
  at: 'request' | 'answer' | 'after';
  /** It is not cut: from there on nothing on it is heard or answered. */
  silent?: boolean;
}

/** All but `refuse`, `hang` and `delayMs` leave connecting alone. */
export interface S7Faults {
  /** ms between a telegram and its answer. */
  delayMs: number;
  /** Connections are accepted, nothing is ever answered. */
  hang: boolean;
  /** Half of an answer to a read or write is sent, then the connection is cut. */
  dropMidTelegram: boolean;
  /** Once. */
  cut: Cut | null;
  /** Random bytes instead of an answer to a read or write. */
  garbage: boolean;
  /** The port is closed and every connection cut, as without a network; it opens on the same port again. */
  refuse: boolean;
  /** Every item is answered 0x03, access denied. */
  denyAccess: boolean;
  /** Read and write are answered 0x8104: an S7-1200/1500 with "Permit access with PUT/GET" switched off. */
  denyService: boolean;
  /** The number of a data block that does not exist (any more); 0: none. */
  missingDb: number;
  /** CPU STOP: memory can still be read and written from outside, but no program changes it. */
  stop: boolean;
}

export const NO_FAULTS: Readonly<S7Faults> = {
  delayMs: 0,
  hang: false,
  dropMidTelegram: false,
  cut: null,
  garbage: false,
  refuse: false,
  denyAccess: false,
  denyService: false,
  missingDb: 0,
  stop: false,
};
