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

-- What became of one number: drops are found by it; messages need no index of their own, because
-- each span of a campaign's ids is in the order of its numbers.
ALTER TABLE message_drop ADD COLUMN dropped_at timestamptz;
CREATE INDEX message_drop_of_number ON message_drop (workspace_id, mobile)
    WHERE mobile IS NOT NULL;

CREATE FUNCTION messages_of_number(workspace bigint, number bigint, campaigns bigint[])
RETURNS TABLE (campaign_id bigint, message_id bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    span record;
    low bigint;
    high bigint;
    middle bigint;
    found_id bigint;
    found_mobile bigint;
BEGIN
    FOR span IN
        SELECT s.campaign_id, s.first_id, s.last_id FROM campaign_span s
        WHERE s.workspace_id = workspace AND s.campaign_id = ANY(campaigns)
    LOOP
        low := span.first_id;
        high := span.last_id;
        WHILE low <= high LOOP
            middle := low + (high - low) / 2;
            -- ids have gaps where messages were dropped at the gate
            SELECT m.id, m.mobile INTO found_id, found_mobile FROM message m
            WHERE m.id >= middle AND m.id <= high ORDER BY m.id LIMIT 1;
            IF found_id IS NULL OR found_mobile > number THEN
                high := middle - 1;
            ELSIF found_mobile < number THEN
                low := found_id + 1;
            ELSE
                campaign_id := span.campaign_id;
                message_id := found_id;
                RETURN NEXT;
                EXIT;
            END IF;
        END LOOP;
    END LOOP;
END $$;

-- How long after a reply that opted out the last message was prepared for the same person under the
-- same signature: measured once, when no message from before can be on its way any more.
ALTER TABLE reply ADD COLUMN arrived_at timestamptz;
ALTER TABLE reply ADD COLUMN merged_at timestamptz DEFAULT now();
ALTER TABLE reply ADD COLUMN opt_out_lag_seconds real CHECK (opt_out_lag_seconds >= 0);
CREATE INDEX reply_lag_open ON reply (merged_at)
    WHERE intent = 'opt out' AND arrived_at IS NOT NULL AND signature_id IS NOT NULL
      AND opt_out_lag_seconds IS NULL;
CREATE INDEX reply_lag ON reply (campaign_id, opt_out_lag_seconds)
    WHERE opt_out_lag_seconds IS NOT NULL;
CREATE INDEX reply_lag_recent ON reply (merged_at, opt_out_lag_seconds)
    WHERE opt_out_lag_seconds IS NOT NULL;

-- For the metrics page: the longest of the last hour, over all workspaces.
CREATE FUNCTION longest_opt_out_lag() RETURNS float8
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(max(opt_out_lag_seconds), 0)::float8 FROM reply
    WHERE opt_out_lag_seconds IS NOT NULL AND merged_at > now() - interval '1 hour'
$$;

-- Campaigns made from others: copies, retries of who failed (with the causes), and test sends.
ALTER TABLE campaign
    ADD COLUMN copied_from bigint REFERENCES campaign ON DELETE SET NULL,
    ADD COLUMN retry_causes text[],
    ADD COLUMN purpose text NOT NULL DEFAULT 'marketing'
        CHECK (purpose IN ('marketing', 'test'));
CREATE INDEX campaign_copied_from ON campaign (copied_from) WHERE copied_from IS NOT NULL;

-- Test sends are counted nowhere.
CREATE OR REPLACE FUNCTION messages_of_running_campaigns()
RETURNS TABLE (state text, messages bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.state, s.messages
    FROM (
        SELECT sum(t.messages) AS planned, sum(t.submitted) AS submitted,
               sum(t.delivered) AS delivered, sum(t.failed) AS failed
        FROM campaign_tally t JOIN campaign c ON c.id = t.campaign_id
        WHERE c.state IN ('sending', 'paused') AND c.purpose <> 'test'
    ) sums,
    LATERAL (VALUES ('planned', coalesce(planned, 0)::bigint),
                    ('submitted', coalesce(submitted, 0)::bigint),
                    ('delivered', coalesce(delivered, 0)::bigint),
                    ('failed', coalesce(failed, 0)::bigint)) AS s(state, messages)
$$;
