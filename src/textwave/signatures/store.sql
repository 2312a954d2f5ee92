-- name: add_signature
INSERT INTO signature (workspace_id, platform_id, name, state, reason, verified, decided_at)
VALUES (%(workspace_id)s, %(platform_id)s, %(name)s, %(state)s, %(reason)s, %(verified)s,
    CASE WHEN %(verified)s THEN %(now)s::timestamptz END)
ON CONFLICT (workspace_id, platform_id, name) WHERE state <> 'deleted' DO NOTHING RETURNING id

-- name: signatures
-- A page of a workspace's signatures, in the order of their ids.
SELECT s.id, s.workspace_id, s.platform_id, p.name AS platform, s.name, s.state, s.reason,
    s.verified, s.rate_per_second, s.created_at, s.decided_at
FROM signature s JOIN platform p ON p.id = s.platform_id
WHERE s.workspace_id = %(workspace_id)s AND s.state <> 'deleted' AND s.id > %(after)s
    AND (%(platform_id)s::bigint IS NULL OR s.platform_id = %(platform_id)s)
    AND (%(name)s::text IS NULL OR s.name = %(name)s)
ORDER BY s.id LIMIT %(limit)s

-- name: move_signature
-- One move; no row means that somebody was first. Deleting waits until no campaign uses it.
UPDATE signature s SET state = %(state)s, reason = '',
    verified = CASE WHEN %(state)s = 'deleted' THEN verified ELSE false END
WHERE s.workspace_id = %(workspace_id)s AND s.id = %(id)s AND s.state = ANY(%(sources)s)
    AND NOT (%(state)s = 'deleted' AND EXISTS (
        SELECT FROM campaign c WHERE c.workspace_id = s.workspace_id AND c.signature_id = s.id
            AND c.state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused')))
RETURNING s.id

-- name: campaign_using_signature
SELECT name FROM campaign WHERE workspace_id = %(workspace_id)s AND signature_id = %(id)s
    AND state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused') ORDER BY id LIMIT 1

-- name: decide_signatures
-- What the platform decided, for signatures under review; those of all its workspaces.
UPDATE signature s SET state = %(state)s, reason = d.reason, verified = true,
    decided_at = %(now)s
FROM (SELECT unnest(%(names)s::text[]) AS name, unnest(%(reasons)s::text[]) AS reason) d
WHERE s.platform_id = %(platform_id)s AND s.name = d.name AND s.state = ANY(%(sources)s)
RETURNING s.workspace_id, s.id, s.name, s.state

-- name: set_signature_rate
-- How many messages a second may leave under a signature; null: as many as the account takes.
UPDATE signature SET rate_per_second = %(rate_per_second)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state <> 'deleted'
