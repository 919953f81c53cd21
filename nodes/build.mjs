// Copies what tsc leaves behind: dialogs, locales and icons, to where Node-RED looks for them (beside each built node).
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

for (const entry of readdirSync('nodes', { withFileTypes: true })) {
  if (!entry.isDirectory() || entry.name === 'lib') continue;
  const [source, target] = [join('nodes', entry.name), join('dist', 'nodes', entry.name)];
  cpSync(source, target, { recursive: true, filter: (path) => !path.endsWith('.ts') });
  const icon = `${entry.name}.svg`;
  if (existsSync(join('icons', icon))) cpSync(join('icons', icon), join(target, 'icons', icon));
}
