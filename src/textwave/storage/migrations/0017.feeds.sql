-- Sources that tables are fed from (databases, a folder of files), and the feeds that do it.

CREATE TABLE source (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('postgres', 'mysql', 'sqlite', 'duckdb', 'folder')),
    sealed_address bytea NOT NULL,
    -- the address without its password
    shown_address text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);

CREATE TABLE feed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    source_id bigint NOT NULL REFERENCES source,
    table_name text NOT NULL,
    -- what is asked of a database, or the pattern of a folder's files
    query text NOT NULL,
    options jsonb NOT NULL,
    -- '' when it is asked for, or a cron expression in the workspace's time zone
    schedule text NOT NULL DEFAULT '',
    next_run_at timestamptz,
    last_operation_id bigint REFERENCES operation,
    last_run_at timestamptz,
    failed_at timestamptz,
    problem jsonb,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);
CREATE INDEX feed_due ON feed (next_run_at) WHERE next_run_at IS NOT NULL;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['source', 'feed'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO textwave_web', t);
    END LOOP;
END $$;
