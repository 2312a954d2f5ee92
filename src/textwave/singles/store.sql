-- name: add
-- A key that is taken adds no row.
INSERT INTO single_message (workspace_id, idempotency_key, body_digest, platform_id, signature_id,
    template_id, mobile, variables, parts, created_by)
VALUES (%(workspace_id)s, %(key)s, %(digest)s, %(platform_id)s, %(signature_id)s, %(template_id)s,
    %(mobile)s, %(variables)s, %(parts)s, %(actor)s)
ON CONFLICT (workspace_id, idempotency_key) DO NOTHING RETURNING id, created_at

-- name: of_key
-- Which message has a key, and what it was asked for.
SELECT id, body_digest FROM single_message
WHERE workspace_id = %(workspace_id)s AND idempotency_key = %(key)s

-- name: ingredients
-- All that a message is made of, and how long the workspace's oldest of the next thousand has been
-- waiting to be gathered: one look for each message.
SELECT t.id AS template_id, t.type, t.state AS template_state, t.content, p.name AS platform,
    g.id AS signature_id, g.state AS signature_state, w.default_region,
    coalesce((
        SELECT extract(epoch FROM clock_timestamp() - min(o.created_at))::float8
        FROM (SELECT workspace_id, created_at FROM single_message
              WHERE message_id IS NULL AND refusal = '' ORDER BY id LIMIT 1000) o
        WHERE o.workspace_id = w.id
    ), 0) AS oldest_seconds
FROM workspace w
LEFT JOIN template t ON t.workspace_id = w.id AND t.name = %(template)s AND t.state <> 'deleted'
LEFT JOIN platform p ON p.id = t.platform_id
LEFT JOIN signature g ON g.workspace_id = w.id AND g.platform_id = t.platform_id
    AND g.name = %(signature)s AND g.state <> 'deleted'
WHERE w.id = %(workspace_id)s

-- name: messages
-- A page of a workspace's single messages as they stand, newest first.
SELECT s.id, s.idempotency_key, p.name AS platform, g.name AS signature, t.name AS template,
    s.mobile, s.parts,
    CASE WHEN s.refusal <> '' THEN 'refused'
         WHEN s.message_id IS NULL THEN 'waiting'
         WHEN m.id IS NOT NULL THEN m.state
         WHEN d.id IS NOT NULL THEN 'dropped'
         ELSE 'moved' END AS state,
    coalesce(nullif(s.refusal, ''), m.cause, d.reason, '') AS cause,
    s.created_by, s.created_at, r.prepared_at AS sent_at, r.answered_at, m.finished_at
FROM single_message s
JOIN signature g ON g.id = s.signature_id
JOIN template t ON t.id = s.template_id
JOIN platform p ON p.id = t.platform_id
LEFT JOIN campaign c ON c.id = s.campaign_id
LEFT JOIN message_state m ON m.id = s.message_id
LEFT JOIN message_drop d ON d.id = s.message_id
LEFT JOIN LATERAL (
    SELECT r.prepared_at, r.answered_at FROM request r
    WHERE r.campaign_id = c.id AND r.number = (s.message_id - c.first_message_id) / c.request_size
      AND (r.message_ids IS NULL OR s.message_id = ANY(r.message_ids))
    ORDER BY r.attempt DESC LIMIT 1
) r ON m.id IS NOT NULL
WHERE s.workspace_id = %(workspace_id)s
    AND (%(id)s::bigint IS NULL OR s.id = %(id)s)
    AND (%(before)s::bigint IS NULL OR s.id < %(before)s)
ORDER BY s.id DESC LIMIT %(limit)s

-- name: next_group
-- What the message that has waited longest is made of; of all workspaces, for workers.
SELECT s.workspace_id, s.platform_id, s.signature_id, s.template_id, p.kind, p.max_batch,
    g.name AS signature, g.state AS signature_state, t.name AS template, t.state AS template_state,
    t.content, p.name AS platform, p.retired_at IS NULL AND EXISTS (
        SELECT FROM platform_workspace w
        WHERE w.platform_id = p.id AND w.workspace_id = s.workspace_id) AS is_admitted
FROM single_message s
JOIN platform p ON p.id = s.platform_id
JOIN signature g ON g.id = s.signature_id
JOIN template t ON t.id = s.template_id
WHERE s.message_id IS NULL AND s.refusal = ''
ORDER BY s.id LIMIT 1

-- name: take
-- Those that wait for the same, in the order in which they were asked for.
SELECT id, mobile FROM single_message
WHERE message_id IS NULL AND refusal = '' AND workspace_id = %(workspace_id)s
    AND platform_id = %(platform_id)s AND signature_id = %(signature_id)s
    AND template_id = %(template_id)s
ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: refuse
-- What they were made of is not to be sent with any more.
UPDATE single_message SET refusal = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = ANY(%(ids)s) AND message_id IS NULL

