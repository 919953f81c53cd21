/** What any plant needs: orders that are handed over to the PLC. */
export const sql = `
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS handed_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS handed_slot int;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS handed_area varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS ready_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS taken_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS hand_back varchar(16);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS handover_problem varchar(32);
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS handed_at timestamptz;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS handed_slot int;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS handed_area varchar(64);
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS ready_at timestamptz;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS taken_at timestamptz;
CREATE UNIQUE INDEX IF NOT EXISTS mo_batch_order_slot ON mo_batch (handed_area, handed_slot) WHERE handed_slot IS NOT NULL;
CREATE TABLE IF NOT EXISTS mo_order_areas (line varchar(64) PRIMARY KEY, owner uuid NOT NULL, until timestamptz NOT NULL);

-- What an order tells the PLC.
CREATE OR REPLACE FUNCTION mo_told_to_plc(batch jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $told$
  SELECT jsonb_object_agg(key, value) FROM jsonb_each(batch)
  WHERE key ~ '^(mo_id|batch_no|finished_goods|component_.*_name|consumption|consumption_.*|more_component_names|more_consumption)$'
$told$;

-- An order in a slot whose plan changes, by whomever, is to be fetched back from there before the PLC takes it.
CREATE OR REPLACE FUNCTION mo_batch_handed() RETURNS trigger LANGUAGE plpgsql AS $handed$
BEGIN
  IF NEW.handed_slot IS NOT NULL AND NEW.taken_at IS NULL AND NEW.hand_back IS NULL
    AND mo_told_to_plc(to_jsonb(NEW)) IS DISTINCT FROM mo_told_to_plc(to_jsonb(OLD)) THEN
    NEW.hand_back := 'plan';
  END IF;
  RETURN NEW;
END $handed$;
CREATE OR REPLACE TRIGGER mo_batch_c_handed BEFORE UPDATE ON mo_batch
  FOR EACH ROW WHEN (OLD.handed_slot IS NOT NULL) EXECUTE FUNCTION mo_batch_handed();
`;
