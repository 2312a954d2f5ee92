-- name: tables
-- What the rules of a workspace may speak of.
SELECT name, kind, columns, customer_column, mobile_column, time_column, amount_column,
       count_column, customer_id_type, ids, EXISTS (
           SELECT FROM uploaded_list l
           WHERE l.workspace_id = t.workspace_id AND l.table_name = t.name
             AND l.keeps_unmatched AND l.unmatched > 0
       ) AS has_new_people, mobile_key IS NOT NULL AS numbers_encrypted
FROM customer_table t WHERE workspace_id = %(workspace_id)s ORDER BY name

-- name: newest_snapshots
-- Each audience that may be named, with its newest snapshot; archived ones are not named.
SELECT name, snapshot_id FROM audience_now
WHERE workspace_id = %(workspace_id)s AND archived_at IS NULL
  AND (%(viewer)s::text IS NULL OR is_public OR created_by = %(viewer)s)

-- name: newest_runs
-- The newest run of each day of each model; without a day: never computed.
SELECT m.name, m.kind, r.day, max(r.id) AS run_id,
       (array_agg(r.result ->> 'id_type' ORDER BY r.id DESC))[1] AS id_type
FROM model m LEFT JOIN model_run r ON r.model_id = m.id AND r.workspace_id = m.workspace_id
WHERE m.workspace_id = %(workspace_id)s
GROUP BY m.name, m.kind, r.day

-- name: lists
SELECT name, id, id_type FROM uploaded_list WHERE workspace_id = %(workspace_id)s

-- name: campaigns
SELECT name, id FROM campaign WHERE workspace_id = %(workspace_id)s
