-- name: campaign
-- What every batch of a campaign has in common; the row is held shared, so that pausing and
-- cancelling wait for batches that are being prepared, and those see it.
SELECT c.id, c.workspace_id, c.type, c.state, c.content, c.first_message_id, c.request_size,
       c.token_version, c.platform_id, c.signature_id, c.quiet, s.name AS signature,
       t.code AS template_code, (SELECT name FROM installation) AS installation
FROM campaign c
JOIN signature s ON s.id = c.signature_id JOIN template t ON t.id = c.template_id
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s
FOR SHARE OF c

-- name: take_batch
-- The batch, for one worker at a time.
WITH found AS (
    SELECT state FROM batch
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
      AND number = %(batch)s AND state <> 'done'
    FOR UPDATE
)
UPDATE batch SET state = 'prepared', attempts = attempts + 1, changed_at = now()
FROM found
WHERE batch.campaign_id = %(campaign_id)s AND batch.number = %(batch)s
RETURNING batch.number, batch.first_id, batch.last_id, batch.attempts,
          found.state AS previous_state

-- name: recipients
-- The messages of a batch; those dropped at its gate are gone.
SELECT id, mobile, variables FROM message
WHERE id BETWEEN %(first_id)s AND %(last_id)s AND campaign_id = %(campaign_id)s
ORDER BY id

-- name: drop_messages
-- Messages that must not go, decided at the last moment: they become drops.
WITH gone AS (
    DELETE FROM message
    WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(ids)s)
    RETURNING id, workspace_id, campaign_id, customer, mobile, parts
), kept AS (
    INSERT INTO message_drop (id, workspace_id, campaign_id, customer, mobile, reason)
    SELECT id, workspace_id, campaign_id, customer, mobile, %(reason)s FROM gone
), tallied AS (
    INSERT INTO campaign_drop_tally (campaign_id, workspace_id, reason, count)
    SELECT campaign_id, workspace_id, %(reason)s, count(*) FROM gone
    GROUP BY campaign_id, workspace_id
    ON CONFLICT (campaign_id, reason) DO UPDATE SET
        count = campaign_drop_tally.count + excluded.count
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, ids, happened_at)
    SELECT workspace_id, campaign_id, 'dropped', min(id), max(id), array_agg(id), now() FROM gone
    GROUP BY workspace_id, campaign_id
)
UPDATE campaign_tally t SET messages = messages - g.count, parts = t.parts - g.parts
FROM (SELECT count(*) AS count, coalesce(sum(parts), 0) AS parts FROM gone) g
WHERE t.campaign_id = %(campaign_id)s

-- name: add_requests
-- Written before they leave.
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     size)
SELECT %(campaign_id)s, %(workspace_id)s, %(batch)s, number, 0, first_id, last_id, size
FROM unnest(%(numbers)s::integer[], %(firsts)s::bigint[], %(lasts)s::bigint[],
            %(sizes)s::integer[]) AS r(number, first_id, last_id, size)

-- name: add_retry
-- The messages that the platform asked to have again, under a key of their own.
WITH marked AS (
    UPDATE message SET state = 'retrying'
    WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(message_ids)s) AND state IS NULL
)
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     message_ids, size)
VALUES (%(campaign_id)s, %(workspace_id)s, %(batch)s, %(number)s, %(attempt)s, %(first_id)s,
        %(last_id)s, %(message_ids)s, %(size)s)
ON CONFLICT DO NOTHING

-- name: open_requests
SELECT number, attempt, first_id, last_id, message_ids, size, state FROM request
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND batch_number = %(batch)s AND state IN ('prepared', 'in doubt')
ORDER BY number, attempt

-- name: settle_requests
-- Outcomes of one round; an outcome that is already there stays.
UPDATE request SET state = a.state, outcome = a.outcome, detail = left(a.detail, 300),
    platform_request_id = a.request_id,
    answered_at = CASE WHEN a.state = 'accepted' THEN now() END
FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[], %(states)s::text[],
            %(outcomes)s::text[], %(details)s::text[], %(request_ids)s::text[])
     AS a(number, attempt, state, outcome, detail, request_id)
