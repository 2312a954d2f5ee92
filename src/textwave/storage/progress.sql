-- name: add
-- A long-running operation, not yet begun.
INSERT INTO operation (workspace_id, kind, request)
VALUES (%(workspace_id)s, %(kind)s, %(request)s) RETURNING id

-- name: start
-- Mark as running; a second start (after a crash) is the same operation.
UPDATE operation SET state = 'running', started_at = coalesce(started_at, now())
WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s
  AND state IN ('queued', 'running')
RETURNING id

-- name: tell
-- Add what is known of the progress; true when somebody asked for the end.
UPDATE operation SET progress = progress || %(progress)s
WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s AND state = 'running'
RETURNING cancel_requested_at IS NOT NULL

-- name: cancel
-- Ask for the end; what has not begun has ended with that.
UPDATE operation SET
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
    finished_at = CASE state WHEN 'queued' THEN now() ELSE finished_at END
WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s AND state IN ('queued', 'running')

-- name: end_cancelled
-- It has ended because somebody asked for that.
UPDATE operation SET state = 'cancelled', finished_at = now()
WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s AND state = 'running'

-- name: succeed
-- The result, once.
UPDATE operation SET state = 'succeeded', result = %(result)s, finished_at = now()
WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s AND state = 'running'

-- name: fail
-- The problem: code, sentence and fields.
UPDATE operation SET state = 'failed', problem = %(problem)s, finished_at = now()
WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s
  AND state IN ('queued', 'running')

-- name: read
-- One operation of the workspace.
SELECT id, workspace_id, kind, state, request, progress, result, problem,
       created_at, started_at, finished_at
FROM operation WHERE id = %(operation_id)s AND workspace_id = %(workspace_id)s

-- name: forget
-- Delete the oldest operations, as far as they ended before a time.
DELETE FROM operation WHERE id IN (
    SELECT id FROM (SELECT id, finished_at FROM operation ORDER BY id LIMIT %(limit)s) oldest
    WHERE finished_at < %(before)s)

-- name: recent
-- The newest operations of the workspace, or those before a given one; what they are, not of whom.
SELECT id, kind, state, created_at, started_at, finished_at FROM operation
WHERE workspace_id = %(workspace_id)s AND id < %(before)s
  AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY id DESC LIMIT %(limit)s
