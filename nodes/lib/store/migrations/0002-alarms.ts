/** Frozen: it was released as it stands. What changes is another migration. */
export const sql = `
CREATE TABLE IF NOT EXISTS mo_batch (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), batch_no int, mo_id varchar(64), consumption numeric(18,3), equipment_id_batch varchar(64) NOT NULL DEFAULT '', finished_goods varchar(128), silo_a int DEFAULT 101, component_silo_a_name varchar(64), consumption_silo_a float8, actual_consumption_silo_a float8, silo_b int DEFAULT 102, component_silo_b_name varchar(64), consumption_silo_b float8, actual_consumption_silo_b float8, silo_c int DEFAULT 103, component_silo_c_name varchar(64), consumption_silo_c float8, actual_consumption_silo_c float8, silo_d int DEFAULT 104, component_silo_d_name varchar(64), consumption_silo_d float8, actual_consumption_silo_d float8, silo_e int DEFAULT 105, component_silo_e_name varchar(64), consumption_silo_e float8, actual_consumption_silo_e float8, silo_f int DEFAULT 106, component_silo_f_name varchar(64), consumption_silo_f float8, actual_consumption_silo_f float8, silo_g int DEFAULT 107, component_silo_g_name varchar(64), consumption_silo_g float8, actual_consumption_silo_g float8, silo_h int DEFAULT 108, component_silo_h_name varchar(64), consumption_silo_h float8, actual_consumption_silo_h float8, silo_i int DEFAULT 109, component_silo_i_name varchar(64), consumption_silo_i float8, actual_consumption_silo_i float8, silo_j int DEFAULT 110, component_silo_j_name varchar(64), consumption_silo_j float8, actual_consumption_silo_j float8, silo_k int DEFAULT 111, component_silo_k_name varchar(64), consumption_silo_k float8, actual_consumption_silo_k float8, silo_l int DEFAULT 112, component_silo_l_name varchar(64), consumption_silo_l float8, actual_consumption_silo_l float8, silo_m int DEFAULT 113, component_silo_m_name varchar(64), consumption_silo_m float8, actual_consumption_silo_m float8, lq114 int DEFAULT 114, component_lq_tetes_name varchar(64), consumption_lq_tetes float8, actual_consumption_lq_tetes float8, lq115 int DEFAULT 115, component_lq_fml_name varchar(64), consumption_lq_fml float8, actual_consumption_lq_fml float8, status_manufacturing bool DEFAULT false, status_operation bool DEFAULT false, actual_weight_quantity_finished_goods numeric(18,3), last_read_from_plc timestamptz, revision int8 NOT NULL DEFAULT 0, confirmed_revision int8, last_plc_reading jsonb, sent_consumption jsonb, confirmed_consumption jsonb, done_readback jsonb, attempts int NOT NULL DEFAULT 0, last_conclusion varchar(32), last_reason text, last_attempt_at timestamptz, set_aside_at timestamptz, set_aside_reason text, duplicate bool NOT NULL DEFAULT false, queued_at timestamptz, completed_at timestamptz, update_odoo bool DEFAULT false, odoo_cancelled bool DEFAULT false, next_attempt_at timestamptz, lease_owner uuid, lease_until timestamptz, lease_confirmed int8, unconfirmed_since timestamptz);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS id uuid PRIMARY KEY DEFAULT gen_random_uuid();
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS batch_no int;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS mo_id varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption numeric(18,3);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS equipment_id_batch varchar(64) NOT NULL DEFAULT '';
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS finished_goods varchar(128);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_a int DEFAULT 101;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_a_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_a float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_a float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_b int DEFAULT 102;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_b_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_b float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_b float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_c int DEFAULT 103;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_c_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_c float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_c float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_d int DEFAULT 104;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_d_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_d float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_d float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_e int DEFAULT 105;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_e_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_e float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_e float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_f int DEFAULT 106;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_f_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_f float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_f float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_g int DEFAULT 107;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_g_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_g float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_g float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_h int DEFAULT 108;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_h_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_h float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_h float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_i int DEFAULT 109;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_i_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_i float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_i float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_j int DEFAULT 110;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_j_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_j float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_j float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_k int DEFAULT 111;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_k_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_k float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_k float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_l int DEFAULT 112;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_l_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_l float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_l float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS silo_m int DEFAULT 113;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_silo_m_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_silo_m float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_silo_m float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS lq114 int DEFAULT 114;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_lq_tetes_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_lq_tetes float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_lq_tetes float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS lq115 int DEFAULT 115;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS component_lq_fml_name varchar(64);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS consumption_lq_fml float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_consumption_lq_fml float8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS status_manufacturing bool DEFAULT false;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS status_operation bool DEFAULT false;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS actual_weight_quantity_finished_goods numeric(18,3);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS last_read_from_plc timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS revision int8 NOT NULL DEFAULT 0;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS confirmed_revision int8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS last_plc_reading jsonb;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS sent_consumption jsonb;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS confirmed_consumption jsonb;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS done_readback jsonb;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS attempts int NOT NULL DEFAULT 0;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS last_conclusion varchar(32);
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS last_reason text;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS last_attempt_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS set_aside_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS set_aside_reason text;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS duplicate bool NOT NULL DEFAULT false;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS queued_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS completed_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS update_odoo bool DEFAULT false;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS odoo_cancelled bool DEFAULT false;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS next_attempt_at timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS lease_owner uuid;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS lease_until timestamptz;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS lease_confirmed int8;
ALTER TABLE mo_batch ADD COLUMN IF NOT EXISTS unconfirmed_since timestamptz;
CREATE TABLE IF NOT EXISTS mo_alarms (watch text NOT NULL, kind varchar(32) NOT NULL, subject text NOT NULL, mo_id varchar(64), line varchar(64) NOT NULL DEFAULT '', slot int, since timestamptz NOT NULL, reason text);
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS watch text NOT NULL;
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS kind varchar(32) NOT NULL;
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS subject text NOT NULL;
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS mo_id varchar(64);
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS line varchar(64) NOT NULL DEFAULT '';
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS slot int;
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS since timestamptz NOT NULL;
ALTER TABLE mo_alarms ADD COLUMN IF NOT EXISTS reason text;
CREATE UNIQUE INDEX IF NOT EXISTS mo_alarms_once ON mo_alarms (watch, kind, subject);
       CREATE INDEX IF NOT EXISTS mo_histories_archived_at ON mo_histories (archived_at);

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
        jsonb_strip_nulls(jsonb_build_object('actual_consumption_silo_a', NEW.actual_consumption_silo_a, 'actual_consumption_silo_b', NEW.actual_consumption_silo_b, 'actual_consumption_silo_c', NEW.actual_consumption_silo_c, 'actual_consumption_silo_d', NEW.actual_consumption_silo_d, 'actual_consumption_silo_e', NEW.actual_consumption_silo_e, 'actual_consumption_silo_f', NEW.actual_consumption_silo_f, 'actual_consumption_silo_g', NEW.actual_consumption_silo_g, 'actual_consumption_silo_h', NEW.actual_consumption_silo_h, 'actual_consumption_silo_i', NEW.actual_consumption_silo_i, 'actual_consumption_silo_j', NEW.actual_consumption_silo_j, 'actual_consumption_silo_k', NEW.actual_consumption_silo_k, 'actual_consumption_silo_l', NEW.actual_consumption_silo_l, 'actual_consumption_silo_m', NEW.actual_consumption_silo_m, 'actual_consumption_lq_tetes', NEW.actual_consumption_lq_tetes, 'actual_consumption_lq_fml', NEW.actual_consumption_lq_fml, 'actual_weight_quantity_finished_goods', NEW.actual_weight_quantity_finished_goods, 'status_manufacturing', NEW.status_manufacturing)))
      || CASE WHEN TG_OP = 'UPDATE' AND NEW.mo_id IS DISTINCT FROM OLD.mo_id THEN jsonb_build_object('renamed_from', OLD.mo_id) ELSE '{}' END);
  END IF;
  RETURN NULL;
END $changed$;

CREATE OR REPLACE TRIGGER mo_batch_guard BEFORE INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_guard();
CREATE OR REPLACE TRIGGER mo_batch_changed AFTER INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_changed();

UPDATE mo_batch SET unconfirmed_since = now()
  WHERE revision > 0 AND confirmed_revision IS DISTINCT FROM revision AND set_aside_at IS NULL AND unconfirmed_since IS NULL;
`;
