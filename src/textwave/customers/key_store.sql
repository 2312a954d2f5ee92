-- name: hold_versions
-- Nobody else adds a key to the workspace until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('encryption_key', %(workspace_id)s))

-- name: newest_version
-- The version of the key that was added last.
SELECT max(version) FROM encryption_key WHERE workspace_id = %(workspace_id)s

-- name: add
-- A key, sealed.
INSERT INTO encryption_key (workspace_id, version, sealed_secret, created_by)
VALUES (%(workspace_id)s, %(version)s, %(sealed_secret)s, %(created_by)s)

-- name: keys
-- What is known of the keys, newest first, and which tables need each.
SELECT k.version, k.created_by, k.created_at,
       ARRAY(SELECT t.name FROM customer_table t
             WHERE t.workspace_id = k.workspace_id AND t.mobile_key = k.version
             ORDER BY t.name) AS tables
FROM encryption_key k WHERE k.workspace_id = %(workspace_id)s ORDER BY k.version DESC

-- name: sealed
-- The sealed key of a version, or of the newest; for workers only.
SELECT version, sealed_secret FROM encryption_key
WHERE workspace_id = %(workspace_id)s AND version = coalesce(%(version)s,
    (SELECT max(version) FROM encryption_key WHERE workspace_id = %(workspace_id)s))

-- name: mobile_columns
-- Where numbers of customers are, by the customer's own key: the customers' table, then others.
SELECT t.name AS table_name, t.kind, t.customer_column, t.mobile_column, t.time_column,
       t.mobile_key, t.mobile_region
FROM customer_table t
WHERE t.workspace_id = %(workspace_id)s AND t.mobile_column IS NOT NULL
  AND t.customer_id_type = 'customer'
  AND (t.name = %(table)s OR t.kind <> 'customers')
ORDER BY t.name <> %(table)s, t.name
