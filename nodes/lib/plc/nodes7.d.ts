/** The part of @st-one-io/nodes7 1.1.2 in use, which ships without types. */
declare module '@st-one-io/nodes7' {
  import { EventEmitter } from 'node:events';

  /** An S7ANY item; lengths are in elements of its transport, `address` in bytes (in bits for transport BIT). */
  export interface ReadVarItem {
    area: number;
    db: number;
    transport: number;
    address: number;
    length: number;
  }

  export interface WriteVarItem extends ReadVarItem {
    dataTransport: number;
    data: Buffer;
  }

  export interface ReadVarAnswer {
    returnCode: number;
    transportSize: number;
    data: Buffer;
  }

  export interface S7EndpointOptions {
    host?: string;
    port?: number;
    rack?: number;
    slot?: number;
    /** Instead of rack and slot. */
    srcTSAP?: number;
    dstTSAP?: number;
    /** ms until it connects again; 0: it never connects by itself. */
    autoReconnect?: number;
    s7ConnOpts?: {
      /** ms for one request; the connection is given up after it. */
      timeout?: number;
      maxJobs?: number;
      maxPDUSize?: number;
    };
  }

  /** Emits connect, disconnect, error (Error) and pdu-size. */
  export class S7Endpoint extends EventEmitter {
    constructor(options: S7EndpointOptions);
    readonly isConnected: boolean;
    /** Bytes, as negotiated; null before the first connection. */
    readonly pduSize: number | null;
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    /** One request telegram with all the items. */
    readVars(items: ReadVarItem[]): Promise<ReadVarAnswer[]>;
    writeVars(items: WriteVarItem[]): Promise<{ returnCode: number }[]>;
    /** A system status list: its records. */
    getSSL(id: number, index: number): Promise<Buffer[]>;
  }

  export class S7ItemGroup extends EventEmitter {
    constructor(endpoint: S7Endpoint, options?: { skipOptimization?: boolean; optimizationGap?: number });
    addItems(addresses: string | string[]): void;
    readAllItems(): Promise<Record<string, unknown>>;
    writeItems(addresses: string | string[], values: unknown): Promise<void>;
    destroy(): void;
  }
}
