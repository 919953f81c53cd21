/** A page of Dashboard 2 without a browser: its socket alone, by HTTP long polling (Engine.IO 4 below Socket.IO 5). */

export interface DashboardPage {
  /** What a widget of the page sends to its node. */
  send(widget: string, msg: object): Promise<void>;
  /** The next message for a widget that fits, of those that nobody has asked for yet. */
  receives<T>(widget: string, fits?: (msg: T) => boolean): Promise<T>;
  close(): Promise<void>;
}

/** Between packets of one answer. */
const SEPARATOR = '\x1e';
const PATIENCE = 30_000;

/** Opens a page. @param url of Node-RED */
export async function openDashboard(url: string): Promise<DashboardPage> {
  const address = `${url}/dashboard/socket.io/?EIO=4&transport=polling`;
  const opened = (await (await fetch(address)).text()).slice(1);
  const session = `${address}&sid=${(JSON.parse(opened) as { sid: string }).sid}`;
  const post = async (packet: string): Promise<void> => {
    const { status } = await fetch(session, { method: 'POST', body: packet });
    if (status !== 200) throw new Error(`the dashboard refused a packet: HTTP ${status}`);
  };
  await post('40');
  const events: [event: string, msg: unknown][] = [];

  const poll = async (signal: AbortSignal): Promise<void> => {
    const packets = (await (await fetch(session, { signal })).text()).split(SEPARATOR);
    for (const packet of packets) {
      if (packet === '2') await post('3');
      if (packet.startsWith('42')) events.push(JSON.parse(packet.slice(2)) as [string, unknown]);
    }
  };
  return {
    send: (widget, msg) => post(`42${JSON.stringify(['widget-send', widget, msg])}`),
    receives: async <T>(widget: string, fits: (msg: T) => boolean = () => true): Promise<T> => {
      const signal = AbortSignal.timeout(PATIENCE);
      for (;;) {
        const found = events.findIndex(([event, msg]) => event === `msg-input:${widget}` && fits(msg as T));
        if (found >= 0) return events.splice(found, 1)[0]?.[1] as T;
        await poll(signal);
      }
    },
    close: () => post('1'),
  };
}
