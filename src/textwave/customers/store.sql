-- name: tables
-- All tables of the workspace, by name.
SELECT id, name, kind, columns, customer_column, customer_id_type, ids, mobile_column, time_column,
       amount_column, count_column, partition_column, row_count, lake_version, is_system,
       mobile_key, mobile_region,
       statistics, statistics_at, created_at, updated_at
FROM customer_table WHERE workspace_id = %(workspace_id)s ORDER BY name

-- name: table
-- One table of the workspace.
SELECT id, name, kind, columns, customer_column, customer_id_type, ids, mobile_column, time_column,
       amount_column, count_column, partition_column, row_count, lake_version, is_system,
       mobile_key, mobile_region,
       statistics, statistics_at, created_at, updated_at
FROM customer_table WHERE workspace_id = %(workspace_id)s AND name = %(name)s

-- name: save_table
-- What the table is after an import; an import that ended later does not lose to an earlier one.
INSERT INTO customer_table AS t (workspace_id, name, kind, columns, customer_column,
    customer_id_type, ids, mobile_column, time_column, amount_column, count_column,
    partition_column, row_count, lake_version, mobile_key, mobile_region)
VALUES (%(workspace_id)s, %(name)s, %(kind)s, %(columns)s, %(customer_column)s,
    %(customer_id_type)s, %(ids)s, %(mobile_column)s, %(time_column)s, %(amount_column)s,
    %(count_column)s, %(partition_column)s, %(row_count)s, %(lake_version)s,
    %(mobile_key)s, %(mobile_region)s)
ON CONFLICT (workspace_id, name) DO UPDATE SET kind = excluded.kind, columns = excluded.columns,
    customer_column = excluded.customer_column, customer_id_type = excluded.customer_id_type,
    ids = excluded.ids, mobile_column = excluded.mobile_column, time_column = excluded.time_column,
    amount_column = excluded.amount_column, count_column = excluded.count_column,
    partition_column = excluded.partition_column,
    mobile_key = excluded.mobile_key, mobile_region = excluded.mobile_region,
    row_count = excluded.row_count, lake_version = excluded.lake_version, updated_at = now()
WHERE t.lake_version <= excluded.lake_version

-- name: save_statistics
-- What is known of a table's columns.
UPDATE customer_table SET statistics = %(statistics)s, statistics_at = now()
WHERE workspace_id = %(workspace_id)s AND name = %(name)s

-- name: delete_imports
-- The imports of a table that is gone.
DELETE FROM import WHERE workspace_id = %(workspace_id)s AND table_name = %(name)s

-- name: delete_table
-- A table that is gone from the warehouse.
DELETE FROM customer_table WHERE workspace_id = %(workspace_id)s AND name = %(name)s

-- name: next_import
-- The number of an import, before it has happened: its rejected rows are kept under it.
SELECT nextval(pg_get_serial_sequence('import', 'id'))

-- name: add_import
-- An import that has happened; after a crash it may be known already.
INSERT INTO import (id, workspace_id, table_name, file_name, file_sha256, mode, operation_id,
    rows_read, rows_kept, rows_rejected, lake_version)
OVERRIDING SYSTEM VALUE
VALUES (%(id)s, %(workspace_id)s, %(table_name)s, %(file_name)s, %(file_sha256)s, %(mode)s,
    %(operation_id)s, %(rows_read)s, %(rows_kept)s, %(rows_rejected)s, %(lake_version)s)
ON CONFLICT DO NOTHING

-- name: imports
-- The newest imports of a table.
SELECT id, table_name, file_name, file_sha256, mode, operation_id, rows_read, rows_kept,
       rows_rejected, lake_version, finished_at
FROM import WHERE workspace_id = %(workspace_id)s AND table_name = %(name)s
ORDER BY id DESC LIMIT %(limit)s

-- name: newest_imports
-- The newest import of each table of the workspace.
SELECT n.id, n.table_name, n.file_name, n.file_sha256, n.mode, n.operation_id, n.rows_read,
       n.rows_kept, n.rows_rejected, n.lake_version, n.finished_at
FROM customer_table t
JOIN LATERAL (
    SELECT * FROM import i WHERE i.workspace_id = %(workspace_id)s AND i.table_name = t.name
    ORDER BY i.id DESC LIMIT 1
) n ON true
WHERE t.workspace_id = %(workspace_id)s

-- name: possible_uses
-- Audiences, models and lists that may speak of a table: those that have its name somewhere.
SELECT 'audience' AS kind, name, table_name, rule AS definition FROM audience
WHERE workspace_id = %(workspace_id)s
  AND (table_name = %(table)s OR strpos(rule::text, %(quoted)s) > 0)
UNION ALL
SELECT kind || ' model', name, NULL, definition FROM model
WHERE workspace_id = %(workspace_id)s AND strpos(definition::text, %(quoted)s) > 0
UNION ALL
SELECT 'list', name, table_name, '{}' FROM uploaded_list
WHERE workspace_id = %(workspace_id)s AND table_name = %(table)s
ORDER BY kind, name
