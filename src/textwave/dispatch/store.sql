-- name: campaign
-- What every batch of a campaign has in common, and the text that this one has. Nothing is locked: a pause must not wait for
-- batches, and begin_batch looks again.
SELECT c.id, c.workspace_id, c.type, c.state, coalesce(v.content, c.content) AS content,
       c.first_message_id, c.request_size,
       c.token_version, c.platform_id, c.signature_id, c.quiet, c.purpose, c.window_from,
       c.window_until,
       c.window_days, w.time_zone, s.name AS signature,
       t.code AS template_code, (SELECT name FROM installation) AS installation
FROM campaign c
JOIN workspace w ON w.id = c.workspace_id
JOIN signature s ON s.id = c.signature_id
LEFT JOIN batch b ON b.campaign_id = c.id AND b.number = %(batch)s
LEFT JOIN campaign_variant v ON v.campaign_id = c.id AND v.number = b.variant
JOIN template t ON t.id = coalesce(v.template_id, c.template_id)
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s

-- name: begin_batch
-- The batch is about to be sent: no row when its campaign sends no more or another job has it.
UPDATE batch SET state = 'prepared', changed_at = now()
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number = %(batch)s
  AND state <> 'done' AND held_by = %(job_id)s
  AND EXISTS (SELECT FROM campaign c WHERE c.id = %(campaign_id)s AND c.state = 'sending')
RETURNING number

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
      AND (state IS NULL OR state IN ('retrying', 'held'))
    RETURNING id, workspace_id, campaign_id, customer, mobile, parts
), kept AS (
    INSERT INTO message_drop (id, workspace_id, campaign_id, customer, mobile, reason, dropped_at)
    SELECT id, workspace_id, campaign_id, customer, mobile, %(reason)s, clock_timestamp() FROM gone
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

-- name: open_recipients
-- The messages of a batch that was begun, with whether each is held back, whether a later attempt
-- has it, and whether its end is known.
WITH moved AS MATERIALIZED (
    SELECT DISTINCT unnest(message_ids) AS id FROM request
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
      AND batch_number = %(batch)s AND attempt > 0
)
SELECT m.id, m.mobile, m.variables, m.state IS NOT DISTINCT FROM 'held', moved.id IS NOT NULL,
       m.state IN ('delivered', 'failed') IS TRUE
FROM message m LEFT JOIN moved ON moved.id = m.id
WHERE m.id BETWEEN %(first_id)s AND %(last_id)s AND m.campaign_id = %(campaign_id)s
ORDER BY m.id

-- name: hold_messages
-- Messages that may not go yet.
UPDATE message SET state = 'held'
WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(ids)s)
  AND (state IS NULL OR state IN ('retrying', 'held'))

-- name: add_requests
-- Written before they leave; those that the turn is too short for, as certainly unsent.
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     size, outcome)
SELECT %(campaign_id)s, %(workspace_id)s, %(batch)s, number, 0, first_id, last_id, size, outcome
FROM unnest(%(numbers)s::integer[], %(firsts)s::bigint[], %(lasts)s::bigint[],
            %(sizes)s::integer[], %(outcomes)s::text[])
     AS r(number, first_id, last_id, size, outcome)

-- name: add_attempts
-- Messages that were held back and may go now: a later attempt of their requests' numbers.
WITH marked AS (
    UPDATE message SET state = 'retrying'
    WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(ids)s) AND state = 'held'
)
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     message_ids, size, outcome)
SELECT %(campaign_id)s, %(workspace_id)s, %(batch)s, freed.number,
       1 + coalesce((SELECT max(attempt) FROM request k
                     WHERE k.campaign_id = %(campaign_id)s AND k.number = freed.number), 0),
       min(id), max(id), array_agg(id ORDER BY id), count(*), 'unsent'
FROM unnest(%(ids)s::bigint[], %(numbers)s::integer[]) AS freed (id, number)
GROUP BY freed.number
RETURNING number, attempt, first_id, last_id, message_ids, size, state, outcome

