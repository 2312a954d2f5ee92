-- name: cases
-- Requests in doubt with what is known of each, in the order of their campaigns.
SELECT r.campaign_id, r.number, r.attempt, c.name AS campaign, c.state AS campaign_state,
       p.name AS platform, 'idempotency' = ANY(p.capabilities) AS honours_keys, r.prepared_at,
       r.outcome, r.detail, b.attempts, known.messages, known.unsettled, known.delivered,
       known.failed, known.clicked, coalesce(i.asked, 0) AS asked, i.asked_at,
       coalesce(i.answer, '') AS answer, s.settled_as, s.settled_by
FROM request r
JOIN campaign c ON c.id = r.campaign_id
JOIN platform p ON p.id = c.platform_id
JOIN batch b ON b.campaign_id = r.campaign_id AND b.number = r.batch_number
LEFT JOIN doubt_settlement s
    ON (s.campaign_id, s.number, s.attempt) = (r.campaign_id, r.number, r.attempt)
LEFT JOIN doubt_inquiry i
    ON (i.campaign_id, i.number, i.attempt) = (r.campaign_id, r.number, r.attempt)
CROSS JOIN LATERAL (
    SELECT count(*) AS messages,
           count(*) FILTER (WHERE m.state IS NULL OR m.state = 'retrying') AS unsettled,
           count(*) FILTER (WHERE m.state = 'delivered') AS delivered,
           count(*) FILTER (WHERE m.state = 'failed') AS failed, count(m.clicked_at) AS clicked
    FROM messages_of_request(r.campaign_id, r.number, r.first_id, r.last_id, r.message_ids) m
) known
WHERE r.workspace_id = %(workspace_id)s AND r.state = 'in doubt'
  AND (%(campaign)s::text IS NULL OR c.name = %(campaign)s)
  AND (%(platform)s::text IS NULL OR p.name = %(platform)s)
  AND (%(campaign_id)s::bigint IS NULL OR r.campaign_id = %(campaign_id)s)
  AND (%(number)s::integer IS NULL
       OR (r.number, r.attempt) = (%(number)s, %(attempt)s))
  AND (r.campaign_id, r.number, r.attempt)
      > (%(after_campaign)s, %(after_number)s, %(after_attempt)s)
ORDER BY r.campaign_id, r.number, r.attempt LIMIT %(limit)s

-- name: groups
-- Requests in doubt and their messages, by campaign and platform.
SELECT c.id AS campaign_id, c.name AS campaign, c.state AS campaign_state, p.name AS platform,
       'idempotency' = ANY(p.capabilities) AS honours_keys, count(*) AS requests,
       sum(r.size)::bigint AS messages, min(r.prepared_at) AS oldest_at
FROM request r
JOIN campaign c ON c.id = r.campaign_id JOIN platform p ON p.id = c.platform_id
WHERE r.workspace_id = %(workspace_id)s AND r.state = 'in doubt'
GROUP BY c.id, c.name, c.state, p.name, p.capabilities ORDER BY c.id

-- name: many_in_doubt
-- How many requests are in doubt; counted up to a most.
SELECT count(*) FROM (
    SELECT FROM request WHERE workspace_id = %(workspace_id)s AND state = 'in doubt'
    LIMIT %(most)s
) counted

-- name: exists
-- Whether the request exists, whatever it is now.
SELECT EXISTS (SELECT FROM request
               WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
                 AND number = %(number)s AND attempt = %(attempt)s)

-- name: say
-- What a person says about one request in doubt or about all of a campaign; who is second says
-- nothing.
INSERT INTO doubt_settlement (campaign_id, number, attempt, workspace_id, settled_as, settled_by)
SELECT r.campaign_id, r.number, r.attempt, r.workspace_id, %(settled_as)s, %(actor)s
FROM request r
WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
  AND r.state = 'in doubt'
  AND (%(number)s::integer IS NULL OR (r.number, r.attempt) = (%(number)s, %(attempt)s))
ON CONFLICT DO NOTHING

-- name: one_writer
-- Receipts, the end of waiting for them and the end of doubts decide about the same rows.
SELECT pg_advisory_xact_lock(hashtext('textwave receipts'))

