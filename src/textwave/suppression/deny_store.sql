-- name: denied
-- Which of the numbers get nothing, and whether by an opt-out of the platform; one index read.
SELECT mobile, bool_or(platform_id IS NOT NULL) FROM denied_number
WHERE workspace_id = %(workspace_id)s AND mobile = ANY(%(mobiles)s::bigint[])
  AND lifted_at IS NULL
  AND (platform_id IS NULL OR platform_id = %(platform_id)s::bigint)
GROUP BY mobile

-- name: all_denied
-- Every number that gets nothing; read as Arrow, whose driver numbers parameters.
SELECT mobile, CASE WHEN bool_or(platform_id IS NOT NULL) THEN 'opted out' ELSE 'deny list' END
    AS reason
FROM denied_number
WHERE workspace_id = $1 AND lifted_at IS NULL AND (platform_id IS NULL OR platform_id = $2)
GROUP BY mobile

-- name: add
-- Deny numbers; those denied already are left as they are and not returned. In order of number, so
-- that two writers never wait for each other crosswise.
INSERT INTO denied_number (workspace_id, platform_id, mobile, source, reason, evidence, denied_by,
                           denied_at)
SELECT %(workspace_id)s, %(platform_id)s::bigint, asked.mobile, %(source)s, %(reason)s,
       asked.evidence, %(actor)s, asked.denied_at
FROM unnest(%(mobiles)s::bigint[], %(evidences)s::text[], %(times)s::timestamptz[])
    AS asked (mobile, evidence, denied_at)
ORDER BY asked.mobile
ON CONFLICT (workspace_id, mobile, platform_id) WHERE lifted_at IS NULL DO NOTHING
RETURNING mobile

-- name: in_force
-- The entry of one number that is in force.
SELECT id, workspace_id, platform_id, mobile, source, reason, evidence, denied_by, denied_at,
       lifted_at
FROM denied_number
WHERE workspace_id = %(workspace_id)s AND mobile = %(mobile)s
  AND platform_id IS NOT DISTINCT FROM %(platform_id)s::bigint AND lifted_at IS NULL

-- name: lift
-- End an entry; it stays as evidence.
UPDATE denied_number
SET lifted_at = %(now)s, lifted_by = %(actor)s, lifted_evidence = %(evidence)s
WHERE workspace_id = %(workspace_id)s AND mobile = %(mobile)s
  AND platform_id IS NOT DISTINCT FROM %(platform_id)s::bigint AND lifted_at IS NULL
RETURNING id

-- name: page
-- Entries in force, newest first: of a platform, or of the deny list.
SELECT id, workspace_id, platform_id, mobile, source, reason, evidence, denied_by, denied_at,
       lifted_at
