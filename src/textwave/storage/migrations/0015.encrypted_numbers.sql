-- Mobile numbers that come encrypted, and which of a customer's numbers a campaign uses.

-- The secret is sealed with the installation's key. The web login may add a key and say which there
-- are; only workers read what is sealed.
CREATE TABLE encryption_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    version integer NOT NULL CHECK (version >= 1),
    sealed_secret bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, version)
);
ALTER TABLE encryption_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON encryption_key TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT (id, workspace_id, version, created_by, created_at), INSERT
    ON encryption_key TO textwave_web;

ALTER TABLE customer_table
    -- the version of the key that the mobile column is encrypted with; null: plain
    ADD COLUMN mobile_key integer,
    -- where its numbers without country code belong, once they are decrypted
    ADD COLUMN mobile_region text,
    ADD CONSTRAINT customer_table_mobile_key_fkey
        FOREIGN KEY (workspace_id, mobile_key) REFERENCES encryption_key (workspace_id, version),
    ADD CONSTRAINT customer_table_mobile_key_check
        CHECK ((mobile_key IS NULL) = (mobile_region IS NULL));

ALTER TABLE campaign
    ADD COLUMN numbers text NOT NULL DEFAULT 'first'
        CHECK (numbers IN ('first', 'latest', 'all'));
