-- name: add_source
-- A new source; no row when the name is taken.
INSERT INTO source (workspace_id, name, kind, sealed_address, shown_address, created_by)
VALUES (%(workspace_id)s, %(name)s, %(kind)s, %(sealed_address)s, %(shown_address)s, %(created_by)s)
ON CONFLICT (workspace_id, name) DO NOTHING RETURNING id

-- name: sources
-- All sources of a workspace, by name.
SELECT id, name, kind, shown_address, created_by, created_at FROM source
WHERE workspace_id = %(workspace_id)s ORDER BY name

-- name: sealed_source
-- One source with its sealed address.
SELECT id, name, kind, sealed_address FROM source
WHERE workspace_id = %(workspace_id)s AND name = %(name)s

-- name: feeds_of_source
-- What would be without its source.
SELECT f.name FROM feed f JOIN source s ON s.id = f.source_id
WHERE s.workspace_id = %(workspace_id)s AND s.name = %(name)s ORDER BY f.name LIMIT 10

-- name: delete_source
DELETE FROM source WHERE workspace_id = %(workspace_id)s AND name = %(name)s RETURNING id

-- name: add_feed
-- A new feed; no row when the name is taken.
INSERT INTO feed (workspace_id, name, source_id, table_name, query, options, schedule,
    next_run_at, created_by)
VALUES (%(workspace_id)s, %(name)s, %(source_id)s, %(table_name)s, %(query)s, %(options)s,
    %(schedule)s, %(next_run_at)s, %(created_by)s)
ON CONFLICT (workspace_id, name) DO NOTHING RETURNING id

-- name: feeds
-- All feeds of a workspace, by name.
SELECT f.id, f.workspace_id, f.name, s.name AS source, f.table_name, f.query, f.options,
       f.schedule, f.next_run_at, f.last_operation_id, f.last_run_at, f.failed_at, f.problem,
       f.created_by, f.created_at
FROM feed f JOIN source s ON s.id = f.source_id
WHERE f.workspace_id = %(workspace_id)s ORDER BY f.name

-- name: feed
-- One feed; who runs it waits for who runs it just now.
SELECT f.id, f.workspace_id, f.name, s.name AS source, f.table_name, f.query, f.options,
       f.schedule, f.next_run_at, f.last_operation_id, f.last_run_at, f.failed_at, f.problem,
       f.created_by, f.created_at
FROM feed f JOIN source s ON s.id = f.source_id
WHERE f.workspace_id = %(workspace_id)s AND f.name = %(name)s FOR UPDATE OF f

-- name: schedule_feed
-- Another schedule, or none.
UPDATE feed SET schedule = %(schedule)s, next_run_at = %(next_run_at)s
WHERE workspace_id = %(workspace_id)s AND name = %(name)s

-- name: delete_feed
DELETE FROM feed WHERE workspace_id = %(workspace_id)s AND name = %(name)s RETURNING id

-- name: due_feeds
-- Feeds of all workspaces whose time has come, that no other worker is beginning.
SELECT f.id, f.workspace_id, f.name, s.name AS source, f.table_name, f.query, f.options,
       f.schedule, f.next_run_at, f.last_operation_id, f.last_run_at, f.failed_at, f.problem,
       f.created_by, f.created_at
FROM feed f JOIN source s ON s.id = f.source_id
WHERE f.next_run_at <= %(now)s ORDER BY f.next_run_at LIMIT %(limit)s
FOR UPDATE OF f SKIP LOCKED

-- name: begun
-- A run has begun.
UPDATE feed SET last_operation_id = %(operation_id)s, last_run_at = %(now)s,
    next_run_at = %(next_run_at)s
WHERE id = %(id)s AND workspace_id = %(workspace_id)s

-- name: ended
-- How the last run ended; an older one says nothing any more.
UPDATE feed SET failed_at = CASE WHEN %(problem)s::jsonb IS NULL THEN NULL ELSE now() END,
    problem = %(problem)s
WHERE workspace_id = %(workspace_id)s AND last_operation_id = %(operation_id)s