FROM denied_number
WHERE workspace_id = %(workspace_id)s AND lifted_at IS NULL
  AND platform_id IS NOT DISTINCT FROM %(platform_id)s::bigint
  AND (%(after)s::bigint IS NULL OR id < %(after)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: import_opt_outs
-- Opt-outs of a signature from a file; those in force already stay as they are, and those that a
-- later consent has overtaken stay lifted. Returns how many were overtaken.
WITH asked AS (
    SELECT mobile, evidence, at,
           EXISTS (SELECT FROM opt_out lifted
                   WHERE lifted.signature_id = %(signature_id)s AND lifted.mobile = a.mobile
                     AND lifted.lifted_at >= a.at) AS overtaken
    FROM unnest(%(mobiles)s::bigint[], %(evidences)s::text[], %(times)s::timestamptz[])
        AS a (mobile, evidence, at)
), added AS (
    INSERT INTO opt_out (workspace_id, signature_id, mobile, source, evidence, opted_out_at,
                         import_id)
    SELECT DISTINCT ON (mobile) %(workspace_id)s, %(signature_id)s, mobile, 'import', evidence,
           coalesce(at, %(now)s), %(operation_id)s
    FROM asked WHERE NOT overtaken ORDER BY mobile, at
    ON CONFLICT (signature_id, mobile) WHERE lifted_at IS NULL DO NOTHING
)
SELECT count(*) FROM asked WHERE overtaken

-- name: import_denials
-- The same for numbers of a platform or of the deny list.
WITH asked AS (
    SELECT mobile, evidence, at,
           EXISTS (SELECT FROM denied_number lifted
                   WHERE lifted.workspace_id = %(workspace_id)s AND lifted.mobile = a.mobile
                     AND lifted.platform_id IS NOT DISTINCT FROM %(platform_id)s::bigint
                     AND lifted.lifted_at >= a.at) AS overtaken
    FROM unnest(%(mobiles)s::bigint[], %(evidences)s::text[], %(times)s::timestamptz[])
        AS a (mobile, evidence, at)
), added AS (
    INSERT INTO denied_number (workspace_id, platform_id, mobile, source, reason, evidence,
                               denied_by, denied_at, import_id)
    SELECT DISTINCT ON (mobile) %(workspace_id)s, %(platform_id)s::bigint, mobile, 'import',
           %(reason)s, evidence, %(actor)s, coalesce(at, %(now)s), %(operation_id)s
    FROM asked WHERE NOT overtaken ORDER BY mobile, at
    ON CONFLICT (workspace_id, mobile, platform_id) WHERE lifted_at IS NULL DO NOTHING
)
SELECT count(*) FROM asked WHERE overtaken

-- name: added_by_import
-- How many entries an import has added; the same after it was interrupted and ran again.
SELECT (SELECT count(*) FROM opt_out
        WHERE import_id = %(operation_id)s AND workspace_id = %(workspace_id)s)
     + (SELECT count(*) FROM denied_number
        WHERE import_id = %(operation_id)s AND workspace_id = %(workspace_id)s)

-- name: reject_lines
INSERT INTO rejected_line (workspace_id, operation_id, line, reason, content)
SELECT %(workspace_id)s, %(operation_id)s, line, reason, content
FROM unnest(%(lines)s::bigint[], %(reasons)s::text[], %(contents)s::text[])
    AS r (line, reason, content)
ON CONFLICT DO NOTHING

-- name: rejected_lines
-- Lines of an import that were not taken, in order.
SELECT line, reason, content FROM rejected_line
WHERE workspace_id = %(workspace_id)s AND operation_id = %(operation_id)s AND line > %(after)s
ORDER BY line LIMIT %(limit)s

-- name: forget_rejected_lines
-- Delete lines of imports that ended before a time, or are forgotten themselves.
DELETE FROM rejected_line WHERE (operation_id, line) IN (
    SELECT r.operation_id, r.line FROM rejected_line r LEFT JOIN operation o ON o.id = r.operation_id
    WHERE o.id IS NULL OR o.finished_at < %(before)s
    ORDER BY r.operation_id, r.line LIMIT %(limit)s)

-- name: export
-- Opt-outs and denied numbers as they are exported: of a signature, of a platform and its
-- signatures, of the deny list, or all; lifted ones only when they are asked for.
SELECT o.mobile, p.name AS platform, s.name AS signature, o.source, '' AS reason, o.evidence,
       o.opted_out_at AS happened_at, o.lifted_at, coalesce(o.lifted_evidence, '') AS lifted_evidence
FROM opt_out o JOIN signature s ON s.id = o.signature_id JOIN platform p ON p.id = s.platform_id
WHERE o.workspace_id = %(workspace_id)s AND %(kind)s <> 'deny list'
  AND (%(signature_id)s::bigint IS NULL OR o.signature_id = %(signature_id)s)
  AND (%(platform_id)s::bigint IS NULL OR s.platform_id = %(platform_id)s)
  AND (%(with_lifted)s OR o.lifted_at IS NULL)
UNION ALL
SELECT d.mobile, coalesce(p.name, ''), '', d.source, d.reason, d.evidence, d.denied_at, d.lifted_at,
       coalesce(d.lifted_evidence, '')
FROM denied_number d LEFT JOIN platform p ON p.id = d.platform_id
WHERE d.workspace_id = %(workspace_id)s AND %(signature_id)s::bigint IS NULL
  AND (d.platform_id IS NULL) = (%(kind)s = 'deny list')
  AND (%(platform_id)s::bigint IS NULL OR d.platform_id = %(platform_id)s)
  AND (%(with_lifted)s OR d.lifted_at IS NULL)