WHERE request.campaign_id = %(campaign_id)s AND request.workspace_id = %(workspace_id)s
  AND request.number = a.number AND request.attempt = a.attempt
  AND request.state IN ('prepared', 'in doubt')
RETURNING request.number, request.attempt, request.state

-- name: submit_retried
-- Messages of accepted later attempts wait for their receipts now.
UPDATE message SET state = 'submitted'
WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(ids)s) AND state = 'retrying'

-- name: fail_messages
-- Messages that the platform refused for good.
WITH failures AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(causes)s::text[]) AS f(id, cause)
), failed AS (
    UPDATE message SET state = 'failed', cause = f.cause, finished_at = now()
    FROM failures f
    WHERE message.id = ANY(%(ids)s::bigint[]) AND message.id = f.id
      AND (message.state IS NULL OR message.state IN ('retrying', 'submitted'))
    RETURNING message.id, message.cause
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids,
                         happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'failed', cause, min(id), max(id), array_agg(id),
           now()
    FROM failed GROUP BY cause
), tallied AS (
    INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
    SELECT %(campaign_id)s, %(workspace_id)s, cause, count(*) FROM failed GROUP BY cause
    ON CONFLICT (campaign_id, cause) DO UPDATE SET
        count = campaign_failure_tally.count + excluded.count
)
UPDATE campaign_tally SET failed = failed + (SELECT count(*) FROM failed)
WHERE campaign_id = %(campaign_id)s

-- name: tally_submitted
-- Count what was taken, and note the ids: those of accepted requests without those refused or
-- asked for again.
WITH noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'sent', lower(span), upper(span) - 1, now()
    FROM unnest(
        (SELECT range_agg(int8range(first_id, last_id, '[]'))
         FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) AS s (first_id, last_id))
        - coalesce((SELECT range_agg(int8range(id, id, '[]'))
                    FROM unnest(%(refused)s::bigint[]) AS id), '{}')) AS span
)
UPDATE campaign_tally SET submitted = submitted + %(count)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: close_batch
-- Done when nothing of it is open.
UPDATE batch SET changed_at = now(), trouble = %(trouble)s,
    state = CASE WHEN EXISTS (
        SELECT FROM request r WHERE r.campaign_id = batch.campaign_id
          AND r.batch_number = batch.number AND r.state IN ('prepared', 'in doubt')
    ) THEN 'prepared' ELSE 'done' END
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number = %(batch)s
RETURNING state

-- name: complete
-- The last batch completes the campaign. Whoever gets here holds the tally's row, so of two last
-- batches the second sees the first.
UPDATE campaign SET state = 'completed', completed_at = now(), reason = ''
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = %(campaign_id)s AND b.state <> 'done')

-- name: pause
UPDATE campaign SET state = 'paused', reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'

-- name: take_turn
-- The account's next free moment, moved on by what will be sent; returns seconds to wait. No row
-- when it is further ahead than anybody may reserve: a killed worker's turns must not add up.
UPDATE platform
SET free_at = greatest(free_at, clock_timestamp())
    + make_interval(secs => %(messages)s::float8 / rate_per_second)
WHERE id = %(platform_id)s
  AND free_at <= clock_timestamp() + make_interval(secs => %(ahead_seconds)s)
RETURNING greatest(0, extract(epoch FROM free_at - clock_timestamp())
                      - %(messages)s::float8 / rate_per_second)::float8 AS wait_seconds,
          rate_per_second

-- name: seconds_until_free
SELECT greatest(0, extract(epoch FROM free_at - clock_timestamp()))::float8 FROM platform
WHERE id = %(platform_id)s

-- name: forgotten_batches
-- Open batches of sending campaigns that no job will take: a safety net.
SELECT b.workspace_id, b.campaign_id, b.number FROM batch b
JOIN campaign c ON c.id = b.campaign_id AND c.state = 'sending'
WHERE b.state <> 'done' AND b.changed_at < now() - interval '2 minutes'
  AND NOT EXISTS (
      SELECT FROM procrastinate_jobs j
      WHERE j.lock = 'batch-' || b.campaign_id || '-' || b.number
        AND j.status IN ('todo', 'doing')
  )
ORDER BY b.changed_at LIMIT 1000
