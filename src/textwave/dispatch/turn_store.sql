-- name: hold_account
-- The account for the rest of the transaction: turns are given one after the other.
SELECT p.id, p.rate_per_second, p.failures_in_a_row,
       greatest(0, extract(epoch FROM p.free_at - clock_timestamp()))::float8 AS busy_seconds,
       extract(epoch FROM p.resting_until - clock_timestamp())::float8 AS resting_seconds,
       EXISTS (
           SELECT FROM procrastinate_jobs j
           WHERE j.status = 'todo' AND j.queue_name = 'dispatch'
             AND coalesce(j.scheduled_at, '-infinity') <= clock_timestamp()
             AND j.queueing_lock <> 'serve-' || p.id
       ) AS others_wait
FROM platform p WHERE p.id = %(platform_id)s
FOR NO KEY UPDATE

-- name: take
-- The next batch and its turn. Of the workspaces with something due the one that was served least;
-- of its campaigns the one of the highest priority; batches that were begun before, then the rest.
-- A workspace that comes back from idleness begins where the last turn began, not at its old count.
-- A signature with a rate of its own has to be free when the account is: nobody waits for it.
WITH offered AS (
    SELECT c.workspace_id, c.id AS campaign_id, b.number, b.first_id, b.last_id,
           b.state AS previous_state, c.signature_id, c.platform_id, p.rate_per_second,
           s.rate_per_second AS signature_rate,
           greatest(coalesce(w.served, p.served), p.served) AS begins,
           greatest(clock_timestamp(), p.free_at) AS turn_at,
           least(
               b.last_id - b.first_id + 1,
               CASE WHEN %(is_probe)s THEN c.request_size
                    ELSE greatest(c.request_size, (%(turn_seconds)s::float8
                         * least(p.rate_per_second, s.rate_per_second))::bigint) END
           )::integer AS messages
    FROM platform p
    JOIN campaign c ON c.platform_id = p.id AND c.state = 'sending'
    JOIN signature s ON s.id = c.signature_id
    LEFT JOIN platform_workspace w ON w.platform_id = p.id AND w.workspace_id = c.workspace_id
    CROSS JOIN LATERAL (
        SELECT * FROM (
            (SELECT number, first_id, last_id, state FROM batch
             WHERE campaign_id = c.id AND state = 'prepared' AND due_at <= clock_timestamp()
               AND (held_by IS NULL OR held_by = %(job_id)s OR held_until < clock_timestamp()
                    OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                                   WHERE j.id = held_by AND j.status IN ('todo', 'doing')))
             ORDER BY due_at, number LIMIT 1)
            UNION ALL
            (SELECT number, first_id, last_id, state FROM batch
             WHERE campaign_id = c.id AND state = 'waiting' AND due_at <= clock_timestamp()
               AND (held_by IS NULL OR held_by = %(job_id)s OR held_until < clock_timestamp()
                    OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                                   WHERE j.id = held_by AND j.status IN ('todo', 'doing')))
             ORDER BY due_at, number LIMIT 1)
        ) due LIMIT 1
    ) b
    WHERE p.id = %(platform_id)s
      AND (s.rate_per_second IS NULL OR s.free_at <= greatest(clock_timestamp(), p.free_at))
    ORDER BY begins, c.priority DESC, c.id LIMIT 1
), held AS (
    UPDATE batch SET held_by = %(job_id)s, attempts = attempts + 1, changed_at = now(),
        held_until = now() + make_interval(secs => %(hold_seconds)s)
    FROM offered o WHERE batch.campaign_id = o.campaign_id AND batch.number = o.number
    RETURNING batch.attempts
), of_account AS (
    UPDATE platform SET served = o.begins,
        free_at = o.turn_at + make_interval(secs => o.messages::float8 / o.rate_per_second),
        resting_until = CASE WHEN %(is_probe)s
            THEN clock_timestamp() + make_interval(secs => %(probe_seconds)s) END
    FROM offered o WHERE platform.id = o.platform_id
    RETURNING platform.free_at
), of_signature AS (
    UPDATE signature
    SET free_at = o.turn_at + make_interval(secs => o.messages::float8 / o.signature_rate)
    FROM offered o WHERE signature.id = o.signature_id AND o.signature_rate IS NOT NULL
    RETURNING signature.free_at
), of_workspace AS (
    UPDATE platform_workspace w SET served = o.begins + o.messages
    FROM offered o WHERE w.platform_id = o.platform_id AND w.workspace_id = o.workspace_id
)
SELECT o.workspace_id, o.campaign_id, o.number, o.first_id, o.last_id, held.attempts,
       o.previous_state, o.platform_id, o.signature_id, o.messages,
       least(o.rate_per_second, o.signature_rate) AS pace,
       greatest(0, extract(epoch FROM o.turn_at - clock_timestamp()))::float8 AS wait_seconds,
       a.free_at AS ends_at, s.free_at AS signature_ends_at
FROM offered o CROSS JOIN held CROSS JOIN of_account a LEFT JOIN of_signature s ON true

