/** What the edges of the main path need: an order is its id in Odoo. */
export const sql = `
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS odoo_id int;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS odoo_name text;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS odoo_id int;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS odoo_name text;

ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS ever_sent jsonb;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS closing_collisions int NOT NULL DEFAULT 0;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS closing_since timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS close_anyway int8;
CREATE TABLE IF NOT EXISTS mo_closings (owner uuid PRIMARY KEY, odoo text NOT NULL, ticket int8 GENERATED ALWAYS AS IDENTITY, until timestamptz NOT NULL);

ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS refusals int NOT NULL DEFAULT 0;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS failing_since timestamptz;
`;
