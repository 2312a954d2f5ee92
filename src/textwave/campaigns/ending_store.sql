-- name: overdue
-- Campaigns that have been in a state since before a time, of all workspaces.
SELECT workspace_id, id AS campaign_id FROM campaign
WHERE state = %(state)s AND state IN ('reviewing', 'planning', 'sending', 'paused')
  AND state_since < %(before)s
ORDER BY id LIMIT 1000

-- name: count_attempt
-- One attempt more to plan; no row when it is not planned any more.
UPDATE campaign SET plan_attempts = plan_attempts + 1
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'planning'
RETURNING plan_attempts AS number, plan_problem AS problem

-- name: note_problem
UPDATE campaign SET plan_problem = left(%(problem)s, 500)
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'planning'

-- name: forgotten_plans
-- Campaigns that are planned since before a time without a job for it.
SELECT c.workspace_id, c.id AS campaign_id FROM campaign c
WHERE c.state = 'planning' AND c.state_since < %(before)s
  AND NOT EXISTS (
      SELECT FROM procrastinate_jobs j
      WHERE j.lock = 'plan-' || c.id AND j.status IN ('todo', 'doing'))
ORDER BY c.id LIMIT 1000