-- name: follow
-- Let the next job come when the account is free again, unless one will or enough are serving.
SELECT defer_serving(p.id, CASE WHEN f.moment > clock_timestamp() THEN f.moment END)
FROM platform p
CROSS JOIN LATERAL (
    SELECT p.free_at - make_interval(secs => %(ahead_seconds)s) AS moment
) f
WHERE p.id = %(platform_id)s
  AND NOT EXISTS (
      SELECT FROM procrastinate_jobs j
      WHERE j.queueing_lock = 'serve-' || p.id AND j.status = 'todo'
        AND (j.scheduled_at IS NULL OR j.scheduled_at <= greatest(f.moment, clock_timestamp()))
  )
  AND (SELECT count(*) FROM procrastinate_jobs j
       WHERE j.queueing_lock = 'serve-' || p.id AND j.status = 'doing') < %(slots)s

-- name: come_back
-- Let a job serve the account after so many seconds.
SELECT defer_serving(%(platform_id)s,
    CASE WHEN %(seconds)s::float8 > 0
         THEN clock_timestamp() + make_interval(secs => %(seconds)s) END)

-- name: seconds_until_due
-- When there is something to do at the account again; what others hold they see to themselves.
SELECT extract(epoch FROM min(greatest(
           b.due_at,
           CASE WHEN s.rate_per_second IS NOT NULL THEN s.free_at END
       )) - clock_timestamp())::float8
FROM campaign c JOIN signature s ON s.id = c.signature_id
CROSS JOIN LATERAL (
    (SELECT due_at FROM batch
     WHERE campaign_id = c.id AND state = 'prepared' AND due_at < 'infinity'
       AND (held_by IS NULL OR held_by = %(job_id)s OR held_until < clock_timestamp()
            OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                           WHERE j.id = held_by AND j.status IN ('todo', 'doing')))
     ORDER BY due_at LIMIT 1)
    UNION ALL
    (SELECT due_at FROM batch
     WHERE campaign_id = c.id AND state = 'waiting' AND due_at < 'infinity'
       AND (held_by IS NULL OR held_by = %(job_id)s OR held_until < clock_timestamp()
            OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                           WHERE j.id = held_by AND j.status IN ('todo', 'doing')))
     ORDER BY due_at LIMIT 1)
) b
WHERE c.platform_id = %(platform_id)s AND c.state = 'sending'

-- name: give_back
-- What a turn was not needed for, if nobody has taken a turn after it.
WITH of_account AS (
    UPDATE platform
    SET free_at = free_at - make_interval(secs => %(messages)s::float8 / rate_per_second)
    WHERE id = %(platform_id)s AND free_at = %(ends_at)s
)
UPDATE signature
SET free_at = free_at - make_interval(secs => %(messages)s::float8 / rate_per_second)
WHERE workspace_id = %(workspace_id)s AND id = %(signature_id)s AND free_at = %(signature_ends_at)s

-- name: wait_as_asked
-- The platform asks for a pause: the account is not free before.
UPDATE platform
SET free_at = greatest(free_at, clock_timestamp() + make_interval(secs => %(seconds)s))
WHERE id = %(platform_id)s

-- name: rest
-- One more round without any answer. Of rounds that went on at the same time one counts.
UPDATE platform SET failures_in_a_row = failures_in_a_row + 1, resting_reason = %(reason)s,
    resting_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE id = %(platform_id)s AND failures_in_a_row = %(failures_in_a_row)s

-- name: wake
-- It answers.
UPDATE platform SET failures_in_a_row = 0, resting_until = NULL, resting_reason = ''
WHERE id = %(platform_id)s AND failures_in_a_row > 0

-- name: release
-- Give a batch back as it was, with what came in between.
UPDATE batch SET held_by = NULL, held_until = NULL, changed_at = now(),
    due_at = clock_timestamp() + make_interval(secs => %(seconds)s),
    trouble = coalesce(%(trouble)s, trouble)
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND number = %(batch)s
  AND held_by = %(job_id)s AND state <> 'done'

-- name: complete_ended
-- Campaigns of which every batch is done are completed by whoever ends the last one: a safety net.
UPDATE campaign c SET state = 'completed', completed_at = now(), reason = ''
WHERE c.state = 'sending' AND EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id)
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id AND b.state = 'waiting')
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = c.id AND b.state = 'prepared')

-- name: retry_probe
-- Nothing has left that could tell whether the platform answers: another request may try it.
UPDATE platform SET resting_until = clock_timestamp()
WHERE id = %(platform_id)s AND failures_in_a_row > 0 AND failures_in_a_row = %(failures_in_a_row)s

-- name: unserved_accounts
-- Accounts that are free and have something due, and that no job will serve now: a safety net. A
-- job may wait for a later time because the batch was another's then, whose job has died since.
SELECT DISTINCT c.platform_id FROM campaign c JOIN platform p ON p.id = c.platform_id
WHERE c.state = 'sending' AND p.free_at <= clock_timestamp()
  AND coalesce(p.resting_until, '-infinity') <= clock_timestamp()
  AND NOT EXISTS (SELECT FROM procrastinate_jobs j
                  WHERE j.queueing_lock = 'serve-' || c.platform_id AND j.status = 'todo'
                    AND coalesce(j.scheduled_at, '-infinity') <= clock_timestamp())
  AND EXISTS (
      SELECT FROM batch b
      WHERE b.campaign_id = c.id AND b.state IN ('waiting', 'prepared')
        AND b.due_at <= clock_timestamp()
        AND (b.held_by IS NULL OR b.held_until < clock_timestamp()
             OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                            WHERE j.id = b.held_by AND j.status IN ('todo', 'doing')))
  )
