-- name: add_material
-- A material without its content; a taken name adds no row.
INSERT INTO material (workspace_id, name, kind, suffix, size_bytes, width, height, frames,
    milliseconds, codec, sha256, original_suffix, original_size_bytes, tags, shared, created_by)
VALUES (%(workspace_id)s, %(name)s, %(kind)s, %(suffix)s, %(size_bytes)s, %(width)s, %(height)s,
    %(frames)s, %(milliseconds)s, %(codec)s, %(sha256)s, %(original_suffix)s,
    %(original_size_bytes)s, %(tags)s, %(shared)s, %(created_by)s)
ON CONFLICT (workspace_id, name) DO NOTHING RETURNING id

-- name: add_content
INSERT INTO material_content (material_id, workspace_id, content, thumbnail)
VALUES (%(id)s, %(workspace_id)s, %(content)s, %(thumbnail)s)

-- name: total_bytes
-- What the library of a workspace holds, and in how many materials.
SELECT coalesce(sum(size_bytes), 0)::bigint AS size_bytes, count(*) AS materials
FROM material WHERE workspace_id = %(workspace_id)s

-- name: hold_library
-- Additions to the library of a workspace wait for each other, so that its limit holds.
SELECT pg_advisory_xact_lock(hashtextextended('materials', %(workspace_id)s))

-- name: materials
-- A page of what a viewer sees: shared ones and their own, or all (viewer null).
SELECT id, workspace_id, name, kind, suffix, size_bytes, width, height, frames, milliseconds,
    codec, sha256, original_suffix, original_size_bytes, tags, shared, created_by, created_at
FROM material
WHERE workspace_id = %(workspace_id)s AND id > %(after)s
    AND (%(viewer)s::text IS NULL OR shared OR created_by = %(viewer)s)
    AND (%(name)s::text IS NULL OR name = %(name)s)
    AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s))
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(tag)s::text IS NULL OR %(tag)s = ANY(tags))
    AND (%(created_by)s::text IS NULL OR created_by = %(created_by)s)
    AND (%(shared)s::boolean IS NULL OR shared = %(shared)s)
    AND (%(text)s::text IS NULL OR strpos(lower(name), lower(%(text)s)) > 0)
ORDER BY id LIMIT %(limit)s

-- name: newest
-- The same page, the newest first: from the end, or before an id.
SELECT id, workspace_id, name, kind, suffix, size_bytes, width, height, frames, milliseconds,
    codec, sha256, original_suffix, original_size_bytes, tags, shared, created_by, created_at
FROM material
WHERE workspace_id = %(workspace_id)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
    AND (%(viewer)s::text IS NULL OR shared OR created_by = %(viewer)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(tag)s::text IS NULL OR %(tag)s = ANY(tags))
    AND (%(created_by)s::text IS NULL OR created_by = %(created_by)s)
    AND (%(shared)s::boolean IS NULL OR shared = %(shared)s)
    AND (%(text)s::text IS NULL OR strpos(lower(name), lower(%(text)s)) > 0)
ORDER BY id DESC LIMIT %(limit)s

-- name: tags
-- The tags that a viewer sees, the ones of most materials first.
SELECT tag AS name, count(*) AS materials
FROM material, unnest(tags) AS tag
WHERE workspace_id = %(workspace_id)s
    AND (%(viewer)s::text IS NULL OR shared OR created_by = %(viewer)s)
GROUP BY tag ORDER BY count(*) DESC, tag LIMIT %(limit)s

-- name: content
-- The file itself.
SELECT content FROM material_content
WHERE workspace_id = %(workspace_id)s AND material_id = %(id)s

-- name: thumbnail
SELECT thumbnail FROM material_content
WHERE workspace_id = %(workspace_id)s AND material_id = %(id)s

-- name: change
-- A new name or another visibility; null leaves as it is.
UPDATE material SET name = coalesce(%(new_name)s, name), shared = coalesce(%(shared)s, shared)
WHERE workspace_id = %(workspace_id)s AND id = %(id)s RETURNING id

-- name: tag
-- Take tags away and add others, keeping the order in which they were given; none beyond ten.
UPDATE material m SET tags = t.tags
FROM (
    SELECT one.id, ARRAY(
        SELECT tag FROM unnest(one.tags || %(added)s::text[]) WITH ORDINALITY AS given (tag, place)
        WHERE tag <> ALL (%(removed)s::text[])
        GROUP BY tag ORDER BY min(place)) AS tags
    FROM material one WHERE one.workspace_id = %(workspace_id)s AND one.id = ANY(%(ids)s)
) t
WHERE m.workspace_id = %(workspace_id)s AND m.id = t.id
RETURNING m.name, cardinality(m.tags) AS tags

-- name: delete
-- No row: a template is made of it, or somebody was first.
DELETE FROM material m
WHERE m.workspace_id = %(workspace_id)s AND m.id = %(id)s
    AND NOT EXISTS (SELECT FROM digital_part p WHERE p.material_id = m.id)
RETURNING m.id

-- name: used_by
-- A template that is made of the material.
SELECT t.name FROM digital_part p JOIN template t ON t.id = p.template_id
WHERE p.workspace_id = %(workspace_id)s AND p.material_id = %(id)s ORDER BY t.id LIMIT 1
