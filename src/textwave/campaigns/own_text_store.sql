-- name: taken_names
-- Those of the names that templates of the workspace have.
SELECT coalesce(array_agg(name), '{}') FROM template
WHERE workspace_id = %(workspace_id)s AND state <> 'deleted' AND name = ANY(%(names)s)

-- name: set_own_text
-- Whether the campaign's template was written from within it.
UPDATE campaign SET own_text = %(own_text)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s
