-- name: cancel_unsent
-- What was prepared in a cancelled campaign and has certainly not left ends as failed, and what was
-- held back. What may have left is in doubt. Batches that a living job holds end with their round.
WITH chosen AS (
    SELECT b.number, b.first_id, b.last_id FROM batch b
    WHERE b.workspace_id = %(workspace_id)s AND b.campaign_id = %(campaign_id)s
      AND b.state = 'prepared' AND (%(batch)s::integer IS NULL OR b.number = %(batch)s)
      AND (b.held_by IS NULL OR b.held_by = %(job_id)s OR b.held_until < clock_timestamp()
           OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                          WHERE j.id = b.held_by AND j.status IN ('todo', 'doing')))
    ORDER BY b.number FOR UPDATE
), doubted AS (
    UPDATE request r SET state = 'in doubt', outcome = 'unknown', detail = 'interrupted'
    FROM chosen c
    WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
      AND r.batch_number = c.number AND r.state = 'prepared' AND r.outcome = ''
), ended AS (
    UPDATE request r SET state = 'refused', outcome = 'cancelled', detail = ''
    FROM chosen c
    WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
      AND r.batch_number = c.number AND r.state = 'prepared' AND r.outcome <> ''
    RETURNING r.number, r.first_id, r.last_id, r.message_ids
), unsent AS MATERIALIZED (
    SELECT m.id FROM ended e
    CROSS JOIN LATERAL messages_of_request(%(campaign_id)s, e.number, e.first_id, e.last_id,
                                           e.message_ids) m
    WHERE m.state IS NULL OR m.state = 'retrying'
    UNION
    SELECT m.id FROM chosen c
    JOIN message m ON m.id BETWEEN c.first_id AND c.last_id
    WHERE m.campaign_id = %(campaign_id)s AND m.state = 'held'
), failed AS (
    UPDATE message m SET state = 'failed', cause = 'cancelled', finished_at = now() FROM unsent
    WHERE m.id = unsent.id AND (m.state IS NULL OR m.state IN ('retrying', 'held'))
    RETURNING m.id
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids,
                         happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'failed', 'cancelled', min(id), max(id),
           array_agg(id ORDER BY id), now()
    FROM failed HAVING count(*) > 0
), counted AS (
    INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
    SELECT %(campaign_id)s, %(workspace_id)s, 'cancelled', count(*) FROM failed
    HAVING count(*) > 0
    ON CONFLICT (campaign_id, cause) DO UPDATE SET
        count = campaign_failure_tally.count + excluded.count
), tallied AS (
    UPDATE campaign_tally SET failed = failed + (SELECT count(*) FROM failed)
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
)
SELECT id FROM failed ORDER BY id

-- name: end_batches
-- Batches of a cancelled campaign of which nothing is open any more are done; those with something
-- in doubt are not due again.
UPDATE batch b SET changed_at = now(),
    state = CASE WHEN doubt.open THEN 'prepared' ELSE 'done' END,
    trouble = CASE WHEN doubt.open THEN b.trouble ELSE 'cancelled' END,
    due_at = CASE WHEN doubt.open THEN 'infinity' ELSE b.due_at END,
    held_by = NULL, held_until = NULL
FROM campaign c
CROSS JOIN LATERAL (
    SELECT number, EXISTS (
        SELECT FROM request r WHERE r.campaign_id = c.id AND r.batch_number = open.number
          AND r.state IN ('prepared', 'in doubt')) AS open
    FROM batch open WHERE open.campaign_id = c.id AND open.state = 'prepared'
) doubt
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s AND c.state = 'cancelled'
  AND b.campaign_id = c.id AND b.number = doubt.number AND b.state = 'prepared'
  AND (b.held_by IS NULL OR b.held_until < clock_timestamp()
       OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                      WHERE j.id = b.held_by AND j.status IN ('todo', 'doing')))

-- name: is_held
-- Whether a living job still has a batch of the campaign.
SELECT EXISTS (
    SELECT FROM batch b JOIN procrastinate_jobs j ON j.id = b.held_by
    WHERE b.workspace_id = %(workspace_id)s AND b.campaign_id = %(campaign_id)s
      AND b.state <> 'done' AND b.held_until >= clock_timestamp()
      AND j.status IN ('todo', 'doing')
)

-- name: unsettled
-- Cancelled campaigns with batches that nothing was decided about: a safety net.
SELECT DISTINCT c.workspace_id, c.id AS campaign_id FROM campaign c
JOIN batch b ON b.campaign_id = c.id AND b.state IN ('waiting', 'prepared')
WHERE c.state = 'cancelled' AND (b.state = 'waiting' OR b.due_at < 'infinity')