-- name: doubt_interrupted
-- What was about to leave when its worker died may have left.
UPDATE request SET state = 'in doubt', outcome = 'unknown', detail = 'interrupted'
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND batch_number = %(batch)s AND state = 'prepared' AND outcome = ''

-- name: resize_requests
-- Requests that lost messages before they could leave.
UPDATE request SET size = s.size,
    message_ids = CASE WHEN message_ids IS NOT NULL
        THEN ARRAY(SELECT id FROM unnest(message_ids) AS id
                   WHERE id <> ALL(%(lost)s::bigint[]) ORDER BY id) END
FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[], %(sizes)s::integer[])
     AS s (number, attempt, size)
WHERE request.workspace_id = %(workspace_id)s AND request.campaign_id = %(campaign_id)s
  AND request.number = s.number AND request.attempt = s.attempt AND request.size <> s.size

-- name: delete_requests
-- Requests that never left and have no message any more.
DELETE FROM request
USING unnest(%(numbers)s::integer[], %(attempts)s::smallint[]) AS gone (number, attempt)
WHERE request.workspace_id = %(workspace_id)s AND request.campaign_id = %(campaign_id)s
  AND request.number = gone.number AND request.attempt = gone.attempt
  AND request.state = 'prepared'

-- name: leave
-- Requests that are about to leave again.
UPDATE request SET outcome = '', prepared_at = now()
FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[]) AS l (number, attempt)
WHERE request.workspace_id = %(workspace_id)s AND request.campaign_id = %(campaign_id)s
  AND request.number = l.number AND request.attempt = l.attempt AND request.state = 'prepared'

-- name: add_retry
-- The messages that the platform asked to have again, under a key of their own: the next attempt of
-- the number, which others that were held back may have got further than this request.
WITH marked AS (
    UPDATE message SET state = 'retrying'
    WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(message_ids)s) AND state IS NULL
)
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     message_ids, size, outcome)
SELECT %(campaign_id)s, %(workspace_id)s, %(batch)s, %(number)s, 1 + max(k.attempt), %(first_id)s,
       %(last_id)s, %(message_ids)s, %(size)s, 'unsent'
FROM request k WHERE k.campaign_id = %(campaign_id)s AND k.number = %(number)s

-- name: add_answered
-- Messages of a request in doubt that were answered, as an attempt of their own: they are not of
-- the doubt. Those that were refused for good fail right after this.
WITH marked AS (
    UPDATE message SET state = 'submitted'
    WHERE id BETWEEN %(first_id)s AND %(last_id)s AND id = ANY(%(message_ids)s)
      AND (state IS NULL OR state = 'retrying')
)
INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id, last_id,
                     message_ids, size, state, outcome, answered_at)
SELECT %(campaign_id)s, %(workspace_id)s, %(batch)s, %(number)s, 1 + max(k.attempt), %(first_id)s,
       %(last_id)s, %(message_ids)s, %(size)s, 'accepted', 'accepted', now()
FROM request k WHERE k.campaign_id = %(campaign_id)s AND k.number = %(number)s

-- name: open_requests
-- What has no final answer.
SELECT number, attempt, first_id, last_id, message_ids, size, state, outcome FROM request
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND batch_number = %(batch)s AND state IN ('prepared', 'in doubt')
ORDER BY number, attempt

-- name: settle_requests
-- Outcomes of one round; an outcome that is already there stays, and so does a doubt that came up
-- meanwhile: that a request has not left now says nothing of then.
UPDATE request SET state = a.state, outcome = a.outcome, detail = left(a.detail, 300),
    platform_request_id = a.request_id,
    answered_at = CASE WHEN a.state = 'accepted' THEN now() END
FROM unnest(%(numbers)s::integer[], %(attempts)s::smallint[], %(states)s::text[],
            %(outcomes)s::text[], %(details)s::text[], %(request_ids)s::text[])
     AS a(number, attempt, state, outcome, detail, request_id)
