-- name: tables
-- What the rules of a workspace may speak of.
SELECT name, kind, columns, customer_column, mobile_column, time_column, amount_column
FROM customer_table WHERE workspace_id = %(workspace_id)s ORDER BY name

-- name: add_audience
-- A new audience; no row when the name is taken.
INSERT INTO audience (workspace_id, name, table_name, rule, created_by)
VALUES (%(workspace_id)s, %(name)s, %(table_name)s, %(rule)s, %(created_by)s)
ON CONFLICT (workspace_id, name) DO NOTHING
RETURNING id

-- name: audiences
-- The audiences of a workspace by id, from after a given one, each with its newest snapshot.
SELECT a.id, a.workspace_id, a.name, a.table_name, a.rule, a.created_by, a.created_at,
       s.id AS snapshot_id, s.size, s.lake_version, s.computed_at, s.milliseconds
FROM audience a
LEFT JOIN LATERAL (
    SELECT * FROM snapshot n WHERE n.audience_id = a.id ORDER BY n.id DESC LIMIT 1
) s ON true
WHERE a.workspace_id = %(workspace_id)s AND a.id > %(after)s
ORDER BY a.id LIMIT %(limit)s

-- name: audience
-- One audience by its name, with its newest snapshot.
SELECT a.id, a.workspace_id, a.name, a.table_name, a.rule, a.created_by, a.created_at,
       s.id AS snapshot_id, s.size, s.lake_version, s.computed_at, s.milliseconds
FROM audience a
LEFT JOIN LATERAL (
    SELECT * FROM snapshot n WHERE n.audience_id = a.id ORDER BY n.id DESC LIMIT 1
) s ON true
WHERE a.workspace_id = %(workspace_id)s AND a.name = %(name)s

-- name: next_snapshot_id
-- An id of its own for each attempt: what a crashed one wrote to the lake stays without a row here.
SELECT nextval(pg_get_serial_sequence('snapshot', 'id'))

-- name: add_snapshot
-- Make the members in the lake visible, once they are all there.
INSERT INTO snapshot (id, workspace_id, audience_id, size, lake_version, milliseconds)
OVERRIDING SYSTEM VALUE
VALUES (%(id)s, %(workspace_id)s, %(audience_id)s, %(size)s, %(lake_version)s, %(milliseconds)s)
RETURNING id, size, lake_version, computed_at, milliseconds
