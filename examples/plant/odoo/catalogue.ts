/**
 * What the simulated Odoo knows before any order exists: users, equipment, units, products and the recorded recipe.
 * Ids, names and quantities are those of the recorded server.
 */

/** What a user may do: `operator` lacks the addon's manager right, `operatorOnly` and `none` may not even read orders. */
export type Role = 'admin' | 'manager' | 'operator' | 'operatorOnly' | 'none';

export interface SimulatedUser {
  uid: number;
  login: string;
  password: string;
  role: Role;
  /** Names of the companies whose orders the user sees; all without it. */
  companies?: readonly string[];
}

/** A record that has an id and a name; as a many2one value Odoo shows it as `[id, name]`. */
export interface Named {
  id: number;
  name: string;
}

export interface Equipment extends Named {
  code: string;
  type: 'plc' | 'silo';
}

/** A product; `tracking`: whether each quantity needs a lot or serial number before its order can be closed. */
export interface Product extends Named {
  tracking: 'none' | 'lot' | 'serial';
  /** Id of its unit. */
  uom: number;
}

/** A unit of measure; `factor` of them make one reference unit of the category. */
export interface Unit extends Named {
  category: string;
  factor: number;
  /** Quantities are multiples of it. */
  rounding: number;
}

/** A part of what a component has reserved: from which lot and place in the warehouse. */
export interface Reservation {
  lot?: string;
  location?: string;
  quantity: number;
}

/** One component of a recipe. `code` null: no silo is attached to it. `quantity` is for the recipe's `bomQty`. */
export interface Component {
  code: string | null;
  product: string;
  quantity: number;
  uom?: string;
  tracking?: Product['tracking'];
  /** What is reserved for it; several make several move lines. */
  reserved?: readonly Reservation[];
}

/** uid 6 is recorded (exchange 008); the other ids and passwords are ours. */
export const USERS: readonly SimulatedUser[] = [
  { uid: 2, login: 'admin', password: 'admin', role: 'admin' },
  { uid: 6, login: 'scada', password: 'scada', role: 'manager' },
  { uid: 7, login: 'scada_op', password: 'scada_op', role: 'operator' },
  { uid: 8, login: 'scada_op_only', password: 'scada_op_only', role: 'operatorOnly' },
  { uid: 9, login: 'plainuser', password: 'plainuser', role: 'none' },
];

/** JF PLUS for 2500 kg, product ids 2..14 in this order (exchange 065). */
export const RECIPE: readonly Component[] = [
  { code: 'silo101', product: 'Pollard Angsa', quantity: 825 },
  { code: 'silo102', product: 'Kopra Mesh', quantity: 375 },
  { code: 'silo103', product: 'PKE Pellet', quantity: 240.25 },
  { code: 'silo104', product: 'Ampok Jagung', quantity: 50 },
  { code: 'silo105', product: 'CGF', quantity: 300 },
  { code: 'silo106', product: 'Tepung Gaplek', quantity: 159.75 },
  { code: 'silo107', product: 'Bungkil Kedelai', quantity: 100 },
  { code: 'silo108', product: 'Molases', quantity: 75.5 },
  { code: 'silo109', product: 'Kulit Kopi', quantity: 124.5 },
  { code: 'silo110', product: 'DDGS', quantity: 90 },
  { code: 'silo111', product: 'Premix', quantity: 10.25 },
  { code: 'silo112', product: 'Garam', quantity: 24.75 },
  { code: 'silo113', product: 'Kalsium', quantity: 125 },
];
export const RECIPE_PRODUCT = 'JF PLUS';
/** kg of product that `RECIPE` makes. */
export const RECIPE_QTY = 2500;

/** kg is unit 3 on the recorded server (exchange 263); ids, factors and rounding are those of every new Odoo 14. */
const KG = 3;
export const UNITS: readonly Unit[] = [
  { id: 1, name: 'Units', category: 'Unit', factor: 1, rounding: 0.01 },
  { id: 2, name: 'Dozens', category: 'Unit', factor: 1 / 12, rounding: 0.01 },
  { id: KG, name: 'kg', category: 'Weight', factor: 1, rounding: 0.01 },
  { id: 4, name: 'g', category: 'Weight', factor: 1000, rounding: 0.01 },
  { id: 7, name: 't', category: 'Weight', factor: 0.001, rounding: 0.01 },
  { id: 10, name: 'L', category: 'Volume', factor: 1, rounding: 0.01 },
  { id: 14, name: 'lb', category: 'Weight', factor: 2.20462, rounding: 0.01 },
];

/** The categories that Odoo makes itself, in their order; others follow. */
export const UNIT_CATEGORIES = ['Unit', 'Weight', 'Working Time', 'Length / Distance', 'Surface', 'Volume'] as const;

export const PRODUCTS: readonly Product[] = [RECIPE_PRODUCT, ...RECIPE.map((component) => component.product)].map(
  (name, index) => ({ id: index + 1, name, tracking: 'none', uom: KG }),
);

export const COMPANIES: readonly Named[] = [{ id: 1, name: 'My Company' }];
/** Where components lie unless a reservation says otherwise. */
export const STOCK: Named = { id: 8, name: 'WH/Stock' };

