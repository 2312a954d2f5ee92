-- Every row of a workspace is visible to the web login in that workspace's transactions only.
-- The owner (workers) is not bound by policies: its jobs name their workspace in every statement.

DO $$
DECLARE
    t text;
BEGIN
    FOR t IN
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;

ALTER TABLE workspace ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON workspace TO textwave_web USING (id = current_workspace());
ALTER TABLE organization ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON organization TO textwave_web
    USING (id = (SELECT organization_id FROM workspace WHERE workspace.id = current_workspace()));
ALTER TABLE platform ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON platform FOR SELECT TO textwave_web
    USING (EXISTS (SELECT FROM platform_workspace pw
                   WHERE pw.platform_id = platform.id AND pw.workspace_id = current_workspace()));
CREATE POLICY of_organization ON platform FOR ALL TO textwave_web
    USING (organization_id = (SELECT organization_id FROM workspace w
                              WHERE w.id = current_workspace()));

GRANT SELECT ON organization, workspace, installation, token_key, message, message_drop,
    message_state, batch, request, click, reply, snapshot, import, campaign_tally,
    campaign_drop_tally, campaign_failure_tally, customer_table TO textwave_web;
GRANT SELECT, INSERT, UPDATE ON api_key, operation, audience, signature, template, short_link,
    campaign, opt_out, platform TO textwave_web;
GRANT SELECT, INSERT ON audit_event, platform_workspace TO textwave_web;
