/**
 * Whether a request left this machine: until its connection is made, or its TLS handshake is over, no byte of it has.
 */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';

export class Departure {
  /** Bytes of the request may have reached the other side. */
  left = false;

  /** What axios makes its requests with. Of a request that is redirected the last one counts: a redirect takes nothing. */
  readonly transport = {
    request: (options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest => {
      this.left = false;
      const secure = options.protocol === 'https:';
      const request = (secure ? https : http).request(options, onAnswer);
      request.on('socket', (socket) => {
        const depart = (): void => void (this.left = true);
        if (request.reusedSocket) depart();
        else socket.once(secure ? 'secureConnect' : 'connect', depart);
      });
      return request;
    },
  };
}
