-- The life of an audience: folders, who sees it, when it is computed anew, what became of that.

ALTER TABLE audience
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN folder text NOT NULL DEFAULT '',
    ADD COLUMN is_public boolean NOT NULL DEFAULT true,
    -- '' by hand, 'after_import', or a cron expression in the workspace's time zone
    ADD COLUMN refresh text NOT NULL DEFAULT '',
    ADD COLUMN next_refresh_at timestamptz,
    ADD COLUMN refresh_failed_at timestamptz,
    ADD COLUMN refresh_problem jsonb,
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now(),
    -- counts the edits: who edits says which one was read, so that no edit is lost
    ADD COLUMN version integer NOT NULL DEFAULT 1;
CREATE INDEX audience_due ON audience (next_refresh_at)
    WHERE next_refresh_at IS NOT NULL AND archived_at IS NULL;

-- An audience as it is read: with its newest snapshot, if it has been computed.
CREATE VIEW audience_now WITH (security_invoker = true) AS
SELECT a.id, a.workspace_id, a.name, a.description, a.folder, a.table_name, a.rule, a.is_public,
       a.created_by, a.created_at, a.changed_at, a.version, a.archived_at, a.refresh,
       a.next_refresh_at, a.refresh_failed_at, a.refresh_problem,
       s.id AS snapshot_id, s.size, s.lake_version, s.computed_at, s.milliseconds
FROM audience a
LEFT JOIN LATERAL (
    SELECT n.id, n.size, n.lake_version, n.computed_at, n.milliseconds
    FROM snapshot n WHERE n.audience_id = a.id ORDER BY n.id DESC LIMIT 1
) s ON true;
GRANT SELECT ON audience_now TO textwave_web;

-- The size of an old snapshot stays; its members leave the warehouse.
ALTER TABLE snapshot ADD COLUMN members_removed_at timestamptz;
CREATE INDEX snapshot_with_members ON snapshot (workspace_id, audience_id, id)
    WHERE members_removed_at IS NULL;
CREATE INDEX campaign_of_snapshot ON campaign (snapshot_id) WHERE snapshot_id IS NOT NULL;

-- A private audience is seen by its maker and by administrators.
ALTER TABLE api_key ADD COLUMN is_administrator boolean NOT NULL DEFAULT true;
-- What is done is written down under the key's name, so a name is one key's at a time.
CREATE UNIQUE INDEX api_key_name ON api_key (workspace_id, name) WHERE revoked_at IS NULL;

DROP FUNCTION workspace_of_api_key(bytea);
CREATE FUNCTION workspace_of_api_key(digest_of_key bytea)
RETURNS TABLE (workspace_id bigint, organization_id bigint, api_key_id bigint, name text,
               is_administrator boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.workspace_id, w.organization_id, k.id, k.name, k.is_administrator
    FROM api_key k JOIN workspace w ON w.id = k.workspace_id
    WHERE k.digest = digest_of_key AND k.revoked_at IS NULL
$$;
