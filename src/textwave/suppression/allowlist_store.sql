-- name: on_list
-- Which of the numbers no limit applies to; one index read.
SELECT DISTINCT mobile FROM allowlist_number
WHERE workspace_id = %(workspace_id)s AND mobile = ANY(%(mobiles)s::bigint[])
