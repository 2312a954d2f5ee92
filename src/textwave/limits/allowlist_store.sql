-- name: on_list
-- Which of the numbers no limit applies to; one index read.
SELECT DISTINCT mobile FROM allowlist_number
WHERE workspace_id = %(workspace_id)s AND mobile = ANY(%(mobiles)s::bigint[])

-- name: entries
-- The audiences on the allowlist that the asker sees, by name.
SELECT a.id AS audience_id, a.name AS audience, l.numbers, l.problem, l.added_by, l.added_at,
       l.snapshot_id
FROM allowlist_audience l JOIN audience a ON a.id = l.audience_id
WHERE l.workspace_id = %(workspace_id)s
  AND (%(viewer)s::text IS NULL OR a.is_public OR a.created_by = %(viewer)s)
ORDER BY a.name

-- name: candidate
-- An audience as the allowlist sees it, by its name or id, if the asker sees it.
SELECT id, name, table_name, snapshot_id, size FROM audience_now
WHERE workspace_id = %(workspace_id)s AND (name = %(name)s OR id = %(audience_id)s)
  AND (%(viewer)s::text IS NULL OR is_public OR created_by = %(viewer)s)

-- name: add
INSERT INTO allowlist_audience (workspace_id, audience_id, added_by)
VALUES (%(workspace_id)s, %(audience_id)s, %(actor)s)
ON CONFLICT DO NOTHING
RETURNING audience_id

-- name: delete
DELETE FROM allowlist_audience
WHERE workspace_id = %(workspace_id)s AND audience_id = %(audience_id)s
RETURNING audience_id

-- name: stale
-- Audiences on allowlists that have been computed anew since their numbers were taken.
SELECT l.workspace_id, l.audience_id FROM allowlist_audience l
WHERE EXISTS (
    SELECT FROM snapshot s
    WHERE s.audience_id = l.audience_id AND s.workspace_id = l.workspace_id
      AND s.id > coalesce(l.snapshot_id, 0))
ORDER BY l.workspace_id, l.audience_id

-- name: clear_numbers
DELETE FROM allowlist_number
WHERE workspace_id = %(workspace_id)s AND audience_id = %(audience_id)s

-- name: add_numbers
-- The numbers of an audience, unless it has been taken off the list meanwhile.
INSERT INTO allowlist_number (workspace_id, audience_id, mobile)
SELECT l.workspace_id, l.audience_id, mobile
FROM allowlist_audience l, unnest(%(mobiles)s::bigint[]) AS mobile
WHERE l.workspace_id = %(workspace_id)s AND l.audience_id = %(audience_id)s

-- name: note_filled
UPDATE allowlist_audience SET snapshot_id = %(snapshot_id)s, numbers = %(numbers)s,
    problem = %(problem)s
WHERE workspace_id = %(workspace_id)s AND audience_id = %(audience_id)s
