/**
 * What a person is asked: slots that are refused now, what a person said of a reading, and alarms that were sent; and the
 * silos that people add to the fifteen: in JSON beside their columns, by tag.
 */
export const sql = `
CREATE TABLE IF NOT EXISTS mo_rejected_slots (line varchar(64) NOT NULL, source varchar(128) NOT NULL, slot int NOT NULL, mo_id varchar(64), problems jsonb NOT NULL, raw text NOT NULL DEFAULT '', since timestamptz NOT NULL DEFAULT clock_timestamp());
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS line varchar(64) NOT NULL;
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS source varchar(128) NOT NULL;
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS slot int NOT NULL;
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS mo_id varchar(64);
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS problems jsonb NOT NULL;
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS raw text NOT NULL DEFAULT '';
ALTER TABLE mo_rejected_slots ADD COLUMN IF NOT EXISTS since timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE UNIQUE INDEX IF NOT EXISTS mo_rejected_slots_once ON mo_rejected_slots (line, source, slot);
ALTER TABLE mo_discarded_readings ADD COLUMN IF NOT EXISTS belongs_to varchar(64);
-- What is open when they come was told.
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS told_at timestamptz DEFAULT clock_timestamp();
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS sending_until timestamptz;
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS ended_at timestamptz;

ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS more_component_names jsonb NOT NULL DEFAULT '{}';
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS more_consumption jsonb NOT NULL DEFAULT '{}';
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS more_actual_consumption jsonb NOT NULL DEFAULT '{}';
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS more_component_names jsonb NOT NULL DEFAULT '{}';
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS more_consumption jsonb NOT NULL DEFAULT '{}';
ALTER TABLE mo_histories ADD COLUMN IF NOT EXISTS more_actual_consumption jsonb NOT NULL DEFAULT '{}';

-- What SQL by hand writes there: values of this kind, under tags of silos that have no column of their own.
CREATE OR REPLACE FUNCTION mo_more_silos(told jsonb, kind text) RETURNS bool LANGUAGE sql IMMUTABLE AS $more$
  SELECT jsonb_typeof(told) = 'object' AND NOT EXISTS (SELECT FROM jsonb_each(CASE WHEN jsonb_typeof(told) = 'object' THEN told ELSE '{}' END)
    WHERE jsonb_typeof(value) <> kind OR key !~ '^[a-z][a-z0-9_]{0,30}$' OR key ~ '^(silo_[a-m]|lq_tetes|lq_fml)$')
$more$;
ALTER TABLE mo_batch DROP CONSTRAINT IF EXISTS mo_batch_more_silos;
ALTER TABLE mo_batch ADD CONSTRAINT mo_batch_more_silos CHECK (mo_more_silos(more_component_names, 'string')
  AND mo_more_silos(more_consumption, 'number') AND mo_more_silos(more_actual_consumption, 'number'));

-- What a row weighs on one silo, wherever it keeps it.
CREATE OR REPLACE FUNCTION mo_actual(told jsonb, tag text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $actual$
  SELECT coalesce(told->('actual_consumption_' || tag), told->'more_actual_consumption'->tag)
$actual$;

-- A pending call without the values that the new row tells otherwise than the old one, by a reading or by SQL.
CREATE OR REPLACE FUNCTION mo_pending_untold(pending jsonb, old jsonb, new jsonb) RETURNS jsonb LANGUAGE sql AS $untold$
  SELECT mo_pending_settled(pending, jsonb_build_object('consumption', coalesce((
      SELECT jsonb_object_agg(key, true) FROM jsonb_object_keys(pending->'consumption') AS key
      WHERE mo_actual(new, key) IS DISTINCT FROM mo_actual(old, key)
        OR new#>ARRAY['last_plc_reading', 'consumption', key] IS DISTINCT FROM old#>ARRAY['last_plc_reading', 'consumption', key]), '{}'))
    || CASE WHEN new->'actual_weight_quantity_finished_goods' IS DISTINCT FROM old->'actual_weight_quantity_finished_goods'
        OR new#>'{last_plc_reading,actual_weight_quantity_finished_goods}' IS DISTINCT FROM old#>'{last_plc_reading,actual_weight_quantity_finished_goods}'
        THEN '{"finished": true}' ELSE '{}' END::jsonb
    || CASE WHEN new->'status_manufacturing' IS DISTINCT FROM old->'status_manufacturing' THEN '{"mark_done": true}' ELSE '{}' END::jsonb, NULL)
$untold$;

CREATE OR REPLACE FUNCTION mo_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  NEW.status_manufacturing := coalesce(NEW.status_manufacturing, false);
  NEW.more_component_names := jsonb_strip_nulls(coalesce(NEW.more_component_names, '{}'));
  NEW.more_consumption := jsonb_strip_nulls(coalesce(NEW.more_consumption, '{}'));
  NEW.more_actual_consumption := jsonb_strip_nulls(coalesce(NEW.more_actual_consumption, '{}'));
  IF TG_OP = 'INSERT' THEN
    NEW.id := coalesce(NEW.id, gen_random_uuid());
    NEW.equipment_id_batch := coalesce(NEW.equipment_id_batch, '');
    NEW.queued_at := coalesce(NEW.queued_at, now());
    NEW.confirmed_revision := NULL;
    NEW.revision := CASE WHEN NEW.status_manufacturing OR num_nonnulls(NEW.actual_consumption_silo_a, NEW.actual_consumption_silo_b, NEW.actual_consumption_silo_c, NEW.actual_consumption_silo_d, NEW.actual_consumption_silo_e, NEW.actual_consumption_silo_f, NEW.actual_consumption_silo_g, NEW.actual_consumption_silo_h, NEW.actual_consumption_silo_i, NEW.actual_consumption_silo_j, NEW.actual_consumption_silo_k, NEW.actual_consumption_silo_l, NEW.actual_consumption_silo_m, NEW.actual_consumption_lq_tetes, NEW.actual_consumption_lq_fml, NEW.actual_weight_quantity_finished_goods) > 0 OR NEW.more_actual_consumption <> '{}' THEN 1 ELSE 0 END;
  ELSIF (NEW.actual_consumption_silo_a, NEW.actual_consumption_silo_b, NEW.actual_consumption_silo_c, NEW.actual_consumption_silo_d, NEW.actual_consumption_silo_e, NEW.actual_consumption_silo_f, NEW.actual_consumption_silo_g, NEW.actual_consumption_silo_h, NEW.actual_consumption_silo_i, NEW.actual_consumption_silo_j, NEW.actual_consumption_silo_k, NEW.actual_consumption_silo_l, NEW.actual_consumption_silo_m, NEW.actual_consumption_lq_tetes, NEW.actual_consumption_lq_fml, NEW.actual_weight_quantity_finished_goods, NEW.status_manufacturing, NEW.more_actual_consumption) IS DISTINCT FROM (OLD.actual_consumption_silo_a, OLD.actual_consumption_silo_b, OLD.actual_consumption_silo_c, OLD.actual_consumption_silo_d, OLD.actual_consumption_silo_e, OLD.actual_consumption_silo_f, OLD.actual_consumption_silo_g, OLD.actual_consumption_silo_h, OLD.actual_consumption_silo_i, OLD.actual_consumption_silo_j, OLD.actual_consumption_silo_k, OLD.actual_consumption_silo_l, OLD.actual_consumption_silo_m, OLD.actual_consumption_lq_tetes, OLD.actual_consumption_lq_fml, OLD.actual_weight_quantity_finished_goods, OLD.status_manufacturing, OLD.more_actual_consumption) THEN
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
        jsonb_strip_nulls(jsonb_build_object('actual_consumption_silo_a', NEW.actual_consumption_silo_a, 'actual_consumption_silo_b', NEW.actual_consumption_silo_b, 'actual_consumption_silo_c', NEW.actual_consumption_silo_c, 'actual_consumption_silo_d', NEW.actual_consumption_silo_d, 'actual_consumption_silo_e', NEW.actual_consumption_silo_e, 'actual_consumption_silo_f', NEW.actual_consumption_silo_f, 'actual_consumption_silo_g', NEW.actual_consumption_silo_g, 'actual_consumption_silo_h', NEW.actual_consumption_silo_h, 'actual_consumption_silo_i', NEW.actual_consumption_silo_i, 'actual_consumption_silo_j', NEW.actual_consumption_silo_j, 'actual_consumption_silo_k', NEW.actual_consumption_silo_k, 'actual_consumption_silo_l', NEW.actual_consumption_silo_l, 'actual_consumption_silo_m', NEW.actual_consumption_silo_m, 'actual_consumption_lq_tetes', NEW.actual_consumption_lq_tetes, 'actual_consumption_lq_fml', NEW.actual_consumption_lq_fml, 'actual_weight_quantity_finished_goods', NEW.actual_weight_quantity_finished_goods, 'status_manufacturing', NEW.status_manufacturing))
          || coalesce((SELECT jsonb_object_agg('actual_consumption_' || key, value) FROM jsonb_each(NEW.more_actual_consumption)), '{}'))
      || CASE WHEN TG_OP = 'UPDATE' AND NEW.mo_id IS DISTINCT FROM OLD.mo_id THEN jsonb_build_object('renamed_from', OLD.mo_id) ELSE '{}' END);
  END IF;
  RETURN NULL;
END $changed$;
`;
