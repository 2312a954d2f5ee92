-- name: add_audience
-- A new audience; no row when the name is taken.
INSERT INTO audience (workspace_id, name, table_name, rule, created_by, description, folder,
                      is_public, refresh, next_refresh_at)
VALUES (%(workspace_id)s, %(name)s, %(table_name)s, %(rule)s, %(created_by)s, %(description)s,
        %(folder)s, %(is_public)s, %(refresh)s, %(next_refresh_at)s)
ON CONFLICT (workspace_id, name) DO NOTHING
RETURNING id

-- name: audiences
-- A page of the audiences that somebody sees, after the one with a given id in the given order.
WITH keyed AS MATERIALIZED (
    SELECT seen.*,
           CASE WHEN %(sort)s = 'name' THEN lower(name) ELSE '' END AS text_key,
           CASE %(sort)s
               WHEN 'size' THEN -coalesce(size, -1)
               WHEN 'computed_at' THEN
                   -coalesce((extract(epoch FROM computed_at) * 1000000)::bigint, 0)
               ELSE 0
           END AS number_key
    FROM audience_now seen
    WHERE workspace_id = %(workspace_id)s
      AND (%(viewer)s::text IS NULL OR is_public OR created_by = %(viewer)s)
)
SELECT id, workspace_id, name, description, folder, table_name, rule, is_public, created_by,
       created_at, changed_at, version, archived_at, refresh, next_refresh_at, refresh_failed_at,
       refresh_problem, snapshot_id, size, lake_version, computed_at, milliseconds
FROM keyed
WHERE (archived_at IS NOT NULL) = %(archived)s
  AND (%(folder)s::text IS NULL OR folder = %(folder)s
       OR (%(folder)s <> '' AND starts_with(folder, %(folder)s || '/')))
  AND (%(search)s::text IS NULL
       OR strpos(lower(name || E'\n' || description), lower(%(search)s)) > 0)
  AND (%(whose)s <> 'mine' OR created_by = %(own_name)s)
  AND (%(whose)s <> 'public' OR is_public)
  AND (%(after)s::bigint IS NULL OR (text_key, number_key, id) >
       (SELECT text_key, number_key, id FROM keyed WHERE id = %(after)s))
ORDER BY text_key, number_key, id LIMIT %(limit)s

-- name: audience
-- One audience by its name, if it is seen.
SELECT * FROM audience_now WHERE workspace_id = %(workspace_id)s AND name = %(name)s
  AND (%(viewer)s::text IS NULL OR is_public OR created_by = %(viewer)s)

-- name: names_seen
-- Those of the names by which somebody sees an audience.
SELECT name FROM audience_now WHERE workspace_id = %(workspace_id)s AND name = ANY(%(names)s)
  AND (%(viewer)s::text IS NULL OR is_public OR created_by = %(viewer)s)

-- name: audience_by_id
SELECT * FROM audience_now WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s

-- name: next_snapshot_id
-- An id of its own for each attempt: what a crashed one wrote to the lake stays without a row here.
SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))

-- name: add_snapshot
-- Make the members in the lake visible, once they are all there.
INSERT INTO snapshot (id, workspace_id, audience_id, size, lake_version, milliseconds)
OVERRIDING SYSTEM VALUE
VALUES (%(id)s, %(workspace_id)s, %(audience_id)s, %(size)s, %(lake_version)s, %(milliseconds)s)
RETURNING id, size, lake_version, computed_at, milliseconds

-- name: refresh_succeeded
UPDATE audience SET refresh_failed_at = NULL, refresh_problem = NULL
WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s AND refresh_failed_at IS NOT NULL

-- name: refresh_failed
UPDATE audience SET refresh_failed_at = now(), refresh_problem = %(problem)s
WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s

-- name: ledger_now
SELECT now()
