-- name: newest_dry_run
-- The operation of the newest dry run of a campaign.
SELECT id FROM operation
WHERE workspace_id = %(workspace_id)s AND kind = 'campaigns.dry_run'
  AND request @> jsonb_build_object('campaign_id', %(campaign_id)s::bigint)
ORDER BY id DESC LIMIT 1