-- name: open_campaign
-- The campaign that stood for the same messages a moment ago.
SELECT c.id FROM campaign c
WHERE c.workspace_id = %(workspace_id)s AND c.template_id = %(template_id)s
    AND c.purpose = 'single' AND c.platform_id = %(platform_id)s
    AND c.signature_id = %(signature_id)s AND c.content = %(content)s
    AND c.request_size = %(request_size)s AND c.state IN ('sending', 'completed')
    AND c.started_at > %(started_after)s
    AND c.token_version = (SELECT max(version) FROM token_key)
ORDER BY c.id DESC LIMIT 1

-- name: hold_tally
-- Whoever ends its last batch holds this row while he completes it: so nobody completes it now.
SELECT campaign_id FROM campaign_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s FOR UPDATE

-- name: room
-- Where its next batch begins. Requests are told by their place, so each batch begins a new one.
SELECT coalesce(b.number, -1) + 1 AS number,
    c.first_message_id + coalesce((b.last_id - c.first_message_id) / c.request_size + 1, 0)
        * c.request_size AS first_id,
    c.last_message_id AS last_id
FROM campaign c
LEFT JOIN LATERAL (
    SELECT number, last_id FROM batch WHERE campaign_id = c.id ORDER BY number DESC LIMIT 1
) b ON true
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s
    AND c.state IN ('sending', 'completed')

-- name: add_campaign
-- A campaign that stands for single messages: nobody sees it among those of audiences.
INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id, numbers,
    created_by, purpose, state, content, token_version, first_message_id, last_message_id,
    request_size, priority, started_at, planned_at)
VALUES (%(workspace_id)s, %(name)s, 'notification', %(platform_id)s, %(signature_id)s,
    %(template_id)s, 'first', 'textwave', 'single', 'completed', %(content)s,
    (SELECT max(version) FROM token_key), %(first_id)s, %(last_id)s, %(request_size)s, 1, %(now)s,
    %(now)s)
RETURNING id

-- name: add_tally
INSERT INTO campaign_tally (campaign_id, workspace_id) VALUES (%(campaign_id)s, %(workspace_id)s)

-- name: add_messages
-- They become messages, in the order of their numbers.
WITH chosen AS (
    SELECT id, mobile, variables, parts,
        %(first_id)s + row_number() OVER (ORDER BY mobile) - 1 AS message_id
    FROM single_message WHERE workspace_id = %(workspace_id)s AND id = ANY(%(ids)s)
), added AS (
    INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts, variables)
    SELECT message_id, %(workspace_id)s, %(campaign_id)s, mobile, '', parts, variables FROM chosen
), handed_on AS (
    UPDATE single_message s SET campaign_id = %(campaign_id)s, message_id = c.message_id
    FROM chosen c WHERE s.id = c.id AND s.message_id IS NULL
), counted AS (
    SELECT count(*) AS messages, sum(parts) AS parts FROM chosen
)
UPDATE campaign_tally t SET audience = t.audience + n.messages, messages = t.messages + n.messages,
    parts = t.parts + n.parts
FROM counted n WHERE t.workspace_id = %(workspace_id)s AND t.campaign_id = %(campaign_id)s

-- name: add_batch
INSERT INTO batch (campaign_id, workspace_id, number, first_id, last_id)
VALUES (%(campaign_id)s, %(workspace_id)s, %(number)s, %(first_id)s, %(last_id)s)

-- name: send
-- There is something to send again.
UPDATE campaign SET state = 'sending', completed_at = NULL
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s
    AND state IN ('sending', 'completed')
RETURNING id

-- name: reopen
-- Those that were completed while a batch came: a safety net under the lock of the tally.
UPDATE campaign c SET state = 'sending', completed_at = NULL
WHERE c.purpose = 'single' AND c.state = 'completed' AND c.completed_at > now() - interval '1 hour'
    AND EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id AND b.state <> 'done')

-- name: resume
-- Those that the platform made pause a minute ago. Nobody sees them among campaigns, so nobody else
-- resumes them; what has waited for a day is out of date.
WITH resumed AS (
    UPDATE campaign SET state = 'sending', reason = ''
    WHERE purpose = 'single' AND state = 'paused' AND state_since < now() - interval '1 minute'
        AND started_at > now() - interval '1 day'
    RETURNING platform_id
)
SELECT count(*) FROM (SELECT platform_id, defer_serving(platform_id, NULL) FROM resumed) AS r

-- name: is_waiting
SELECT EXISTS (SELECT FROM single_message WHERE message_id IS NULL AND refusal = '')

-- name: forget
-- Those of long ago; their messages stay as long as all messages do.
DELETE FROM single_message WHERE id = ANY(ARRAY(
    SELECT id FROM single_message WHERE created_at < %(before)s ORDER BY created_at
    LIMIT %(limit)s))
