-- Signatures created with papers and registered at carriers, versions of templates, and turns of
-- applications at platforms that take only so many a day.

-- papers: null for one that existed at the platform when it was added here
ALTER TABLE signature
    ADD COLUMN papers jsonb,
    ADD COLUMN submitted_at timestamptz,
    ADD COLUMN asked_at timestamptz,
    ADD COLUMN carriers jsonb NOT NULL DEFAULT '{}';
UPDATE signature SET submitted_at = created_at WHERE state = 'reviewing';
CREATE INDEX signature_of_platform ON signature (platform_id, name) WHERE state <> 'deleted';

-- The web login sees its workspace alone; whether others speak under the same signature is a word.
CREATE FUNCTION signature_is_shared(platform bigint, signature_name text)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(DISTINCT workspace_id) > 1 FROM signature
    WHERE platform_id = platform AND name = signature_name AND state <> 'deleted'
$$;

-- turn_at: when an application that waits its turn goes to the platform
ALTER TABLE template
    ADD COLUMN signature text NOT NULL DEFAULT '',
    ADD COLUMN turn_at timestamptz,
    ADD COLUMN asked_at timestamptz;
CREATE INDEX template_under_review ON template (id) WHERE state = 'reviewing';

-- What was submitted when and by whom, and what the platform decided on it.
CREATE TABLE template_version (
    workspace_id bigint NOT NULL REFERENCES workspace,
    template_id bigint NOT NULL REFERENCES template,
    number integer NOT NULL,
    content text NOT NULL,
    remark text NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL,
    handed_over_at timestamptz,
    code text,
    decision text CHECK (decision IN ('approved', 'rejected', 'withdrawn')),
    reason text NOT NULL DEFAULT '',
    decided_at timestamptz,
    PRIMARY KEY (template_id, number)
);
ALTER TABLE template_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON template_version TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT, UPDATE ON template_version TO textwave_web;

-- The last turn that was given to an application; workers alone take turns.
CREATE TABLE application_turn (
    platform_id bigint PRIMARY KEY REFERENCES platform,
    last_at timestamptz NOT NULL,
    day date NOT NULL,
    taken integer NOT NULL CHECK (taken > 0)
);
