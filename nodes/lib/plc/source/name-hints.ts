/** What the names of members hint at: how engineers call an order, a completion, a weight, in English, German and Indonesian. */

/** Words of which one is enough, and words that only add to them. */
export interface Hint {
  strong: readonly string[];
  weak?: readonly string[];
}

const list = (words: string): string[] => words.split(' ');

/** Of the fields that a slot has once. Names are compared without umlauts and in lower case. */
export const FIELD_HINTS = {
  mo_id: {
    strong: list('order orderno orderid mo auftrag auftragsnr auftragsnummer fa job wo spk pesanan perintah'),
    weak: list('no nr num number nummer nomor id batch charge lot name'),
  },
  status_manufacturing: {
    strong: list('done complete completed finished finish fertig beendet abgeschlossen ende selesai tamat'),
    weak: list('batch status state'),
  },
  status_operation: {
    strong: list(
      'running run active aktiv lauft laeuft lauf betrieb operation busy started gestartet berjalan jalan proses',
    ),
    weak: list('batch status state'),
  },
  acknowledged: {
    strong: list(
      'ack acked acknowledge acknowledged quit quitt quittiert quittierung bestatigt confirmed konfirmasi diterima',
    ),
  },
  actual_weight_quantity_finished_goods: {
    strong: list('goods fg product produkt total gesamt summe sum finished fertig jadi hasil output netto'),
    weak: list('weight gewicht berat actual ist quantity menge qty'),
  },
  counter: {
    strong: list('counter count cnt zahler zaehler laufnummer lfdnr seq sequence penghitung hitungan'),
    weak: list('batch no nr'),
  },
} as const satisfies Record<string, Hint>;

/** Of the fields that only an order has that is handed over. */
export const ORDER_HINTS = {
  ready: { strong: list('ready valid new neu bereit gultig freigabe release offered handshake siap baru') },
  taken: {
    strong: list('taken accepted ubernommen uebernommen angenommen read copied begun diambil diterima operation'),
  },
  echo: { strong: list('echo last taken letzte ubernommen uebernommen terakhir'), weak: list('number no order taken') },
  bill: { strong: list('bom bill recipe rezept stuckliste stueckliste resep formula') },
  product: { strong: list('product produkt artikel article name bezeichnung produk'), weak: list('text name') },
  batch_no: { strong: list('batch charge lot'), weak: list('no nr number nummer nomor') },
  planned: {
    strong: list('planned total quantity gesamt menge sollmenge rencana jumlah'),
    weak: list('plan qty weight'),
  },
} as const satisfies Record<string, Hint>;

export const SILO_HINT: Hint = {
  strong: list(
    'silo bin hopper tank bunker behalter behaelter waage scale component komponente material bahan dosing dosis',
  ),
  weak: list('weight gewicht berat actual ist consumption verbrauch konsumsi consumed kg quantity menge qty used'),
};

/** What is wanted is no weight that was. */
export const SETPOINT = list(
  'set setpoint sp soll sollwert sollgewicht target ziel plan planned rencana limit min max tolerance',
);

/** Known liquids of the tables, as they are called. */
export const LIQUIDS: Readonly<Record<string, readonly string[]>> = {
  lq_tetes: list('tetes molasses molasse melasse'),
  lq_fml: list('fml'),
};

/** The words of a name: SiloWeight_A, bFertig[3], WägeGut → silo weight a · b fertig 3 · wage gut. */
export function wordsOf(name: string): string[] {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss');
  return plain
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{L})(\p{N})/gu, '$1 $2')
    .replace(/(\p{N})(\p{L})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}

/** How much words hint at something; 0 without a strong one. */
export function hintScore(words: readonly string[], { strong, weak = [] }: Hint): number {
  const has = (each: readonly string[]): number => words.filter((word) => each.includes(word)).length;
  const sure = has(strong);
  return sure === 0 ? 0 : sure * 2 + has(weak);
}
