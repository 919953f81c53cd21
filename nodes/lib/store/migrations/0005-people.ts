/** What a person is asked: slots that are refused now, what a person said of a reading, and alarms that were sent. */
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
`;
