-- name: due
-- Requests in doubt that it is time to ask for, of accounts that honour no keys, with the messages
-- of each that have no final state; at most so many an account. What a person has settled is not
-- asked for, nor what some job still holds.
SELECT q.workspace_id, q.platform_id, q.campaign_id, q.number, q.attempt, q.prepared_at, q.asked,
       (SELECT name FROM installation) AS installation, m.ids, m.mobiles
FROM (
    SELECT r.*, c.platform_id, coalesce(i.asked, 0) AS asked, row_number() OVER (
               PARTITION BY c.platform_id
               ORDER BY coalesce(i.due_at, r.prepared_at), r.campaign_id, r.number) AS place
    FROM request r
    JOIN campaign c ON c.id = r.campaign_id JOIN platform p ON p.id = c.platform_id
    JOIN batch b ON (b.campaign_id, b.number) = (r.campaign_id, r.batch_number)
    LEFT JOIN doubt_inquiry i
        ON (i.campaign_id, i.number, i.attempt) = (r.campaign_id, r.number, r.attempt)
    LEFT JOIN doubt_settlement s
        ON (s.campaign_id, s.number, s.attempt) = (r.campaign_id, r.number, r.attempt)
    WHERE r.state = 'in doubt' AND NOT 'idempotency' = ANY(p.capabilities)
      AND s.campaign_id IS NULL
      AND r.prepared_at <= %(prepared_before)s AND coalesce(i.due_at, '-infinity') <= %(now)s
      AND coalesce(b.held_until, '-infinity') < now()
) q
CROSS JOIN LATERAL (
    SELECT array_agg(m.id) AS ids, array_agg(m.mobile) AS mobiles
    FROM messages_of_request(q.campaign_id, q.number, q.first_id, q.last_id, q.message_ids) m
    WHERE m.state IS NULL OR m.state = 'retrying'
) m
WHERE q.place <= %(most)s AND m.ids IS NOT NULL
ORDER BY q.platform_id, q.place

-- name: note
-- What the platform said, and when it is asked again.
INSERT INTO doubt_inquiry AS i (campaign_id, number, attempt, workspace_id, asked, asked_at, due_at,
                                answer)
VALUES (%(campaign_id)s, %(number)s, %(attempt)s, %(workspace_id)s, 1, %(now)s, %(due_at)s,
        %(answer)s)
ON CONFLICT (campaign_id, number, attempt) DO UPDATE SET asked = i.asked + 1,
    asked_at = excluded.asked_at, due_at = excluded.due_at, answer = excluded.answer
