-- name: undecided
-- Campaigns whose tests are all on their way for as long as the winner's rule says.
SELECT c.id AS campaign_id, c.workspace_id FROM campaign c
WHERE c.winner_by = 'clicks' AND c.winner IS NULL AND c.state IN ('sending', 'paused')
  AND (%(campaign_id)s::bigint IS NULL OR c.id = %(campaign_id)s)
  AND EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id AND b.variant = 0
                AND b.state = 'waiting')
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id AND b.variant > 0
                    AND b.state = 'waiting')
  AND coalesce((SELECT max(r.prepared_at) FROM request r
                WHERE r.campaign_id = c.id AND r.workspace_id = c.workspace_id AND r.attempt = 0),
               c.planned_at)
      <= %(now)s - make_interval(mins => c.winner_after_minutes)
ORDER BY c.id LIMIT %(limit)s

-- name: choose
-- The winner, once.
UPDATE campaign SET winner = %(number)s, winner_chosen_at = %(now)s, winner_reason = %(reason)s,
    reason = CASE state WHEN 'sending' THEN %(reason)s ELSE reason END
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND winner IS NULL
  AND state IN ('sending', 'paused')
RETURNING id

-- name: waits_for_winner
-- Whether messages wait for it.
SELECT EXISTS (SELECT FROM batch
               WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
                 AND variant = 0 AND state = 'waiting' AND due_at = 'infinity')

-- name: count_variants
-- Count each variant's messages from the rows. A refusal that came with the platform's answer ended
-- its message in that answer's moment; such a message was never taken.
WITH counted AS (
    SELECT v.number, count(*) AS messages,
           count(*) FILTER (WHERE m.state = 'delivered') AS delivered,
           count(*) FILTER (WHERE m.state = 'failed'
               OR m.state IS NULL AND r.state IS NULL AND c.state = 'cancelled') AS failed,
           count(*) FILTER (WHERE m.state IN ('submitted', 'delivered')
               OR m.state IS NULL AND r.state = 'accepted'
               OR m.state = 'failed' AND m.cause NOT IN ('cancelled', 'not sent', 'in doubt',
                                                                'not sent in time')
                   AND NOT EXISTS (
                       SELECT FROM request q WHERE q.campaign_id = m.campaign_id
                         AND q.number = (m.id - c.first_message_id) / c.request_size
                         AND q.answered_at = m.finished_at)) AS submitted,
           count(m.clicked_at) AS clickers
    FROM campaign c
    JOIN campaign_variant v ON v.campaign_id = c.id
    JOIN message m ON m.id BETWEEN v.first_id AND v.last_id AND m.campaign_id = c.id
    LEFT JOIN request r ON r.campaign_id = c.id AND r.attempt = 0
        AND r.number = (m.id - c.first_message_id) / c.request_size
    WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s
    GROUP BY v.number
), clicked AS (
    SELECT v.number, count(*) AS clicks
    FROM campaign_variant v
    JOIN click k ON k.campaign_id = v.campaign_id AND k.human
        AND k.message_id BETWEEN v.first_id AND v.last_id
    WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s
    GROUP BY v.number
)
UPDATE campaign_variant v
SET messages = n.messages, delivered = n.delivered, failed = n.failed, submitted = n.submitted,
    clickers = n.clickers, clicks = coalesce(k.clicks, 0), counted_at = now(), counted_of = %(of)s
FROM counted n LEFT JOIN clicked k ON k.number = n.number
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s AND v.number = n.number

-- name: to_count
-- Campaigns with variants whose counters have moved since their variants were counted.
SELECT c.id AS campaign_id, c.workspace_id, now_of.figures FROM campaign c
JOIN campaign_tally t ON t.campaign_id = c.id
CROSS JOIN LATERAL (
    SELECT concat_ws('/', c.state, t.messages, t.submitted, t.delivered, t.failed, t.human_clicks,
                     t.clickers) AS figures
) now_of
WHERE c.planned_at > now() - interval '40 days'
  AND EXISTS (SELECT FROM campaign_variant v WHERE v.campaign_id = c.id
                AND v.first_id IS NOT NULL AND v.counted_of <> now_of.figures)
ORDER BY c.id LIMIT %(limit)s

-- name: results
-- What came of the variants that were tried.
SELECT number, name, submitted, clickers FROM campaign_variant
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number > 0
ORDER BY number

-- name: rest
-- The rest of a campaign that has a winner: from which id on it has not got the text.
SELECT coalesce(v.settled_id + 1, v.first_id) AS next_id, v.last_id, c.winner
FROM campaign_variant v JOIN campaign c ON c.id = v.campaign_id
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s AND v.number = 0
  AND v.first_id IS NOT NULL AND c.winner IS NOT NULL AND c.state IN ('sending', 'paused')
FOR UPDATE OF v FOR SHARE OF c

-- name: messages
SELECT id, variables, parts FROM message
WHERE campaign_id = %(campaign_id)s AND id BETWEEN %(first_id)s AND %(last_id)s ORDER BY id

-- name: set_texts
-- The winner's values out of all, and its parts; the tally follows.
WITH changed AS (
    UPDATE message m SET parts = n.parts,
        variables = ARRAY(SELECT m.variables[p.place]
                          FROM unnest(%(places)s::integer[]) WITH ORDINALITY AS p (place, ordinal)
                          ORDER BY p.ordinal)
    FROM unnest(%(ids)s::bigint[], %(parts)s::smallint[]) AS n (id, parts)
    WHERE m.id = n.id AND m.id BETWEEN %(first_id)s AND %(last_id)s
      AND m.campaign_id = %(campaign_id)s
)
UPDATE campaign_tally SET parts = parts + %(more_parts)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: settle
-- Up to here the rest has the winner's text.
UPDATE campaign_variant SET settled_id = %(last_id)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number = 0

-- name: release
-- The rest has the winner's template from now on, and its batches are due.
WITH chosen AS (
    UPDATE campaign_variant v SET template_id = w.template_id, content = w.content
    FROM campaign_variant w JOIN campaign c ON c.id = w.campaign_id AND c.winner = w.number
    WHERE w.workspace_id = %(workspace_id)s AND w.campaign_id = %(campaign_id)s
      AND v.campaign_id = w.campaign_id AND v.number = 0
)
UPDATE batch SET due_at = %(now)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND variant = 0
  AND state = 'waiting' AND due_at = 'infinity'

-- name: unreleased
-- Campaigns that have a winner and messages that still wait for it: a safety net.
SELECT c.id AS campaign_id, c.workspace_id FROM campaign c
WHERE c.winner IS NOT NULL AND c.state IN ('sending', 'paused')
  AND EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id AND b.variant = 0
                AND b.state = 'waiting' AND b.due_at = 'infinity')
ORDER BY c.id LIMIT %(limit)s
