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
-- What calls by hand may have put into Odoo, until it is known: {consumption, finished, mark_done, at}.
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS pending_call jsonb;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS pending_call jsonb;
-- kg of finished goods that were sent last: Odoo keeps them when the row goes back to 0.
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS sent_finished float8;
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS sent_finished float8;
UPDATE mo_batch SET sent_finished = actual_weight_quantity_finished_goods
  WHERE sent_consumption IS NOT NULL AND sent_finished IS NULL AND actual_weight_quantity_finished_goods > 0;

-- A pending call when what was given is settled: it is as before the call there, except for what was settled meanwhile.
CREATE OR REPLACE FUNCTION mo_pending_settled(pending jsonb, given jsonb, earlier jsonb) RETURNS jsonb LANGUAGE sql AS $settled$
  WITH told AS (
    SELECT 'consumption' AS kind, key, value FROM jsonb_each(pending->'consumption') WHERE NOT coalesce(given->'consumption' ? key, false)
    UNION ALL
    SELECT 'consumption', p.key, e.value FROM jsonb_each(pending->'consumption') p JOIN jsonb_each(earlier->'consumption') e ON e.key = p.key
      WHERE given->'consumption' ? p.key
    UNION ALL
    SELECT '', key, value FROM jsonb_each(pending) WHERE key IN ('finished', 'mark_done') AND NOT coalesce(given ? key, false)
    UNION ALL
    SELECT '', p.key, e.value FROM jsonb_each(pending) p JOIN jsonb_each(earlier) e ON e.key = p.key
      WHERE p.key IN ('finished', 'mark_done') AND given ? p.key
  )
  SELECT CASE WHEN count(*) > 0 THEN coalesce(jsonb_object_agg(key, value) FILTER (WHERE kind = ''), '{}')
    || coalesce((SELECT jsonb_build_object('consumption', jsonb_object_agg(key, value)) FROM told WHERE kind <> '' HAVING count(*) > 0), '{}')
    || jsonb_build_object('at', pending->'at') END FROM told
$settled$;

