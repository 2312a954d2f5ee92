-- Campaigns at a time, within a window, spread out, and again and again.

ALTER TABLE campaign
    DROP CONSTRAINT campaign_state_check,
    ADD CONSTRAINT campaign_state_check CHECK (state IN ('draft', 'reviewing', 'rejected',
        'scheduled', 'planning', 'sending', 'paused', 'completed', 'cancelled', 'failed')),
    -- the time that was asked for; null: as soon as it is started
    ADD COLUMN scheduled_at timestamptz,
    -- when the start is due: that time, or a later one when it was postponed; lateness counts from it
    ADD COLUMN due_at timestamptz,
    ADD COLUMN late_minutes integer NOT NULL DEFAULT 60
        CHECK (late_minutes BETWEEN 0 AND 10080),
    -- why the start was late, or postponed; it stays
    ADD COLUMN late_reason text NOT NULL DEFAULT '',
    ADD COLUMN late_rule text NOT NULL DEFAULT 'window'
        CHECK (late_rule IN ('go', 'window', 'cancel')),
    -- local times of the workspace; until the same or an earlier time: of the following day
    ADD COLUMN window_from time,
    ADD COLUMN window_until time,
    ADD COLUMN window_days smallint[] NOT NULL DEFAULT '{1,2,3,4,5,6,7}'
        CHECK (cardinality(window_days) > 0 AND window_days <@ '{1,2,3,4,5,6,7}'),
    ADD COLUMN spread_minutes integer NOT NULL DEFAULT 0
        CHECK (spread_minutes BETWEEN 0 AND 10080),
    ADD CONSTRAINT campaign_window_has_two_ends
        CHECK ((window_from IS NULL) = (window_until IS NULL)),
    ADD CONSTRAINT campaign_scheduled_has_time CHECK (state <> 'scheduled' OR due_at IS NOT NULL);
CREATE INDEX campaign_due ON campaign (due_at) WHERE state = 'scheduled';
GRANT DELETE ON campaign TO textwave_web;

-- A campaign that is made anew at each of its times.
CREATE TABLE recurrence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    draft jsonb NOT NULL,
    rhythm jsonb NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    max_runs integer CHECK (max_runs > 0),
    refresh_audience boolean NOT NULL DEFAULT true,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'ended')),
    next_run_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name),
    CHECK ((state = 'active') = (next_run_at IS NOT NULL))
);
CREATE INDEX recurrence_due ON recurrence (next_run_at) WHERE next_run_at IS NOT NULL;

ALTER TABLE campaign
    ADD COLUMN recurrence_id bigint REFERENCES recurrence ON DELETE SET NULL;
CREATE INDEX campaign_of_recurrence ON campaign (recurrence_id) WHERE recurrence_id IS NOT NULL;

-- What became of each time; begins_at is later than due_at when it was postponed.
CREATE TABLE recurrence_run (
    recurrence_id bigint NOT NULL REFERENCES recurrence ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    workspace_id bigint NOT NULL REFERENCES workspace,
    begins_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'refreshing', 'started', 'skipped')),
    reason text NOT NULL DEFAULT '',
    campaign_id bigint REFERENCES campaign ON DELETE SET NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (recurrence_id, due_at)
);
CREATE INDEX recurrence_run_open ON recurrence_run (begins_at)
    WHERE state IN ('planned', 'refreshing');
CREATE INDEX recurrence_run_campaign ON recurrence_run (campaign_id)
    WHERE campaign_id IS NOT NULL;

ALTER TABLE recurrence ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON recurrence TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
ALTER TABLE recurrence_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON recurrence_run TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT, UPDATE, DELETE ON recurrence TO textwave_web;
GRANT SELECT ON recurrence_run TO textwave_web;
