-- Numbers that get nothing beyond one signature: at a platform, or in the whole workspace.

CREATE TABLE denied_number (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    -- null: the deny list of the workspace; else an opt-out of all its signatures at the platform
    platform_id bigint REFERENCES platform,
    mobile bigint NOT NULL,
    source text NOT NULL CHECK (source IN ('platform', 'by hand', 'import')),
    reason text NOT NULL DEFAULT '',
    evidence text NOT NULL DEFAULT '',
    denied_by text NOT NULL,
    denied_at timestamptz NOT NULL DEFAULT now(),
    import_id bigint,
    lifted_at timestamptz,
    lifted_by text,
    lifted_evidence text
);
CREATE UNIQUE INDEX denied_number_in_force ON denied_number (workspace_id, mobile, platform_id)
    NULLS NOT DISTINCT WHERE lifted_at IS NULL;
CREATE INDEX denied_number_lifted ON denied_number (workspace_id, mobile)
    WHERE lifted_at IS NOT NULL;
CREATE INDEX denied_number_of_platform ON denied_number (workspace_id, platform_id, id)
    WHERE lifted_at IS NULL;
CREATE INDEX denied_number_of_import ON denied_number (import_id) WHERE import_id IS NOT NULL;

ALTER TABLE opt_out ADD COLUMN import_id bigint;
CREATE INDEX opt_out_lifted ON opt_out (signature_id, mobile) WHERE lifted_at IS NOT NULL;
CREATE INDEX opt_out_of_import ON opt_out (import_id) WHERE import_id IS NOT NULL;

-- Lines of imported opt-outs and deny lists that were not taken: as they were, and why.
CREATE TABLE rejected_line (
    workspace_id bigint NOT NULL REFERENCES workspace,
    operation_id bigint NOT NULL,
    line bigint NOT NULL,
    reason text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (operation_id, line)
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['denied_number', 'rejected_line'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON denied_number TO textwave_web;
GRANT SELECT ON rejected_line TO textwave_web;
