-- name: add_model
-- A new model; no row when the name is taken.
INSERT INTO model (workspace_id, name, kind, definition, refresh, next_refresh_at, created_by)
VALUES (%(workspace_id)s, %(name)s, %(kind)s, %(definition)s, %(refresh)s, %(next_refresh_at)s,
        %(created_by)s)
ON CONFLICT (workspace_id, name) DO NOTHING
RETURNING id

-- name: models
-- The models of a workspace by id, from after a given one, each with its newest run.
SELECT m.id, m.workspace_id, m.name, m.kind, m.definition, m.refresh, m.next_refresh_at,
       m.refresh_failed_at, m.refresh_problem, m.created_by, m.created_at,
       r.id AS run_id, r.day, r.lake_version, r.result, r.milliseconds, r.computed_at
FROM model m
LEFT JOIN LATERAL (
    SELECT * FROM model_run n WHERE n.model_id = m.id ORDER BY n.day DESC, n.id DESC LIMIT 1
) r ON true
WHERE m.workspace_id = %(workspace_id)s AND m.id > %(after)s
  AND (%(kind)s::text IS NULL OR m.kind = %(kind)s)
  AND (%(name)s::text IS NULL OR m.name = %(name)s)
ORDER BY m.id LIMIT %(limit)s

-- name: runs
-- The newest run of each day of a model, the newest day first.
SELECT DISTINCT ON (day) id, day, result, computed_at
FROM model_run WHERE workspace_id = %(workspace_id)s AND model_id = %(model_id)s
  AND day <= %(until)s
ORDER BY day DESC, id DESC LIMIT %(limit)s

-- name: begin_run
-- An id of its own for each attempt; whatever was under way before is overtaken.
UPDATE model SET computing_run = nextval(pg_get_serial_sequence('model_run', 'id'))
WHERE workspace_id = %(workspace_id)s AND id = %(model_id)s
RETURNING computing_run

-- name: add_run
-- Make the rows in the lake visible, once they are all there; no row when the run was overtaken.
WITH finished AS (
    UPDATE model SET computing_run = NULL, refresh_failed_at = NULL, refresh_problem = NULL
    WHERE workspace_id = %(workspace_id)s AND id = %(model_id)s AND computing_run = %(id)s
    RETURNING id
)
INSERT INTO model_run (id, workspace_id, model_id, day, lake_version, result, milliseconds)
OVERRIDING SYSTEM VALUE
SELECT %(id)s, %(workspace_id)s, id, %(day)s, %(lake_version)s, %(result)s, %(milliseconds)s
FROM finished
RETURNING id

-- name: note_failure
-- Say on the model why it could not be refreshed.
UPDATE model SET refresh_failed_at = now(), refresh_problem = %(problem)s
WHERE workspace_id = %(workspace_id)s AND id = %(model_id)s

-- name: kept_runs
-- Runs whose rows stay in the lake: under way, or one of the two newest (AIPL: of each day).
SELECT computing_run AS id FROM model
WHERE workspace_id = %(workspace_id)s AND kind = %(kind)s AND computing_run IS NOT NULL
UNION ALL
SELECT id FROM (
    SELECT r.id, row_number() OVER (
        PARTITION BY r.model_id, CASE WHEN m.kind = 'aipl' THEN r.day END ORDER BY r.id DESC
    ) AS age
    FROM model_run r JOIN model m ON m.id = r.model_id
    WHERE r.workspace_id = %(workspace_id)s AND m.kind = %(kind)s
) ranked WHERE age <= 2

-- name: forget_labels
-- Days of an AIPL model that are older than it keeps them; the newest one stays.
DELETE FROM model_run r
WHERE r.workspace_id = %(workspace_id)s AND r.model_id = %(model_id)s
  AND r.day <= (SELECT max(n.day) FROM model_run n WHERE n.model_id = %(model_id)s) - %(days)s

-- name: users
-- The audiences and models whose rules name the model.
SELECT 'audience' AS kind, name FROM audience
WHERE workspace_id = %(workspace_id)s
  AND jsonb_path_exists(rule, 'strict $.** ? (exists (@.kind) && @.model == $name)',
                        jsonb_build_object('name', %(name)s::text))
UNION ALL
SELECT 'model', name FROM model
WHERE workspace_id = %(workspace_id)s
  AND jsonb_path_exists(definition, 'strict $.** ? (exists (@.kind) && @.model == $name)',
                        jsonb_build_object('name', %(name)s::text))
ORDER BY 1, 2 LIMIT %(limit)s

-- name: delete_model
-- The model and what it came to; its rows in the lake are removed by a job.
DELETE FROM model WHERE workspace_id = %(workspace_id)s AND id = %(model_id)s

-- name: waiting_for_imports
-- The models that are refreshed after an import; those of scores first, for stages may name them.
SELECT id, name, kind, definition FROM model
WHERE workspace_id = %(workspace_id)s AND refresh = 'after_import'
ORDER BY kind DESC, id

-- name: take_due
-- Models whose time has come, in all workspaces; taken by this transaction alone.
SELECT m.id, m.workspace_id, m.name, m.refresh, w.time_zone
FROM model m JOIN workspace w ON w.id = m.workspace_id
WHERE m.next_refresh_at <= %(now)s
ORDER BY m.next_refresh_at LIMIT %(limit)s
FOR UPDATE OF m SKIP LOCKED

-- name: set_next_refreshes
-- When each of them is due again.
UPDATE model SET next_refresh_at = given.at
FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS given(id, at)
WHERE model.id = given.id
