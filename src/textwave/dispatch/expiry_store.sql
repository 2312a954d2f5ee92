-- name: overdue
-- Campaigns that have stood still since before a time, of all workspaces.
SELECT workspace_id, id AS campaign_id FROM campaign
WHERE state = 'sending' AND stalled_since < %(before)s
ORDER BY id LIMIT 100

-- name: take_batches
-- Batches of which something has not left, but for those that a living job holds.
SELECT b.number FROM batch b
WHERE b.workspace_id = %(workspace_id)s AND b.campaign_id = %(campaign_id)s
  AND b.state IN ('waiting', 'prepared') AND NOT (b.state = 'prepared' AND b.due_at = 'infinity')
  AND EXISTS (SELECT FROM campaign c WHERE c.id = b.campaign_id AND c.state = 'sending')
  AND (b.held_by IS NULL OR b.held_until < clock_timestamp()
       OR NOT EXISTS (SELECT FROM procrastinate_jobs j
                      WHERE j.id = b.held_by AND j.status IN ('todo', 'doing')))
ORDER BY b.number LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- name: give_up
-- What of these batches has certainly not left has failed; what may have left is in doubt.
WITH chosen AS (
    SELECT number, first_id, last_id FROM batch
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
      AND number = ANY(%(numbers)s)
), doubted AS (
    UPDATE request SET state = 'in doubt', outcome = 'unknown', detail = 'interrupted'
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
      AND batch_number = ANY(%(numbers)s) AND state = 'prepared' AND outcome = ''
), refused AS (
    UPDATE request SET state = 'refused', outcome = %(cause)s, detail = ''
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
      AND batch_number = ANY(%(numbers)s) AND state = 'prepared' AND outcome <> ''
), unsent AS MATERIALIZED (
    SELECT m.id FROM chosen c
    JOIN message m ON m.id BETWEEN c.first_id AND c.last_id AND m.campaign_id = %(campaign_id)s
    WHERE m.state = 'held'
       OR (m.state = 'retrying' AND NOT EXISTS (
              SELECT FROM request r
              WHERE r.campaign_id = %(campaign_id)s AND r.batch_number = c.number
                AND (r.state = 'in doubt' OR r.state = 'prepared' AND r.outcome = '')
                AND m.id = ANY(r.message_ids)))
       OR (m.state IS NULL AND NOT EXISTS (
              SELECT FROM request r
              WHERE r.campaign_id = %(campaign_id)s AND r.batch_number = c.number
                AND r.attempt = 0 AND m.id BETWEEN r.first_id AND r.last_id
                AND (r.state IN ('accepted', 'in doubt') OR r.state = 'prepared' AND r.outcome = '')))
), failed AS (
    UPDATE message m SET state = 'failed', cause = %(cause)s, finished_at = now() FROM unsent
    WHERE m.id = unsent.id AND (m.state IS NULL OR m.state IN ('retrying', 'held'))
    RETURNING m.id
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids,
                         happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'failed', %(cause)s, min(id), max(id),
           array_agg(id ORDER BY id), now()
    FROM failed HAVING count(*) > 0
), counted AS (
    INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
    SELECT %(campaign_id)s, %(workspace_id)s, %(cause)s, count(*) FROM failed
    HAVING count(*) > 0
    ON CONFLICT (campaign_id, cause) DO UPDATE SET
        count = campaign_failure_tally.count + excluded.count
), tallied AS (
    UPDATE campaign_tally SET failed = failed + (SELECT count(*) FROM failed)
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
)
SELECT id FROM failed ORDER BY id

-- name: end_batches
-- They are done, or open for their doubts only.
UPDATE batch b SET changed_at = now(), trouble = %(cause)s, due_at = 'infinity',
    state = CASE WHEN EXISTS (
        SELECT FROM request r WHERE r.campaign_id = b.campaign_id AND r.batch_number = b.number
          AND r.state = 'in doubt') THEN 'prepared' ELSE 'done' END,
    held_by = NULL, held_until = NULL
WHERE b.workspace_id = %(workspace_id)s AND b.campaign_id = %(campaign_id)s
  AND b.number = ANY(%(numbers)s)

-- name: complete
UPDATE campaign SET state = 'completed', completed_at = now(), reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'sending'
  AND NOT EXISTS (SELECT FROM batch b WHERE b.campaign_id = %(campaign_id)s AND b.state <> 'done')

-- name: name
SELECT name FROM campaign WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s
