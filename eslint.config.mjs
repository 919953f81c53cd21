import tseslint from 'typescript-eslint';

/** Imports point one way: shell → adapter → domain; nodes never import nodes, adapters never see Node-RED. */
const rooms = (files, ...forbidden) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: forbidden.map(([group, message]) => ({ group: [group].flat(), message })) },
    ],
  },
});

export default tseslint.config(
  { ignores: ['dist*/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  rooms(
    ['nodes/lib/domain/**'],
    [['node-red', 'node:*', 'axios', 'pg-promise', '@st-one-io/*'], 'The domain is pure: no I/O.'],
    [
      ['../odoo/*', '../plc/*', '../store/*', '../*.ts', '../node-shell', '../link-state', '../config-nodes'],
      'The domain imports nothing but itself.',
    ],
  ),
  rooms(
    ['nodes/lib/odoo/**'],
    ['node-red', 'Adapters know no Node-RED.'],
    [['../store/*', '../plc/*', '../node-shell', '../config-nodes'], 'Adapters import only the domain.'],
  ),
  rooms(
    ['nodes/lib/plc/**'],
    ['node-red', 'Adapters know no Node-RED.'],
    [['../store/*', '../odoo/*', '../node-shell', '../config-nodes'], 'Adapters import only the domain.'],
  ),
  rooms(
    ['nodes/lib/store/**'],
    ['node-red', 'Adapters know no Node-RED.'],
    [['../odoo/*', '../plc/*', '../node-shell', '../config-nodes'], 'Adapters import only the domain.'],
  ),
  rooms(['nodes/!(lib)/**/*.ts'], [['../!(lib)/**'], 'Nodes never import nodes: what they share is in nodes/lib.']),
  rooms(['examples/plant/{odoo,plc}/**'], [['**/nodes/**'], 'The simulated plant shares no code with the package.']),
);
