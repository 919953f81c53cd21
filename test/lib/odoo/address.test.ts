import assert from 'node:assert/strict';
import { test } from 'node:test';
import { odooAddress } from '../../../nodes/lib/odoo/address';

const MENDED: [entered: string, url: string, database?: string][] = [
  ['http://odoo.example:8069', 'http://odoo.example:8069'],
  ['https://odoo.example', 'https://odoo.example'],
  ['https://odoo.example/', 'https://odoo.example'],
  ['https://odoo.example///', 'https://odoo.example'],
  ['  http://odoo.example:8069 \n', 'http://odoo.example:8069'],
  ['\u00a0http://odoo.example:8069\ufeff', 'http://odoo.example:8069'],
  ['HTTP://Odoo.Example:8069', 'http://odoo.example:8069'],
  ['HTTPS://odoo.example/web', 'https://odoo.example'],
  ['https://odoo.example:443', 'https://odoo.example'],
  ['http:/odoo.example:8069', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/web', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/web/', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/web/login', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/web/login?redirect=%2Fweb%3F', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/web?db=odoo14#action=120&model=mrp.production', 'http://odoo.example:8069', 'odoo14'],
  ['http://odoo.example:8069/web#action=120&menu_id=84', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/web/database/selector', 'http://odoo.example:8069'],
  ['http://odoo.example:8069/?db=odoo14', 'http://odoo.example:8069', 'odoo14'],
  ['http://odoo.example:8069?db=odoo14', 'http://odoo.example:8069', 'odoo14'],
  ['https://odoo.example/odoo', 'https://odoo.example'],
  ['https://odoo.example/odoo/action-120/7', 'https://odoo.example'],
  ['https://odoo.example/jsonrpc', 'https://odoo.example'],
  ['https://odoo.example/xmlrpc/2/common', 'https://odoo.example'],
  ['https://odoo.example/api/scada/authenticate', 'https://odoo.example'],
  ['https://plant.example/erp', 'https://plant.example/erp'],
  ['https://plant.example/erp/', 'https://plant.example/erp'],
  ['https://plant.example/erp/web/login', 'https://plant.example/erp'],
  ['https://plant.example/odoo/web', 'https://plant.example/odoo'],
  ['https://plant.example/webshop', 'https://plant.example/webshop'],
  ['odoo.example:8069', 'http://odoo.example:8069'],
  ['192.168.1.20:8069/web', 'http://192.168.1.20:8069'],
  ['//odoo.example:8069', 'http://odoo.example:8069'],
  ['odoo.example:443', 'https://odoo.example'],
  ['[::1]:8069', 'http://[::1]:8069'],
  ['http://[fd00::20]:8069/web', 'http://[fd00::20]:8069'],
];
for (const [entered, url, database] of MENDED) {
  test(`${JSON.stringify(entered)} is ${url}`, () => {
    assert.deepEqual(odooAddress(entered), { url, ...(database ? { database } : {}) });
  });
}

const REFUSED: [entered: string, problem: string][] = [
  ['', 'blank'],
  [' \t', 'blank'],
  ['odoo.example', 'scheme'],
  ['odoo.example/web', 'scheme'],
  ['odoo.example:8080', 'scheme'],
  ['localhost', 'scheme'],
  ['ftp://odoo.example', 'scheme'],
  ['htp://odoo.example:8069', 'scheme'],
  ['odoo@odoo.example:8069', 'scheme'],
  ['http://', 'malformed'],
  ['http://https://odoo.example', 'malformed'],
  ['http://odoo .example', 'malformed'],
  ['http://odoo.example:80690', 'malformed'],
  ['http://odoo.example:8069 http://other.example', 'malformed'],
  ['http://user:secret@odoo.example', 'user'],
  ['https://user@odoo.example', 'user'],
];
for (const [entered, problem] of REFUSED) {
  test(`${JSON.stringify(entered)} is told, not guessed: ${problem}`, () => {
    assert.deepEqual(odooAddress(entered), { problem });
  });
}