-- name: campaigns_in_doubt
-- Campaigns with requests in doubt, or with batches that are open for nothing else, of all
-- workspaces.
SELECT workspace_id, campaign_id FROM request WHERE state = 'in doubt'
UNION
SELECT workspace_id, campaign_id FROM batch WHERE state = 'prepared' AND due_at = 'infinity'
ORDER BY campaign_id

-- name: doubt_unanswered
-- Requests that were about to leave when their worker died, in campaigns that will not look at them
-- again, or so long ago that the platform has forgotten their key.
UPDATE request r SET state = 'in doubt', outcome = 'unknown', detail = 'interrupted'
FROM campaign c, batch b
WHERE r.state = 'prepared' AND r.outcome = '' AND c.id = r.campaign_id
  AND (b.campaign_id, b.number) = (r.campaign_id, r.batch_number)
  AND coalesce(b.held_until, '-infinity') < now()
  AND r.prepared_at < now() - interval '1 minute'
  AND (c.state NOT IN ('sending', 'paused') OR r.prepared_at < %(before)s)

-- name: said
-- Requests of which a person has said what they are; the keys of a campaign that is sending to a
-- platform that honours them end the doubt better.
SELECT r.number, r.attempt, s.settled_as, s.settled_by
FROM doubt_settlement s
JOIN request r USING (campaign_id, number, attempt)
JOIN campaign c ON c.id = r.campaign_id JOIN platform p ON p.id = c.platform_id
JOIN batch b ON (b.campaign_id, b.number) = (r.campaign_id, r.batch_number)
WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
  AND r.state = 'in doubt'
  AND NOT ('idempotency' = ANY(p.capabilities)
           AND (c.state = 'sending' OR coalesce(b.held_until, '-infinity') >= now()))
ORDER BY s.settled_as, s.settled_by, r.number, r.attempt LIMIT %(limit)s
FOR UPDATE OF r SKIP LOCKED

-- name: shown_taken
-- Requests of which at least one message came back: by a receipt, or by a person's click. Where
-- keys are honoured the platform's own answer says more, as long as it can be asked for it.
SELECT r.number, r.attempt FROM request r
JOIN campaign c ON c.id = r.campaign_id JOIN platform p ON p.id = c.platform_id
WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
  AND r.state = 'in doubt'
  AND NOT ('idempotency' = ANY(p.capabilities) AND c.state = 'sending'
           AND r.prepared_at >= %(before)s)
  AND EXISTS (
      SELECT FROM messages_of_request(r.campaign_id, r.number, r.first_id, r.last_id,
                                      r.message_ids) m
      WHERE m.state = 'delivered' OR m.clicked_at IS NOT NULL
         OR (m.state = 'failed' AND m.cause <> ALL(%(own_causes)s)))
ORDER BY r.number, r.attempt LIMIT %(limit)s
FOR UPDATE OF r SKIP LOCKED

-- name: overdue
-- Requests that have been in doubt for too long.
SELECT r.number, r.attempt FROM request r
JOIN batch b ON (b.campaign_id, b.number) = (r.campaign_id, r.batch_number)
WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
  AND r.state = 'in doubt' AND r.prepared_at < %(before)s
  AND coalesce(b.held_until, '-infinity') < now()
ORDER BY r.number, r.attempt LIMIT %(limit)s
FOR UPDATE OF r SKIP LOCKED

