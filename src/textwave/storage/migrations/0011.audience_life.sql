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
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX audience_due ON audience (next_refresh_at)
    WHERE next_refresh_at IS NOT NULL AND archived_at IS NULL;

-- A private audience is seen by its maker and by administrators.
ALTER TABLE api_key ADD COLUMN is_administrator boolean NOT NULL DEFAULT true;
