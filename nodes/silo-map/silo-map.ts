import type { NodeAPI, NodeDef } from 'node-red';
import { registerDialogCall } from '../lib/node-red/dialog-call';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { SiloMapNode } from '../lib/node-red/config-nodes';
import { type Silo, SiloMap } from '../lib/domain/silos';
import { propose } from './propose';

interface Config extends NodeDef {
  silos: Silo[];
}

export = function (RED: NodeAPI) {
  registerDialogCall(RED, 'silo-map', 'propose', { place: [] }, (values) => propose(RED, values));

  RED.nodes.registerType('silo-map', function (this: SiloMapNode, saved: Config) {
    RED.nodes.createNode(this, saved);
    const config = migrateConfig('silo-map', saved);
    this.map = () => new SiloMap(config.silos?.length ? config.silos : undefined);
  });
};
