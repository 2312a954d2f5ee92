-- name: add
-- A new recurrence; no row when the name is taken.
INSERT INTO recurrence (workspace_id, name, draft, rhythm, starts_on, ends_on, max_runs,
                        refresh_audience, next_run_at, created_by)
VALUES (%(workspace_id)s, %(name)s, %(draft)s, %(rhythm)s, %(starts_on)s, %(ends_on)s,
        %(max_runs)s, %(refresh_audience)s, %(next_run_at)s, %(actor)s)
ON CONFLICT (workspace_id, name) DO NOTHING
RETURNING id

-- name: edit
-- What a recurrence says, anew; while it is paused it has no next time.
UPDATE recurrence SET name = %(name)s, draft = %(draft)s, rhythm = %(rhythm)s,
    starts_on = %(starts_on)s, ends_on = %(ends_on)s, max_runs = %(max_runs)s,
    refresh_audience = %(refresh_audience)s,
    next_run_at = CASE WHEN state = 'active' THEN %(next_run_at)s::timestamptz END
WHERE workspace_id = %(workspace_id)s AND id = %(id)s

-- name: recurrences
-- Recurrences of the workspace, newest first, or one by its name or id.
SELECT r.id, r.workspace_id, r.name, r.draft, r.rhythm, r.starts_on, r.ends_on, r.max_runs,
       r.refresh_audience, r.state, r.next_run_at, r.created_by, r.created_at, w.time_zone,
       (SELECT count(*) FROM recurrence_run n
        WHERE n.workspace_id = r.workspace_id AND n.recurrence_id = r.id)::integer AS runs
FROM recurrence r JOIN workspace w ON w.id = r.workspace_id
WHERE r.workspace_id = %(workspace_id)s
  AND (%(name)s::text IS NULL OR r.name = %(name)s)
  AND (%(id)s::bigint IS NULL OR r.id = %(id)s)
  AND (%(before)s::bigint IS NULL OR r.id < %(before)s)
ORDER BY r.id DESC LIMIT %(limit)s

-- name: hold
-- The recurrence for the rest of the transaction; no row when it is gone.
SELECT id FROM recurrence WHERE workspace_id = %(workspace_id)s AND id = %(id)s FOR UPDATE

-- name: set_state
-- Where a recurrence stands, and when it runs next; none unless it is active.
UPDATE recurrence SET state = %(state)s, next_run_at = %(next_run_at)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s

-- name: delete
DELETE FROM recurrence WHERE workspace_id = %(workspace_id)s AND id = %(id)s

-- name: due
-- Recurrences whose time has come.
SELECT id, workspace_id FROM recurrence
WHERE next_run_at <= %(now)s ORDER BY next_run_at LIMIT %(limit)s

-- name: add_run
-- A run, once.
INSERT INTO recurrence_run (recurrence_id, due_at, workspace_id, begins_at)
VALUES (%(id)s, %(due_at)s, %(workspace_id)s, %(due_at)s)
ON CONFLICT DO NOTHING

-- name: open_run
-- A run that has not come to its end, for the rest of the transaction.
SELECT recurrence_id, due_at, begins_at, state, reason FROM recurrence_run
WHERE workspace_id = %(workspace_id)s AND recurrence_id = %(id)s AND due_at = %(due_at)s
  AND state IN ('planned', 'refreshing')
FOR UPDATE

-- name: change_run
-- What became of a run, unless it has come to its end.
UPDATE recurrence_run SET state = %(state)s, reason = %(reason)s, changed_at = now(),
    begins_at = coalesce(%(begins_at)s, begins_at),
    campaign_id = coalesce(%(campaign_id)s, campaign_id)
WHERE workspace_id = %(workspace_id)s AND recurrence_id = %(id)s AND due_at = %(due_at)s
  AND state IN ('planned', 'refreshing')

-- name: link_campaign
UPDATE campaign SET recurrence_id = %(id)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: waiting_runs
-- Runs that should be under way: a safety net under their jobs.
SELECT recurrence_id, workspace_id, due_at, begins_at FROM recurrence_run
WHERE state IN ('planned', 'refreshing') AND begins_at <= %(before)s
ORDER BY begins_at LIMIT %(limit)s

-- name: runs
-- What became of the last runs, newest first.
SELECT n.due_at, n.begins_at, n.state, n.reason, c.name AS campaign, c.state AS campaign_state
FROM recurrence_run n LEFT JOIN campaign c ON c.id = n.campaign_id
WHERE n.workspace_id = %(workspace_id)s AND n.recurrence_id = %(id)s
  AND (%(before)s::timestamptz IS NULL OR n.due_at < %(before)s)
ORDER BY n.due_at DESC LIMIT %(limit)s
