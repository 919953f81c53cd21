import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CookieJar } from '../../../nodes/lib/odoo/cookies';

const URL_ = new URL('https://odoo.example/api/scada/mo-detail');
const DATE = 'Fri, 27 Nov 2026 22:00:00 GMT';

const CASES: [what: string, lines: string[], given: string[], at?: string][] = [
  ['a cookie of a balancer', ['AWSALB=abc/+=; Expires=Fri, 04 Dec 2026 22:00:00 GMT; Path=/'], ['AWSALB=abc/+=']],
  ['several, HttpOnly and SameSite or not', ['a=1; path=/; HttpOnly; SameSite=None', 'b=2;Path=/'], ['a=1', 'b=2']],
  ['a new value', ['SERVERID=s1; path=/', 'SERVERID=s2; path=/'], ['SERVERID=s2']],
  ['an empty value', ['a=; path=/'], ['a=']],
  ['a value with blanks around and quotes', [' a = "x" ; path=/'], ['a="x"']],
  ['one that is taken back by Max-Age', ['a=1; path=/', 'a=1; path=/; Max-Age=0'], []],
  ['one that is taken back by Expires', ['a=1; path=/', 'a=; path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], []],
  ['Max-Age before Expires', ['a=1; Max-Age=60; Expires=Thu, 01-Jan-1970 00:00:00 GMT; path=/'], ['a=1']],
  ['an end in the server’s own time', ['a=1; Expires=Fri, 27-Nov-2026 22:01:00 GMT; path=/'], ['a=1']],
  ['an end in the server’s past', ['a=1; Expires=Fri, 27 Nov 2026 21:59:00 GMT; path=/'], []],
  ['of another path', ['a=1; Path=/shop'], []],
  ['of this path, the longer one first', ['a=1; Path=/', 'b=2; Path=/api'], ['b=2', 'a=1']],
  ['of a path that only begins alike', ['a=1; Path=/ap'], []],
  ['without a path: that of the request', ['a=1'], ['a=1']],
  ['without a path: not elsewhere', ['a=1'], [], 'https://odoo.example/web/session/authenticate'],
  ['secure, on https', ['a=1; Path=/; Secure'], ['a=1']],
  ['secure, not on http', ['a=1; Path=/; Secure'], [], 'http://odoo.example/api/scada/x'],
  ['of this domain', ['a=1; Domain=.example; Path=/', 'b=2; Domain=odoo.example; Path=/'], ['a=1', 'b=2']],
  ['of another domain', ['a=1; Domain=evil.example; Path=/', 'b=2; Domain=doo.example; Path=/'], []],
  ['no cookie at all', ['', ';', '=x', 'nothing'], []],
  ['one beyond any browser’s limit', [`a=${'x'.repeat(5000)}; path=/`], []],
];
for (const [what, lines, given, at] of CASES) {
  test(`given back as a browser would: ${what}`, () => {
    const jar = new CookieJar(() => 0);
    jar.store(lines, URL_, DATE);
    assert.deepEqual(jar.for(at ? new URL(at) : URL_), given);
  });
}

test('a cookie ends when its time is over', () => {
  let now = 0;
  const jar = new CookieJar(() => now);
  jar.store(['a=1; Max-Age=60; Path=/'], URL_);
  now = 59_999;
  assert.deepEqual(jar.for(URL_), ['a=1']);
  now = 60_000;
  assert.deepEqual(jar.for(URL_), []);
});

test('a server that sends a new one with each answer fills nothing', () => {
  const jar = new CookieJar(() => 0);
  for (let n = 0; n < 1000; n += 1) jar.store([`c${n}=1; Path=/`], URL_);
  assert.deepEqual([jar.for(URL_).length, jar.for(URL_).at(-1)], [50, 'c999=1']);
});
