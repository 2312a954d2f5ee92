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