/** PLC01 is 1 and silo101..silo113 are 3..15; silo199 exists and is used by no recipe (exchange 090). */
export const EQUIPMENT: readonly Equipment[] = [
  { id: 1, code: 'PLC01', name: 'PLC01', type: 'plc' },
  { id: 2, code: 'PLC02', name: 'PLC02', type: 'plc' },
  ...Array.from({ length: 13 }, (_, index) => ({
    id: 3 + index,
    code: `silo${101 + index}`,
    name: `SILO ${String.fromCharCode(65 + index)}`,
    type: 'silo' as const,
  })),
  { id: 16, code: 'lq114', name: 'LQ TETES', type: 'silo' },
  { id: 17, code: 'lq115', name: 'LQ FML', type: 'silo' },
  { id: 18, code: 'silo199', name: 'SILO 199', type: 'silo' },
];

/** Recorded refusal of reading orders (exchanges 074, 075). */
export const NO_ORDER_ACCESS =
  "You are not allowed to access 'Production Order' (mrp.production) records.\n\nThis operation is allowed for the following groups:\n\t- Inventory/User\n\t- Manufacturing/Administrator\n\t- Manufacturing/User\n\nContact your administrator to request access if necessary.";

/** Recorded refusal of the version route (exchange 006). */
export const NO_MODULE_ACCESS =
  "You are not allowed to access 'Module' (ir.module.module) records.\n\nThis operation is allowed for the following groups:\n\t- Administration/Settings\n\nContact your administrator to request access if necessary.";

/** The wording is ours: that a user without the manager right gets an error is recorded, its text is not. */
export const NO_LOG_ACCESS =
  "You are not allowed to create 'SCADA API Log' (scada.api.log) records.\n\nThis operation is allowed for the following groups:\n\t- SCADA/Manager\n\nContact your administrator to request access if necessary.";

/** An equipment as the addon's read routes show it; empty text is `false` there (exchange 065). */
export function equipmentJson(equipment: Equipment | null): Record<string, unknown> | null {
  if (!equipment) return null;
  const plc = equipment.type === 'plc';
  return {
    id: equipment.id,
    code: equipment.code,
    name: equipment.name,
    equipment_type: equipment.type,
    manufacturer: plc && 'OMRON',
    model_number: plc && 'CP2E-N20DT-D',
    serial_number: false,
    ip_address: plc && '192.168.1.100',
    port: plc ? 502 : 0,
    protocol: plc ? 'modbus' : 'middleware',
    is_active: true,
    connection_status: 'disconnected',
    sync_status: 'pending',
    last_connected: null,
  };
}

/** What `/web/session/authenticate` answers (exchange 310). */
export function sessionInfo(user: SimulatedUser, db: string, url: string): Record<string, unknown> {
  const admin = user.role === 'admin';
  return {
    uid: user.uid,
    is_system: admin,
    is_admin: admin,
    user_context: { lang: 'en_US', tz: false, uid: user.uid },
    db,
    server_version: '14.0',
    server_version_info: SERVER_VERSION_INFO,
    name: user.login,
    username: user.login,
    partner_display_name: user.login,
    company_id: 1,
    partner_id: user.uid + 1,
    'web.base.url': url,
    active_ids_limit: 20000,
    user_companies: { current_company: [1, 'My Company'], allowed_companies: [[1, 'My Company']] },
    currencies: {
      1: { symbol: '€', position: 'after', digits: [69, 2] },
      2: { symbol: '$', position: 'before', digits: [69, 2] },
    },
    show_effect: 'True',
    display_switch_company_menu: false,
    cache_hashes: { load_menus: '0'.repeat(64), qweb: '0'.repeat(64), translations: '0'.repeat(40) },
    user_id: [user.uid],
    max_time_between_keys_in_ms: 55,
    notification_type: 'email',
    odoobot_initialized: false,
  };
}

export const SERVER_VERSION_INFO = [14, 0, 0, 'final', 0, ''] as const;

/** The wizards that `button_mark_done` answers with instead of `true` (exchanges 290 and 296). */
export function wizard(
  kind: 'consumption' | 'backorder',
  orderIds: number[],
  lines: unknown[],
): Record<string, unknown> {
  const consumption = kind === 'consumption';
  const name = consumption ? 'Consumption Warning' : 'You produced less than initial demand';
  return {
    id: consumption ? 257 : 256,
    name,
    type: 'ir.actions.act_window',
    view_id: false,
    domain: false,
    context: {
      button_mark_done_production_ids: orderIds,
      default_mrp_production_ids: orderIds,
      [consumption ? 'default_mrp_consumption_warning_line_ids' : 'default_mrp_production_backorder_line_ids']: lines,
    },
    res_id: 0,
    res_model: consumption ? 'mrp.consumption.warning' : 'mrp.production.backorder',
    target: 'new',
    view_mode: 'form',
    views: [[false, 'form']],
    limit: 80,
    groups_id: [],
    search_view_id: false,
    filter: false,
    search_view: '',
    xml_id: consumption ? 'mrp.action_mrp_consumption_warning' : 'mrp.action_mrp_production_backorder',
    help: false,
    binding_model_id: false,
    binding_type: 'action',
    binding_view_types: 'list,form',
    display_name: name,
  };
}
