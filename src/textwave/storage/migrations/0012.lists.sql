-- Uploaded lists of ids; the ids themselves are in the warehouse.

CREATE TABLE uploaded_list (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    table_name text NOT NULL,
    id_type text NOT NULL,
    keeps_unmatched boolean NOT NULL,
    file_name text NOT NULL,
    file_sha256 text NOT NULL,
    -- of the file and of how it was read: the same upload again changes nothing
    fingerprint text NOT NULL,
    operation_id bigint NOT NULL,
    rows_read bigint NOT NULL,
    invalid bigint NOT NULL,
    duplicates bigint NOT NULL,
    matched bigint NOT NULL,
    unmatched bigint NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);
ALTER TABLE uploaded_list ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON uploaded_list TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, DELETE ON uploaded_list TO textwave_web;
