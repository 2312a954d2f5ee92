-- name: lock
-- Uploads and sweeps of a workspace write one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('textwave lists', %(workspace_id)s))

-- name: next_list
-- An id of its own for each attempt: what a crashed one wrote to the lake belongs to no list.
SELECT nextval(pg_get_serial_sequence('uploaded_list', 'id'))

-- name: lists
-- Lists of the workspace by id, from after a given one.
SELECT id, name, table_name, id_type, keeps_unmatched, file_name, file_sha256, fingerprint,
       operation_id, rows_read, invalid, duplicates, matched, unmatched, uploaded_by, uploaded_at
FROM uploaded_list WHERE workspace_id = %(workspace_id)s AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: list
-- One list by its name.
SELECT id, name, table_name, id_type, keeps_unmatched, file_name, file_sha256, fingerprint,
       operation_id, rows_read, invalid, duplicates, matched, unmatched, uploaded_by, uploaded_at
FROM uploaded_list WHERE workspace_id = %(workspace_id)s AND name = %(name)s

-- name: remove_list
-- Forget a list; its ids in the lake belong to none from now on.
DELETE FROM uploaded_list WHERE workspace_id = %(workspace_id)s AND name = %(name)s RETURNING id

-- name: add_list
-- A list whose ids are all in the lake.
INSERT INTO uploaded_list (id, workspace_id, name, table_name, id_type, keeps_unmatched, file_name,
    file_sha256, fingerprint, operation_id, rows_read, invalid, duplicates, matched, unmatched,
    uploaded_by)
OVERRIDING SYSTEM VALUE
VALUES (%(id)s, %(workspace_id)s, %(name)s, %(table_name)s, %(id_type)s, %(keeps_unmatched)s,
    %(file_name)s, %(file_sha256)s, %(fingerprint)s, %(operation_id)s, %(rows_read)s, %(invalid)s,
    %(duplicates)s, %(matched)s, %(unmatched)s, %(uploaded_by)s)

-- name: present
-- What a sweep spares: every list, and of which table it keeps new people.
SELECT id, table_name, id_type, keeps_unmatched FROM uploaded_list
WHERE workspace_id = %(workspace_id)s ORDER BY id

-- name: users
-- Audiences and models whose rules name the list; archived audiences do not count.
SELECT name FROM (
    SELECT a.name FROM audience a WHERE a.workspace_id = %(workspace_id)s
        AND a.archived_at IS NULL AND jsonb_path_exists(a.rule,
            '$.** ? (@.kind == "list" && @.list == $list)', jsonb_build_object('list', %(name)s::text))
    UNION
    SELECT m.name FROM model m WHERE m.workspace_id = %(workspace_id)s
        AND jsonb_path_exists(m.definition,
            '$.** ? (@.kind == "list" && @.list == $list)', jsonb_build_object('list', %(name)s::text))
) u ORDER BY name LIMIT 20
