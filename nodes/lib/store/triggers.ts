/**
 * The triggers of the queue: whoever changes a value — a reading, a manual save, SQL by hand —, the revision rises,
 * update_odoo tells the truth, and the change becomes an event.
 */
import { SILO_TAGS } from '../domain/silos';

const WEIGHTS = [...SILO_TAGS.map((tag) => `actual_consumption_${tag}`), 'actual_weight_quantity_finished_goods'];

/** Columns whose value Odoo keeps: a change of any of them raises the revision. */
const VALUES = [...WEIGHTS, 'status_manufacturing'];

const list = (alias: 'NEW' | 'OLD', names: readonly string[]): string =>
  names.map((name) => `${alias}.${name}`).join(', ');

export const TRIGGERS = `
CREATE OR REPLACE FUNCTION mo_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  NEW.status_manufacturing := coalesce(NEW.status_manufacturing, false);
  IF TG_OP = 'INSERT' THEN
    NEW.id := coalesce(NEW.id, gen_random_uuid());
    NEW.equipment_id_batch := coalesce(NEW.equipment_id_batch, '');
    NEW.queued_at := coalesce(NEW.queued_at, now());
    NEW.confirmed_revision := NULL;
    NEW.revision := CASE WHEN NEW.status_manufacturing OR num_nonnulls(${list('NEW', WEIGHTS)}) > 0 THEN 1 ELSE 0 END;
  ELSIF (${list('NEW', VALUES)}) IS DISTINCT FROM (${list('OLD', VALUES)}) THEN
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
    NEW.lease_owner := NULL;
    NEW.lease_until := NULL;
    NEW.lease_confirmed := NULL;
  END IF;
  NEW.completed_at := CASE WHEN NEW.status_manufacturing THEN coalesce(NEW.completed_at, now()) END;
  NEW.update_odoo := NEW.revision > 0 AND NEW.confirmed_revision IS NOT DISTINCT FROM NEW.revision;
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
  IF NEW.revision > 0 AND (TG_OP = 'INSERT' OR NEW.revision <> OLD.revision) THEN
    IF NEW.last_plc_reading IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.last_plc_reading IS DISTINCT FROM OLD.last_plc_reading) THEN
      source := 'plc';
    END IF;
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    VALUES (NEW.mo_id, NEW.id, NEW.equipment_id_batch, 'changed',
      jsonb_build_object('source', source, 'revision', NEW.revision, 'values',
        jsonb_strip_nulls(jsonb_build_object(${VALUES.map((name) => `'${name}', NEW.${name}`).join(', ')})))
      || CASE WHEN TG_OP = 'UPDATE' AND NEW.mo_id IS DISTINCT FROM OLD.mo_id THEN jsonb_build_object('renamed_from', OLD.mo_id) ELSE '{}' END);
  END IF;
  RETURN NULL;
END $changed$;

CREATE OR REPLACE TRIGGER mo_batch_guard BEFORE INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_guard();
CREATE OR REPLACE TRIGGER mo_batch_changed AFTER INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_changed();
`;