WHERE request.campaign_id = %(campaign_id)s AND request.workspace_id = %(workspace_id)s
  AND request.number = a.number AND request.attempt = a.attempt
  AND request.state IN ('prepared', 'in doubt')
  AND (request.state = 'prepared' OR a.state <> 'prepared')
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
UPDATE campaign_tally SET failed = failed + (SELECT count(*) FROM failed),
    refused = refused + (SELECT count(*) FROM failed)
WHERE campaign_id = %(campaign_id)s

-- name: tally_returned
-- Messages that a receipt came for before they could leave again: they had been taken.
WITH noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'sent', lower(span), upper(span) - 1, now()
    FROM unnest((SELECT range_agg(int8range(id, id, '[]'))
                 FROM unnest(%(ids)s::bigint[]) AS id)) AS span
)
UPDATE campaign_tally SET submitted = submitted + %(count)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: tally_submitted
-- Count what was taken, and note the ids: those of accepted requests without those refused or
-- asked for again. Returns what the error budget is measured by.
WITH noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'sent', lower(span), upper(span) - 1, now()
    FROM unnest(
        coalesce((SELECT range_agg(int8range(first_id, last_id, '[]'))
                  FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) AS s (first_id, last_id)),
                 '{}')
        - coalesce((SELECT range_agg(int8range(id, id, '[]'))
                    FROM unnest(%(apart)s::bigint[]) AS id), '{}')
        + coalesce((SELECT range_agg(int8range(id, id, '[]'))
                    FROM unnest(%(own_ids)s::bigint[]) AS id), '{}')
        - coalesce((SELECT range_agg(int8range(id, id, '[]'))
                    FROM unnest(%(refused)s::bigint[]) AS id), '{}')) AS span
)
UPDATE campaign_tally t SET submitted = t.submitted + %(count)s
FROM campaign c
WHERE t.workspace_id = %(workspace_id)s AND t.campaign_id = %(campaign_id)s
  AND c.id = t.campaign_id
RETURNING c.state, t.submitted + t.refused - c.budget_answered AS answered,
          t.failed - c.budget_failed AS failed, c.budget_failed,
          c.error_budget_percent AS budget_percent, c.error_budget_after AS budget_after

-- name: close_batch
-- Done when nothing of it is open; else it is given back and due when it may go on. What is only in
-- doubt where keys are not honoured is never due.
UPDATE batch SET changed_at = now(), trouble = %(trouble)s,
    state = CASE WHEN open.requests > 0 OR %(held_until)s::timestamptz IS NOT NULL
                 THEN 'prepared' ELSE 'done' END,
    attempts = CASE WHEN %(has_progress)s THEN 0 ELSE attempts END,
    due_at = least(
        CASE WHEN open.sendable > 0
             THEN clock_timestamp() + make_interval(secs => %(backoff_seconds)s)
             ELSE 'infinity' END,
        coalesce(%(held_until)s::timestamptz, 'infinity')),
    held_by = CASE WHEN held_by <> %(job_id)s THEN held_by END,
    held_until = CASE WHEN held_by <> %(job_id)s THEN held_until END
FROM (
    SELECT count(*) AS requests,
           count(*) FILTER (WHERE r.state = 'prepared' OR %(honours_keys)s) AS sendable
    FROM request r WHERE r.campaign_id = %(campaign_id)s
      AND r.batch_number = %(batch)s AND r.state IN ('prepared', 'in doubt')
) open
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number = %(batch)s
RETURNING state

-- name: complete
-- The last batch completes the campaign. Whoever gets here holds the tally's row, so of two last
-- batches the second sees the first.
UPDATE campaign SET state = 'completed', completed_at = now(), reason = ''
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = %(campaign_id)s
                  AND b.state = 'waiting')
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = %(campaign_id)s
                  AND b.state = 'prepared')

-- name: pause
UPDATE campaign SET state = 'paused', reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'

-- name: failures_by_cause
SELECT cause, count FROM campaign_failure_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND count > 0

-- name: pause_for_budget
-- The campaign pauses itself; the next budget counts from here.
UPDATE campaign SET state = 'paused', reason = %(reason)s,
    budget_answered = budget_answered + %(answered)s, budget_failed = budget_failed + %(failed)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'
