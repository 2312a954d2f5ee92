-- name: codes_known
-- Whose extend codes are: where enough replies told the same, and hardly any told otherwise.
SELECT e.code, e.workspace_id, e.signature_id
FROM (SELECT *, sum(seen) OVER (PARTITION BY code) AS told FROM extend_code
      WHERE platform_id = %(platform_id)s AND code = ANY(%(codes)s::text[])) e
JOIN signature s ON s.id = e.signature_id
WHERE e.seen >= %(least)s AND e.seen * 10 >= e.told * 9 AND s.state <> 'deleted'

-- name: learn_codes
-- Count what replies tell of codes.
INSERT INTO extend_code AS e (platform_id, code, signature_id, workspace_id, seen)
SELECT %(platform_id)s, * FROM unnest(%(codes)s::text[], %(signature_ids)s::bigint[],
                                      %(workspace_ids)s::bigint[], %(counts)s::integer[])
ON CONFLICT (platform_id, code, signature_id) DO UPDATE SET seen = e.seen + excluded.seen
