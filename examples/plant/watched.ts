/** The demo for a person to watch: the plant, Node-RED with the shipped flow and the dashboard, and the page "The plant". */
import { watchedFlow, type Timers } from './demo-flow';
import { KeptNodeRed } from './kept-node-red';
import { startPlantPage, type PlantPage } from './page/plant-page';
import { startPlant, type Plant, type PlantOptions } from './plant';

export interface WatchedOptions {
  plant: PlantOptions;
  timers: Timers;
  /** Of Node-RED; the next free one where it is taken. */
  port?: number;
  /** What Node-RED logs once its flows run. */
  onLine?: (line: string) => void;
}

export interface Watched {
  plant: Plant;
  nodeRed: KeptNodeRed;
  page: PlantPage;
  stop(): Promise<void>;
}

/** Of Node-RED's own: said anew at each start, and nobody's business in a demo. */
const CHATTER =
  /^\s*$|Welcome to Node-RED|^=+$|\[(info|warn)\] (Node-RED version|Node\.js +version|Linux|Darwin|Windows|Loading palette|Settings file|Context store|User directory|Projects disabled|Flows file|Server now running|Using unencrypted|Start|\[ui-base:)/;

/** @throws Error with Node-RED's log when it does not start */
export async function startWatched({ plant: options, timers, port = 0, onLine }: WatchedOptions): Promise<Watched> {
  const plant = await startPlant(options);
  let nodeRed: KeptNodeRed | undefined;
  try {
    nodeRed = await KeptNodeRed.start({
      ...watchedFlow(plant, timers),
      port,
      onLine: (line) => void (CHATTER.test(line) || onLine?.(line)),
    });
    const page = await startPlantPage({ plant, nodeRed });
    const stop = async (): Promise<void> => {
      await page.stop();
      await nodeRed?.stop();
      await plant.stop();
    };
    return { plant, nodeRed, page, stop };
  } catch (error) {
    await nodeRed?.stop();
    await plant.stop();
    throw error;
  }
}
