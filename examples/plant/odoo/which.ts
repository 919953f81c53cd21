/** Which Odoo the plant has: one with the SCADA addon, or a standard one of a version from 14 to 19. */
import { startSimulatedOdoo } from './simulated-odoo';
import type { SimulatedOdooOptions } from './simulated-odoo';
import type { SimulatedOdoo } from './simulator';
import { startStandardOdoo, VERSIONS } from './standard/standard-odoo';
import type { Version } from './standard/standard-odoo';

export type WhichOdoo = 'addon' | Version;

/** As they are named on a command line. */
export const WHICH: readonly string[] = ['addon', ...VERSIONS.map(String)];

/** @returns undefined when there is none of that name */
export const whichOdoo = (name: string): WhichOdoo | undefined =>
  name === 'addon' ? name : VERSIONS.find((version) => String(version) === name);

type Shared = Pick<SimulatedOdooOptions, 'port' | 'latencyMs' | 'collisions'>;

/** It listens when the promise resolves. @param options where closings of a standard one meet, nothing is lost */
export const startOdoo = (which: WhichOdoo, options: Shared): Promise<SimulatedOdoo> =>
  which === 'addon' ? startSimulatedOdoo(options) : startStandardOdoo({ ...options, version: which });