-- A pending call without the values that the new row tells otherwise than the old one, by a reading or by SQL.
CREATE OR REPLACE FUNCTION mo_pending_untold(pending jsonb, old jsonb, new jsonb) RETURNS jsonb LANGUAGE sql AS $untold$
  SELECT mo_pending_settled(pending, jsonb_build_object('consumption', coalesce((
      SELECT jsonb_object_agg(key, true) FROM jsonb_object_keys(pending->'consumption') AS key
      WHERE new->('actual_consumption_' || key) IS DISTINCT FROM old->('actual_consumption_' || key)
        OR new#>ARRAY['last_plc_reading', 'consumption', key] IS DISTINCT FROM old#>ARRAY['last_plc_reading', 'consumption', key]), '{}'))
    || CASE WHEN new->'actual_weight_quantity_finished_goods' IS DISTINCT FROM old->'actual_weight_quantity_finished_goods'
        OR new#>'{last_plc_reading,actual_weight_quantity_finished_goods}' IS DISTINCT FROM old#>'{last_plc_reading,actual_weight_quantity_finished_goods}'
        THEN '{"finished": true}' ELSE '{}' END::jsonb
    || CASE WHEN new->'status_manufacturing' IS DISTINCT FROM old->'status_manufacturing' THEN '{"mark_done": true}' ELSE '{}' END::jsonb, NULL)
$untold$;

ALTER TABLE mo_held_readings ADD COLUMN IF NOT EXISTS reason varchar(32);
ALTER TABLE mo_held_readings ADD COLUMN IF NOT EXISTS weights_of varchar(64);
ALTER TABLE mo_held_readings DROP CONSTRAINT IF EXISTS mo_held_readings_pkey;
ALTER TABLE mo_held_readings ALTER COLUMN mo_id SET NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS mo_held_readings_once ON mo_held_readings (mo_id, (reason IS NULL));
ALTER TABLE mo_lines ADD COLUMN IF NOT EXISTS latest jsonb NOT NULL DEFAULT '{}';
CREATE TABLE IF NOT EXISTS mo_slots (line varchar(64) NOT NULL, source varchar(128) NOT NULL, slot int NOT NULL, mo_id varchar(64) NOT NULL, figures jsonb NOT NULL, counter numeric, acknowledged bool, released bool NOT NULL DEFAULT false, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE UNIQUE INDEX IF NOT EXISTS mo_slots_once ON mo_slots (line, source, slot);
CREATE TABLE IF NOT EXISTS mo_discarded_readings (line varchar(64) NOT NULL, source varchar(128) NOT NULL, slot int NOT NULL, mo_id varchar(64) NOT NULL, figures jsonb NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), decided_by text, note text);
CREATE INDEX IF NOT EXISTS mo_discarded_readings_mo_id ON mo_discarded_readings (mo_id);

CREATE OR REPLACE FUNCTION mo_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  NEW.status_manufacturing := coalesce(NEW.status_manufacturing, false);
  IF TG_OP = 'INSERT' THEN
    NEW.id := coalesce(NEW.id, gen_random_uuid());
    NEW.equipment_id_batch := coalesce(NEW.equipment_id_batch, '');
    NEW.queued_at := coalesce(NEW.queued_at, now());
    NEW.confirmed_revision := NULL;
    NEW.revision := CASE WHEN NEW.status_manufacturing OR num_nonnulls(NEW.actual_consumption_silo_a, NEW.actual_consumption_silo_b, NEW.actual_consumption_silo_c, NEW.actual_consumption_silo_d, NEW.actual_consumption_silo_e, NEW.actual_consumption_silo_f, NEW.actual_consumption_silo_g, NEW.actual_consumption_silo_h, NEW.actual_consumption_silo_i, NEW.actual_consumption_silo_j, NEW.actual_consumption_silo_k, NEW.actual_consumption_silo_l, NEW.actual_consumption_silo_m, NEW.actual_consumption_lq_tetes, NEW.actual_consumption_lq_fml, NEW.actual_weight_quantity_finished_goods) > 0 THEN 1 ELSE 0 END;
  ELSIF (NEW.actual_consumption_silo_a, NEW.actual_consumption_silo_b, NEW.actual_consumption_silo_c, NEW.actual_consumption_silo_d, NEW.actual_consumption_silo_e, NEW.actual_consumption_silo_f, NEW.actual_consumption_silo_g, NEW.actual_consumption_silo_h, NEW.actual_consumption_silo_i, NEW.actual_consumption_silo_j, NEW.actual_consumption_silo_k, NEW.actual_consumption_silo_l, NEW.actual_consumption_silo_m, NEW.actual_consumption_lq_tetes, NEW.actual_consumption_lq_fml, NEW.actual_weight_quantity_finished_goods, NEW.status_manufacturing) IS DISTINCT FROM (OLD.actual_consumption_silo_a, OLD.actual_consumption_silo_b, OLD.actual_consumption_silo_c, OLD.actual_consumption_silo_d, OLD.actual_consumption_silo_e, OLD.actual_consumption_silo_f, OLD.actual_consumption_silo_g, OLD.actual_consumption_silo_h, OLD.actual_consumption_silo_i, OLD.actual_consumption_silo_j, OLD.actual_consumption_silo_k, OLD.actual_consumption_silo_l, OLD.actual_consumption_silo_m, OLD.actual_consumption_lq_tetes, OLD.actual_consumption_lq_fml, OLD.actual_weight_quantity_finished_goods, OLD.status_manufacturing) THEN
    NEW.revision := OLD.revision + 1;
    NEW.done_readback := NULL;
  ELSE
    NEW.revision := OLD.revision;
  END IF;
  -- Under another name nothing of it has been told to Odoo, and a push under way sends to the order of the old name.
  IF TG_OP = 'UPDATE' AND NEW.mo_id IS DISTINCT FROM OLD.mo_id THEN
    IF OLD.revision > 0 THEN NEW.revision := OLD.revision + 1; END IF;
    NEW.confirmed_revision := NULL;
    NEW.done_readback := NULL;
    NEW.sent_consumption := NULL;
    NEW.confirmed_consumption := NULL;
    NEW.sent_finished := NULL;
    NEW.ever_sent := NULL;
    NEW.pending_call := NULL;
    IF NEW.odoo_id IS NOT DISTINCT FROM OLD.odoo_id THEN NEW.odoo_id := NULL; NEW.odoo_name := NULL; END IF;
    NEW.lease_owner := NULL;
    NEW.lease_until := NULL;
    NEW.lease_confirmed := NULL;
  END IF;
  -- A value that is told anew settles what a call by hand may have put into Odoo: the new one goes there.
  IF TG_OP = 'UPDATE' AND NEW.pending_call IS NOT NULL AND NEW.pending_call IS NOT DISTINCT FROM OLD.pending_call THEN
    NEW.pending_call := mo_pending_untold(NEW.pending_call, to_jsonb(OLD), to_jsonb(NEW));
  END IF;
  -- What a call by hand may have put into Odoo is nothing that Odoo has confirmed.
  IF NEW.pending_call IS NOT NULL THEN NEW.confirmed_revision := NULL; END IF;
  NEW.completed_at := CASE WHEN NEW.status_manufacturing THEN coalesce(NEW.completed_at, now()) END;
  NEW.update_odoo := NEW.revision > 0 AND NEW.confirmed_revision IS NOT DISTINCT FROM NEW.revision;
  -- Odoo has the weights, but nobody has seen twice that they are final: a person decides, and the gate opens.
  IF NEW.update_odoo AND NOT NEW.status_manufacturing AND NEW.set_aside_at IS NULL AND NEW.last_plc_reading ? 'seen_once' THEN
    NEW.set_aside_at := now();
    NEW.set_aside_reason := 'completion seen once: the weights were gone at the second read; accept them as the final ones, or discard that completion';
  END IF;
  -- Changes do not start it anew, however often they come; what a person sets free again is late from then on only.
  NEW.unconfirmed_since := CASE WHEN NEW.revision > 0 AND NOT NEW.update_odoo AND NEW.set_aside_at IS NULL
    THEN coalesce(NEW.unconfirmed_since, now()) END;
  RETURN NEW;
END $guard$;

CREATE OR REPLACE FUNCTION mo_batch_changed() RETURNS trigger LANGUAGE plpgsql AS $changed$
DECLARE
  source text := coalesce(nullif(current_setting('mo_bridge.source', true), ''), 'sql');
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    VALUES (NEW.mo_id, NEW.id, NEW.equipment_id_batch, 'queued',
      jsonb_build_object('batch_no', NEW.batch_no, 'consumption', NEW.consumption));
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.set_aside_at IS NULL AND NEW.set_aside_reason LIKE 'completion seen once%' THEN
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    VALUES (NEW.mo_id, NEW.id, NEW.equipment_id_batch, 'set-aside', jsonb_build_object('reason', NEW.set_aside_reason));
  END IF;
  IF NEW.revision > 0 AND (TG_OP = 'INSERT' OR NEW.revision <> OLD.revision) THEN
    IF NEW.last_plc_reading IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.last_plc_reading IS DISTINCT FROM OLD.last_plc_reading) THEN
      source := 'plc';
    END IF;
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    VALUES (NEW.mo_id, NEW.id, NEW.equipment_id_batch, 'changed',
      jsonb_build_object('source', source, 'revision', NEW.revision, 'values',
        jsonb_strip_nulls(jsonb_build_object('actual_consumption_silo_a', NEW.actual_consumption_silo_a, 'actual_consumption_silo_b', NEW.actual_consumption_silo_b, 'actual_consumption_silo_c', NEW.actual_consumption_silo_c, 'actual_consumption_silo_d', NEW.actual_consumption_silo_d, 'actual_consumption_silo_e', NEW.actual_consumption_silo_e, 'actual_consumption_silo_f', NEW.actual_consumption_silo_f, 'actual_consumption_silo_g', NEW.actual_consumption_silo_g, 'actual_consumption_silo_h', NEW.actual_consumption_silo_h, 'actual_consumption_silo_i', NEW.actual_consumption_silo_i, 'actual_consumption_silo_j', NEW.actual_consumption_silo_j, 'actual_consumption_silo_k', NEW.actual_consumption_silo_k, 'actual_consumption_silo_l', NEW.actual_consumption_silo_l, 'actual_consumption_silo_m', NEW.actual_consumption_silo_m, 'actual_consumption_lq_tetes', NEW.actual_consumption_lq_tetes, 'actual_consumption_lq_fml', NEW.actual_consumption_lq_fml, 'actual_weight_quantity_finished_goods', NEW.actual_weight_quantity_finished_goods, 'status_manufacturing', NEW.status_manufacturing)))
      || CASE WHEN TG_OP = 'UPDATE' AND NEW.mo_id IS DISTINCT FROM OLD.mo_id THEN jsonb_build_object('renamed_from', OLD.mo_id) ELSE '{}' END);
  END IF;
  RETURN NULL;
END $changed$;

ALTER TABLE mo_held_readings ADD COLUMN IF NOT EXISTS asks int NOT NULL DEFAULT 0;
ALTER TABLE mo_held_readings ADD COLUMN IF NOT EXISTS asked_at timestamptz;

-- Runs before mo_batch_guard, which looks at set_aside_at.
CREATE OR REPLACE FUNCTION mo_batch_named() RETURNS trigger LANGUAGE plpgsql AS $named$
BEGIN
  IF NEW.mo_id IS NULL AND NEW.set_aside_at IS NULL THEN
    NEW.set_aside_at := now();
    NEW.set_aside_reason := 'has no mo_id: enter it by SQL, or archive the row';
  END IF;
  RETURN NEW;
END $named$;
CREATE OR REPLACE TRIGGER mo_batch_a_named BEFORE INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_named();
`;
