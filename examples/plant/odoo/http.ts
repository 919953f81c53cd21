/** HTTP requests and answers of the simulated Odoo, and its pages when something is broken. */
import { isObject, parseJson } from './python';
import type { Params } from './python';

export interface HttpRequest {
  method: string;
  path: string;
  contentType: string;
  cookie: string | undefined;
  /** The headers `Authorization` and `X-Odoo-Database`. */
  authorization?: string | undefined;
  database?: string | undefined;
  body: string;
  /** The client's network address. */
  address: string;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export const HTML = 'text/html; charset=utf-8';

export function htmlPage(
  status: number,
  title: string,
  text: string,
  headers: Record<string, string> = {},
): HttpAnswer {
  const body = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`;
  return { status, headers: { 'Content-Type': HTML, ...headers }, body };
}

/** The page of an Odoo that broke (exchange 330). */
export const internalError = (): HttpAnswer =>
  htmlPage(
    500,
    'Internal Server Error',
    'The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.',
  );

/** The page of a proxy in front of an Odoo that is gone. */
export const badGateway = (): HttpAnswer => ({
  status: 502,
  headers: { 'Content-Type': 'text/html' },
  body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
});

/** The JSON body as far as it can be read; undefined when it is no JSON object. For logs and for finding the order. */
export function readBody(text: string): Params | undefined {
  try {
    const body = parseJson(text);
    return isObject(body) ? body : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // answered with 400 by `answer`
    throw error;
  }
}
