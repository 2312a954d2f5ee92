-- What the warehouse holds, said in the ledger: tables, imports, audiences, snapshots.

CREATE TABLE customer_table (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,59}$'),
    kind text NOT NULL CHECK (kind IN ('customers', 'behaviours', 'orders')),
    columns jsonb NOT NULL DEFAULT '[]',
    customer_column text NOT NULL,
    mobile_column text,
    time_column text,
    amount_column text,
    row_count bigint NOT NULL DEFAULT 0,
    lake_version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);

CREATE TABLE import (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    table_name text NOT NULL,
    file_name text NOT NULL,
    file_sha256 text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('replace', 'upsert', 'append')),
    operation_id bigint REFERENCES operation,
    rows_read bigint NOT NULL,
    rows_kept bigint NOT NULL,
    rows_rejected bigint NOT NULL,
    lake_version bigint NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX import_of_file ON import (workspace_id, table_name, file_sha256);

CREATE TABLE audience (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    table_name text NOT NULL,
    rule jsonb NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);

CREATE TABLE snapshot (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    audience_id bigint NOT NULL REFERENCES audience,
    size bigint NOT NULL,
    lake_version bigint NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    milliseconds integer NOT NULL
);
CREATE INDEX snapshot_newest ON snapshot (audience_id, id DESC);
