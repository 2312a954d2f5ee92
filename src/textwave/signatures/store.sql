-- name: add_signature
-- One that the platform has, or (with papers) one that it is to get.
INSERT INTO signature (workspace_id, platform_id, name, state, reason, verified, decided_at, papers,
    carriers, submitted_at)
VALUES (%(workspace_id)s, %(platform_id)s, %(name)s, %(state)s, %(reason)s, %(verified)s,
    CASE WHEN %(verified)s THEN %(now)s::timestamptz END, %(papers)s, %(carriers)s,
    CASE WHEN %(papers)s::jsonb IS NULL THEN %(now)s::timestamptz END)
ON CONFLICT (workspace_id, platform_id, name) WHERE state <> 'deleted' DO NOTHING RETURNING id

-- name: signatures
-- A page of a workspace's signatures, in the order of their ids; when each was last sent with.
SELECT s.id, s.workspace_id, s.platform_id, p.name AS platform, p.kind, s.name, s.state, s.reason,
    s.verified, s.rate_per_second, s.papers, s.carriers, s.created_at, s.submitted_at,
    s.decided_at, sent.last_sent_at
FROM signature s JOIN platform p ON p.id = s.platform_id
LEFT JOIN (
    SELECT signature_id, max(planned_at) AS last_sent_at FROM campaign
    WHERE workspace_id = %(workspace_id)s GROUP BY signature_id
) sent ON sent.signature_id = s.id
WHERE s.workspace_id = %(workspace_id)s AND s.state <> 'deleted' AND s.id > %(after)s
    AND (%(platform_id)s::bigint IS NULL OR s.platform_id = %(platform_id)s)
    AND (%(name)s::text IS NULL OR s.name = %(name)s)
ORDER BY s.id LIMIT %(limit)s

-- name: signature
-- One signature by its id, also a deleted one.
SELECT s.id, s.workspace_id, s.platform_id, p.name AS platform, p.kind, s.name, s.state, s.reason,
    s.verified, s.rate_per_second, s.papers, s.carriers, s.created_at, s.submitted_at,
    s.decided_at, NULL::timestamptz AS last_sent_at
FROM signature s JOIN platform p ON p.id = s.platform_id
WHERE s.workspace_id = %(workspace_id)s AND s.id = %(id)s

-- name: approved_signature
-- The approved signature that was added first, or the one asked for: what a reviewer is shown.
SELECT name FROM signature
WHERE workspace_id = %(workspace_id)s AND platform_id = %(platform_id)s AND state = 'approved'
    AND (%(name)s = '' OR name = %(name)s)
ORDER BY id LIMIT 1

-- name: move_signature
-- One move; no row means that somebody was first. Deleting waits until no campaign uses it. One
-- with papers is handed over again; one without is asked about from now on.
UPDATE signature s SET state = %(state)s, reason = '', asked_at = NULL,
    papers = coalesce(%(papers)s::jsonb, s.papers),
    submitted_at = CASE WHEN %(state)s = 'deleted' THEN s.submitted_at
        WHEN %(hands_over)s THEN NULL ELSE %(now)s::timestamptz END,
    verified = CASE WHEN %(state)s = 'deleted' THEN verified ELSE false END
WHERE s.workspace_id = %(workspace_id)s AND s.id = %(id)s AND s.state = ANY(%(sources)s)
    AND NOT (%(state)s = 'deleted' AND EXISTS (
        SELECT FROM campaign c WHERE c.workspace_id = s.workspace_id AND c.signature_id = s.id
            AND c.state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused')))
RETURNING s.id

-- name: campaign_using_signature
SELECT name FROM campaign WHERE workspace_id = %(workspace_id)s AND signature_id = %(id)s
    AND state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused') ORDER BY id LIMIT 1

-- name: signature_is_shared
-- Whether other workspaces speak under it too.
SELECT signature_is_shared(%(platform_id)s, %(name)s)

-- name: signature_is_held
-- Whether any workspace has it, for workers.
SELECT EXISTS (SELECT FROM signature WHERE platform_id = %(platform_id)s AND name = %(name)s
    AND state <> 'deleted')

-- name: signature_handed_over
-- The platform has the papers; from here on its review counts.
UPDATE signature SET submitted_at = %(now)s, reason = '', asked_at = NULL
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = 'reviewing'
    AND submitted_at IS NULL
RETURNING id

-- name: signature_delayed
-- Say why the platform does not have the papers yet.
UPDATE signature SET reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = 'reviewing'
    AND submitted_at IS NULL

-- name: reject_signature
-- The platform refused to take the papers.
UPDATE signature SET state = %(state)s, reason = %(reason)s, decided_at = %(now)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = ANY(%(sources)s)
RETURNING workspace_id, id, name, state

-- name: decide_signatures
-- What the platform decided, for signatures that it has under review; those of all its workspaces.
UPDATE signature s SET state = %(state)s, reason = d.reason, verified = true,
    decided_at = %(now)s
FROM (SELECT unnest(%(names)s::text[]) AS name, unnest(%(reasons)s::text[]) AS reason) d
WHERE s.platform_id = %(platform_id)s AND s.name = d.name AND s.state = ANY(%(sources)s)
    AND s.submitted_at IS NOT NULL
RETURNING s.workspace_id, s.id, s.name, s.state

-- name: keep_registrations
-- What carriers say, for signatures in use or under review; no word of them leaves the last one.
-- An approved one that the platform does not stand by any more is not verified, and says why. One
-- that was approved just now without a word of carriers is asked about at once.
UPDATE signature s SET
    asked_at = CASE WHEN s.state = 'approved' AND s.decided_at = %(now)s AND d.carriers = '{}'
        THEN NULL ELSE %(now)s::timestamptz END,
    carriers = CASE WHEN d.carriers = '{}' THEN s.carriers ELSE d.carriers END,
    verified = CASE WHEN s.state = 'approved' THEN d.trouble = '' ELSE s.verified END,
    reason = CASE WHEN s.state = 'approved' THEN d.trouble ELSE s.reason END
FROM (SELECT unnest(%(names)s::text[]) AS name, unnest(%(carriers)s::jsonb[]) AS carriers,
    unnest(%(troubles)s::text[]) AS trouble) d
WHERE s.platform_id = %(platform_id)s AND s.name = d.name AND s.state <> 'deleted'
    AND s.submitted_at IS NOT NULL

-- name: to_ask
-- A page of what the platforms are to be asked about, for workers: all workspaces. Reviews every
-- tenth of the time that they have taken so far; registrations of approved ones twice a day.
SELECT s.id, s.workspace_id, s.platform_id, s.name AS subject
FROM signature s JOIN platform p ON p.id = s.platform_id
WHERE s.id > %(after)s AND s.submitted_at IS NOT NULL
    AND CASE s.state
        WHEN 'reviewing' THEN s.asked_at IS NULL OR s.asked_at + least(greatest(
            (%(now)s - s.submitted_at) / 10, interval '1 second'), interval '10 minutes') <= %(now)s
        WHEN 'approved' THEN p.kind = ANY(%(registering)s)
            AND (s.asked_at IS NULL OR s.asked_at + interval '12 hours' <= %(now)s)
        ELSE false END
ORDER BY s.id LIMIT %(limit)s

-- name: set_signature_rate
-- How many messages a second may leave under a signature; null: as many as the account takes.
UPDATE signature SET rate_per_second = %(rate_per_second)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state <> 'deleted'