-- name: accept
-- They were taken: their messages wait for receipts now. Whoever was held back within the range of
-- one and given up since was never of it.
WITH taken AS (
    UPDATE request r SET state = 'accepted', outcome = 'accepted', detail = %(detail)s,
        answered_at = now()
    FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[]) AS k (number, attempt)
    WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
      AND r.number = k.number AND r.attempt = k.attempt AND r.state = 'in doubt'
    RETURNING r.number, r.first_id, r.last_id, r.message_ids
), members AS MATERIALIZED (
    SELECT m.id FROM taken t
    CROSS JOIN LATERAL messages_of_request(%(campaign_id)s, t.number, t.first_id, t.last_id,
                                           t.message_ids) m
    WHERE m.cause IS NULL OR m.cause <> ALL(%(never_left)s)
), submitted AS (
    UPDATE message m SET state = 'submitted' FROM members
    WHERE m.id = members.id AND m.state = 'retrying'
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'sent', lower(span), upper(span) - 1, now()
    FROM unnest((SELECT range_agg(int8range(id, id, '[]')) FROM members)) AS span
)
UPDATE campaign_tally SET submitted = submitted + (SELECT count(*) FROM members)
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: fail
-- They were not taken, as far as will ever be known: what has no final state of its own has failed.
WITH ended AS (
    UPDATE request r SET state = 'refused', detail = %(detail)s
    FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[]) AS k (number, attempt)
    WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
      AND r.number = k.number AND r.attempt = k.attempt AND r.state = 'in doubt'
    RETURNING r.number, r.first_id, r.last_id, r.message_ids
), members AS MATERIALIZED (
    SELECT m.id FROM ended e
    CROSS JOIN LATERAL messages_of_request(%(campaign_id)s, e.number, e.first_id, e.last_id,
                                           e.message_ids) m
    WHERE m.state IS NULL OR m.state = 'retrying'
), failed AS (
    UPDATE message m SET state = 'failed', cause = %(cause)s, finished_at = now() FROM members
    WHERE m.id = members.id AND (m.state IS NULL OR m.state = 'retrying')
    RETURNING m.id
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids,
                         happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'failed', %(cause)s, min(id), max(id),
           array_agg(id), now()
    FROM failed HAVING count(*) > 0
), tallied AS (
    INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
    SELECT %(campaign_id)s, %(workspace_id)s, %(cause)s, count(*) FROM failed
    ON CONFLICT (campaign_id, cause) DO UPDATE SET
        count = campaign_failure_tally.count + excluded.count
)
UPDATE campaign_tally SET failed = failed + (SELECT count(*) FROM failed)
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: send_again
-- The messages that have no final state leave again as a later attempt, under a key of its own.
WITH ended AS (
    UPDATE request r SET state = 'refused', detail = %(detail)s
    FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[]) AS k (number, attempt)
    WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
      AND r.number = k.number AND r.attempt = k.attempt AND r.state = 'in doubt'
    RETURNING r.number, r.batch_number, r.first_id, r.last_id, r.message_ids
), members AS MATERIALIZED (
    SELECT e.number, e.batch_number, m.id FROM ended e
    CROSS JOIN LATERAL messages_of_request(%(campaign_id)s, e.number, e.first_id, e.last_id,
                                           e.message_ids) m
    WHERE m.state IS NULL OR m.state = 'retrying'
), marked AS (
    UPDATE message m SET state = 'retrying' FROM members
    WHERE m.id = members.id AND m.state IS NULL
)
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     message_ids, size, outcome, detail)
SELECT %(campaign_id)s, %(workspace_id)s, batch_number, number,
       (SELECT max(attempt) + 1 FROM request known
        WHERE known.campaign_id = %(campaign_id)s AND known.number = members.number),
       min(id), max(id), array_agg(id ORDER BY id), count(*), 'unsent', %(detail)s
FROM members GROUP BY number, batch_number

-- name: wake_batches
-- Batches that have something to send again.
UPDATE batch b SET due_at = now(), changed_at = now()
FROM request r
WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
  AND r.number = ANY(%(numbers)s) AND r.state = 'prepared'
  AND (b.campaign_id, b.number) = (r.campaign_id, r.batch_number)

-- name: wake_account
-- The campaign's account is served again.
SELECT defer_serving(platform_id, NULL) FROM campaign
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: hold_tally
-- Who ends batches of a campaign does it one after the other.
SELECT campaign_id FROM campaign_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s FOR NO KEY UPDATE

-- name: close_batches
-- Batches that were open for doubts only are done. Whoever gets here holds the tally's row; who
-- holds a batch that is passed over waits for that row, and then closes it.
UPDATE batch SET state = 'done', trouble = '', changed_at = now()
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number IN (
    SELECT b.number FROM batch b
    WHERE b.workspace_id = %(workspace_id)s AND b.campaign_id = %(campaign_id)s
      AND b.state = 'prepared' AND b.due_at = 'infinity'
      AND NOT EXISTS (
          SELECT FROM request r
          WHERE r.campaign_id = b.campaign_id AND r.batch_number = b.number
            AND r.state IN ('prepared', 'in doubt'))
    FOR UPDATE SKIP LOCKED
)

-- name: complete
UPDATE campaign SET state = 'completed', completed_at = now(), reason = ''
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = %(campaign_id)s AND b.state <> 'done')
