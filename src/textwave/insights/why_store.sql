-- name: campaigns_before
-- The newest campaigns before one that have been planned.
SELECT id FROM campaign
WHERE workspace_id = %(workspace_id)s AND first_message_id IS NOT NULL AND id < %(before)s
ORDER BY id DESC LIMIT %(most)s

-- name: sent
-- The messages of a number in some campaigns, each with the last request that had it.
SELECT c.id AS campaign_id, c.name AS campaign, c.type, p.name AS platform, s.name AS signature,
       v.name AS variant, m.id AS message_id, m.state, m.cause, r.attempt, r.prepared_at,
       r.answered_at, r.outcome, m.finished_at, m.clicked_at
FROM messages_of_number(%(workspace_id)s, %(mobile)s, %(campaign_ids)s::bigint[]) f
JOIN message_state m ON m.id = f.message_id
JOIN campaign c ON c.id = f.campaign_id
JOIN platform p ON p.id = c.platform_id JOIN signature s ON s.id = c.signature_id
LEFT JOIN campaign_variant v ON v.campaign_id = c.id AND m.id BETWEEN v.first_id AND v.last_id
LEFT JOIN LATERAL (
    SELECT r.attempt, r.prepared_at, r.answered_at, nullif(r.outcome, '') AS outcome
    FROM request r
    WHERE r.campaign_id = c.id AND r.number = (m.id - c.first_message_id) / c.request_size
      AND (r.message_ids IS NULL OR m.id = ANY(r.message_ids))
      AND m.state NOT IN ('planned', 'held')
    ORDER BY r.attempt DESC LIMIT 1
) r ON true
WHERE m.workspace_id = %(workspace_id)s
ORDER BY c.id DESC

-- name: dropped
-- The drops of a number in some campaigns.
SELECT c.id AS campaign_id, c.name AS campaign, c.type, p.name AS platform, s.name AS signature,
       d.reason, coalesce(d.dropped_at, c.planned_at) AS dropped_at, c.control_share_milli,
       c.control_size,
       (SELECT array_agg(a.name ORDER BY a.name) FROM campaign_exclusion e
        JOIN audience a ON a.id = e.audience_id
        WHERE e.campaign_id = c.id AND d.reason = 'excluded') AS excluded
FROM message_drop d JOIN campaign c ON c.id = d.campaign_id
JOIN platform p ON p.id = c.platform_id JOIN signature s ON s.id = c.signature_id
WHERE d.workspace_id = %(workspace_id)s AND d.mobile = %(mobile)s
  AND d.campaign_id = ANY(%(campaign_ids)s::bigint[])
ORDER BY c.id DESC, d.id

-- name: blocks
-- Every opt-out and entry of a number, also lifted ones, oldest first.
SELECT p.id AS platform_id, p.name AS platform, s.name AS signature, o.source, '' AS reason,
       o.evidence, o.opted_out_at AS blocked_at, o.lifted_at, o.lifted_evidence
FROM signature s JOIN platform p ON p.id = s.platform_id
CROSS JOIN LATERAL (
    SELECT * FROM opt_out o WHERE o.signature_id = s.id AND o.mobile = %(mobile)s
      AND o.lifted_at IS NULL
    UNION ALL
    SELECT * FROM opt_out o WHERE o.signature_id = s.id AND o.mobile = %(mobile)s
      AND o.lifted_at IS NOT NULL
) o
WHERE s.workspace_id = %(workspace_id)s
UNION ALL
SELECT d.platform_id, p.name, NULL, d.source, d.reason, d.evidence, d.denied_at, d.lifted_at,
       d.lifted_evidence
FROM (
    SELECT * FROM denied_number WHERE workspace_id = %(workspace_id)s AND mobile = %(mobile)s
      AND lifted_at IS NULL
    UNION ALL
    SELECT * FROM denied_number WHERE workspace_id = %(workspace_id)s AND mobile = %(mobile)s
      AND lifted_at IS NOT NULL
) d LEFT JOIN platform p ON p.id = d.platform_id
ORDER BY blocked_at

-- name: touches_by_number
-- What fatigue counts for a number, newest first.
SELECT t.message_id, t.touched_at, c.name AS campaign, s.name AS signature, p.name AS platform
FROM touch t JOIN signature s ON s.id = t.signature_id JOIN platform p ON p.id = s.platform_id
JOIN campaign c ON c.id = t.campaign_id
WHERE t.workspace_id = %(workspace_id)s AND t.touched_at > %(after)s AND t.mobile = %(mobile)s
ORDER BY t.touched_at DESC, t.message_id DESC LIMIT %(limit)s

-- name: touches_by_customer
-- The same for the customers whose number it was.
SELECT t.message_id, t.touched_at, c.name AS campaign, s.name AS signature, p.name AS platform
FROM touch t JOIN signature s ON s.id = t.signature_id JOIN platform p ON p.id = s.platform_id
JOIN campaign c ON c.id = t.campaign_id
WHERE t.workspace_id = %(workspace_id)s AND t.touched_at > %(after)s
  AND t.customer_key = ANY(ARRAY(
      SELECT o.customer_key FROM touch o
      WHERE o.workspace_id = %(workspace_id)s AND o.mobile = %(mobile)s
        AND o.touched_at > %(after)s AND o.customer_key IS NOT NULL))
ORDER BY t.touched_at DESC, t.message_id DESC LIMIT %(limit)s
