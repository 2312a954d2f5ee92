-- name: add
-- A test send: a small campaign that is sending already and counted nowhere.
INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id, audience_id,
                      variables, numbers, created_by, purpose, copied_from, state, content,
                      token_version, first_message_id, last_message_id, request_size, started_at,
                      planned_at)
SELECT c.workspace_id, %(name)s, c.type, c.platform_id, c.signature_id, %(template_id)s,
       c.audience_id, '{}', c.numbers, %(actor)s, 'test', c.id, 'sending', %(content)s,
       (SELECT max(version) FROM token_key), %(first_id)s, %(last_id)s, p.max_batch, now(), now()
FROM campaign c JOIN platform p ON p.id = c.platform_id
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s
RETURNING id

-- name: add_messages
INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts, variables)
SELECT %(first_id)s + row_number() OVER (ORDER BY mobile) - 1, %(workspace_id)s, %(test_id)s, mobile,
       '', %(parts)s, %(variables)s::text[]
FROM unnest(%(mobiles)s::bigint[]) AS mobile

-- name: add_batch
INSERT INTO batch (campaign_id, workspace_id, number, first_id, last_id)
VALUES (%(test_id)s, %(workspace_id)s, 0, %(first_id)s, %(last_id)s)

-- name: add_tally
INSERT INTO campaign_tally (campaign_id, workspace_id, audience, messages, parts)
VALUES (%(test_id)s, %(workspace_id)s, %(size)s, %(size)s, %(size)s * %(parts)s::bigint)

-- name: count
SELECT count(*) FROM campaign
WHERE workspace_id = %(workspace_id)s AND copied_from = %(campaign_id)s AND purpose = 'test'

-- name: sent_tests
-- The newest test sends of a campaign.
SELECT id, name, state, reason, created_by, created_at FROM campaign
WHERE workspace_id = %(workspace_id)s AND copied_from = %(campaign_id)s AND purpose = 'test'
ORDER BY id DESC LIMIT %(limit)s

-- name: messages
-- What became of the messages of test sends; dropped ones have their reason as the cause.
SELECT m.campaign_id AS test_id, m.mobile, m.state, coalesce(m.cause, '') AS cause, m.parts,
       r.prepared_at, r.answered_at, coalesce(r.outcome, '') AS outcome, m.finished_at
FROM campaign c
JOIN message_state m ON m.campaign_id = c.id
    AND m.id BETWEEN c.first_message_id AND c.last_message_id
LEFT JOIN LATERAL (
    SELECT r.prepared_at, r.answered_at, r.outcome FROM request r
    WHERE r.campaign_id = c.id AND r.number = (m.id - c.first_message_id) / c.request_size
      AND (r.message_ids IS NULL OR m.id = ANY(r.message_ids))
    ORDER BY r.attempt DESC LIMIT 1
) r ON true
WHERE c.workspace_id = %(workspace_id)s AND c.id = ANY(%(test_ids)s::bigint[])
UNION ALL
SELECT d.campaign_id, d.mobile, 'dropped', d.reason, 0::smallint, NULL, NULL, '', d.dropped_at
FROM campaign c
JOIN message_drop d ON d.campaign_id = c.id AND d.id BETWEEN c.first_message_id AND c.last_message_id
WHERE c.workspace_id = %(workspace_id)s AND c.id = ANY(%(test_ids)s::bigint[])
ORDER BY 1, 2
