-- name: link
-- Say what a campaign was made from.
UPDATE campaign SET copied_from = %(copied_from)s, retry_causes = %(causes)s::text[]
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: retry_of
-- Whom a campaign retries: the campaign it was made from, and the causes of their failure.
SELECT c.id AS campaign_id, c.copied_from AS source_id, c.retry_causes AS causes
FROM campaign c
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s
  AND c.retry_causes IS NOT NULL AND c.copied_from IS NOT NULL

-- name: hold_family
-- Be the only one who plans a retry of the same messages, until the end of the transaction.
WITH RECURSIVE above AS (
    SELECT id, copied_from, retry_causes FROM campaign
    WHERE workspace_id = %(workspace_id)s AND id = %(source_id)s
    UNION ALL
    SELECT c.id, c.copied_from, c.retry_causes FROM above a
    JOIN campaign c ON c.id = a.copied_from AND a.retry_causes IS NOT NULL
)
SELECT pg_advisory_xact_lock(%(lock)s, (id %% 2147483647)::integer) FROM above
WHERE retry_causes IS NULL

-- name: causes
-- Why messages of a campaign failed.
SELECT cause FROM campaign_failure_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND count > 0
ORDER BY cause

-- name: failed_pairs
-- Who failed in campaign $1 with one of the causes $2, or was dropped for such a reason, and at
-- which number; read as Arrow. Only one reason for drops is ever a cause.
SELECT m.customer, m.mobile FROM campaign c
JOIN message_state m ON m.campaign_id = c.id
    AND m.id BETWEEN c.first_message_id AND c.last_message_id
WHERE c.id = $1 AND m.state = 'failed'
  AND coalesce(m.cause, 'cancelled') = ANY(string_to_array($2, chr(31)))
UNION ALL
SELECT d.customer, d.mobile FROM campaign c
JOIN message_drop d ON d.campaign_id = c.id
    AND d.id BETWEEN c.first_message_id AND c.last_message_id
WHERE c.id = $1 AND d.reason = 'carrier not approved' AND d.mobile IS NOT NULL
  AND d.reason = ANY(string_to_array($2, chr(31)))

-- name: reached_since
-- Numbers to which another retry of the same messages as campaign $1, but not $2 itself, has sent
-- or is about to; read as Arrow.
WITH RECURSIVE above AS (
    SELECT id, copied_from, retry_causes FROM campaign WHERE id = $1
    UNION ALL
    SELECT c.id, c.copied_from, c.retry_causes FROM above a
    JOIN campaign c ON c.id = a.copied_from AND a.retry_causes IS NOT NULL
), family AS (
    SELECT id FROM above WHERE retry_causes IS NULL
    UNION ALL
    SELECT c.id FROM family f JOIN campaign c ON c.copied_from = f.id
    WHERE c.retry_causes IS NOT NULL
)
SELECT DISTINCT m.mobile FROM family f
JOIN campaign c ON c.id = f.id AND c.first_message_id IS NOT NULL
JOIN message_state m ON m.campaign_id = c.id
    AND m.id BETWEEN c.first_message_id AND c.last_message_id
WHERE f.id NOT IN ($1, $2) AND m.state <> 'failed'
