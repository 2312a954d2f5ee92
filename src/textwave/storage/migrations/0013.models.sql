-- Models that put each customer into a class: RFM and AIPL. Scores and labels are in the warehouse.

CREATE TABLE model (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('rfm', 'aipl')),
    definition jsonb NOT NULL,
    -- '' by hand, 'after_import', or a cron expression in the workspace's time zone
    refresh text NOT NULL DEFAULT '',
    next_refresh_at timestamptz,
    refresh_failed_at timestamptz,
    refresh_problem jsonb,
    -- the run under way: its rows in the warehouse are not yet, and not left, to be removed
    computing_run bigint,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);
CREATE INDEX model_due ON model (next_refresh_at) WHERE next_refresh_at IS NOT NULL;

-- One computation of a model for a day of the workspace's calendar. Its rows in the warehouse carry
-- the id of the run and are read only when the run is here.
CREATE TABLE model_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    model_id bigint NOT NULL REFERENCES model ON DELETE CASCADE,
    day date NOT NULL,
    lake_version bigint NOT NULL,
    result jsonb NOT NULL,
    milliseconds integer NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX model_run_newest ON model_run (model_id, day DESC, id DESC);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['model', 'model_run'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON model TO textwave_web;
GRANT SELECT ON model_run TO textwave_web;
