-- Months of messages that were moved to the warehouse, and ends for other rows that would only grow.

-- A month's partitions on their way out. A month is sealed, so that what is copied does not change;
-- then its campaigns are copied and compared one by one; then its partitions are dropped.
CREATE TABLE message_month (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    tried_at timestamptz,
    -- what kept it here at the last try: a code of textwave.insights.retention
    held_up text NOT NULL DEFAULT '',
    sealed_at timestamptz,
    dropped_at timestamptz,
    -- its requests, batches and clicks are gone as well
    cleared_at timestamptz,
    CHECK (dropped_at IS NULL OR sealed_at IS NOT NULL),
    CHECK (cleared_at IS NULL OR dropped_at IS NOT NULL)
);
GRANT SELECT ON message_month TO textwave_web;

-- A campaign whose messages and drops the warehouse has: as many, and with the same digests.
CREATE TABLE campaign_history (
    campaign_id bigint PRIMARY KEY REFERENCES campaign,
    workspace_id bigint NOT NULL REFERENCES workspace,
    month date NOT NULL REFERENCES message_month,
    messages bigint NOT NULL,
    drops bigint NOT NULL,
    message_digest numeric NOT NULL,
    drop_digest numeric NOT NULL,
    lake_version bigint NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaign_history_of_month ON campaign_history (month, workspace_id);
ALTER TABLE campaign_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON campaign_history TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT ON campaign_history TO textwave_web;

-- On the partitions of a sealed month: a late receipt or click changes nothing there any more.
CREATE FUNCTION leave_as_it_is() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RETURN NULL; END $$;

-- When the last request was answered, once the requests themselves are gone.
ALTER TABLE campaign_tally ADD COLUMN last_answer_at timestamptz;

-- Old operations may go; what they did stays.
ALTER TABLE import DROP CONSTRAINT import_operation_id_fkey,
    ADD CONSTRAINT import_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES operation
        ON DELETE SET NULL;
CREATE INDEX import_of_operation ON import (operation_id) WHERE operation_id IS NOT NULL;
ALTER TABLE feed DROP CONSTRAINT feed_last_operation_id_fkey,
    ADD CONSTRAINT feed_last_operation_id_fkey FOREIGN KEY (last_operation_id) REFERENCES operation
        ON DELETE SET NULL;
CREATE INDEX feed_of_operation ON feed (last_operation_id) WHERE last_operation_id IS NOT NULL;
