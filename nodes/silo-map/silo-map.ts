import type { NodeAPI, NodeDef } from 'node-red';
import type { SiloMapNode } from '../lib/config-nodes';
import { type Silo, SiloMap } from '../lib/domain/silos';

interface Config extends NodeDef {
  silos: Silo[];
}

export = function (RED: NodeAPI) {
  RED.nodes.registerType('silo-map', function (this: SiloMapNode, config: Config) {
    RED.nodes.createNode(this, config);
    this.map = () => new SiloMap(config.silos?.length ? config.silos : undefined);
  });
};
