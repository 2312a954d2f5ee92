-- name: add_opt_outs
-- Block numbers for signatures; those in force already are left as they are and not returned.
-- The rows go in by signature and number, so that two writers never wait for each other crosswise.
INSERT INTO opt_out (workspace_id, signature_id, mobile, source, evidence, opted_out_at)
SELECT asked.workspace_id, asked.signature_id, asked.mobile, %(source)s, asked.evidence,
       asked.opted_out_at
FROM unnest(%(workspace_ids)s::bigint[], %(signature_ids)s::bigint[], %(mobiles)s::bigint[],
            %(evidences)s::text[], %(times)s::timestamptz[])
    AS asked (workspace_id, signature_id, mobile, evidence, opted_out_at)
ORDER BY asked.signature_id, asked.mobile
ON CONFLICT (signature_id, mobile) WHERE lifted_at IS NULL DO NOTHING
RETURNING signature_id, mobile

-- name: in_force
-- The opt-out of one number for one signature that is in force.
SELECT o.id, o.workspace_id, o.signature_id, s.name AS signature, o.mobile, o.source, o.evidence,
       o.opted_out_at, o.lifted_at
FROM opt_out o JOIN signature s ON s.id = o.signature_id
WHERE o.workspace_id = %(workspace_id)s AND o.signature_id = %(signature_id)s
  AND o.mobile = %(mobile)s AND o.lifted_at IS NULL

-- name: lift
-- End an opt-out because there is a new consent.
UPDATE opt_out SET lifted_at = %(now)s, lifted_evidence = %(evidence)s
WHERE workspace_id = %(workspace_id)s AND signature_id = %(signature_id)s
  AND mobile = %(mobile)s AND lifted_at IS NULL
RETURNING id

-- name: signature_exists
-- Whether the workspace has this signature; a deleted one still protects whoever opted out of it.
SELECT 1 FROM signature WHERE workspace_id = %(workspace_id)s AND id = %(signature_id)s

-- name: page
-- Opt-outs in force, newest first, of one signature or of all.
SELECT o.id, o.workspace_id, o.signature_id, s.name AS signature, o.mobile, o.source, o.evidence,
       o.opted_out_at, o.lifted_at
FROM opt_out o JOIN signature s ON s.id = o.signature_id
WHERE o.workspace_id = %(workspace_id)s AND o.lifted_at IS NULL
  AND (%(signature_id)s::bigint IS NULL OR o.signature_id = %(signature_id)s)
  AND (%(after)s::bigint IS NULL OR o.id < %(after)s)
ORDER BY o.id DESC LIMIT %(limit)s

-- name: opted_out
-- Which of the numbers are blocked for the signature; one read of the unique index.
SELECT mobile FROM opt_out
WHERE signature_id = %(signature_id)s AND mobile = ANY(%(mobiles)s::bigint[])
  AND lifted_at IS NULL

-- name: all_opted_out
-- Every number that is blocked for the signature; read as Arrow, whose driver numbers parameters.
SELECT mobile FROM opt_out WHERE signature_id = $1 AND lifted_at IS NULL

-- name: block_unsubscribed
-- Whoever the platform says has unsubscribed there: blocked for the signature that it was told of.
INSERT INTO opt_out (workspace_id, signature_id, mobile, source, evidence, opted_out_at)
SELECT DISTINCT c.workspace_id, c.signature_id, m.mobile, 'platform',
       'the platform refused campaign “' || c.name || '”: unsubscribed', now()
FROM message m JOIN campaign c ON c.id = m.campaign_id
WHERE m.id BETWEEN %(first_id)s AND %(last_id)s AND m.id = ANY(%(ids)s::bigint[])
  AND m.state = 'failed' AND m.cause = 'unsubscribed'
ORDER BY c.signature_id, m.mobile
ON CONFLICT (signature_id, mobile) WHERE lifted_at IS NULL DO NOTHING
