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
