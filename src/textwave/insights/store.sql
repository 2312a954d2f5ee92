-- name: campaign
-- A campaign's counters, kept up to date by plan, batches and merges.
SELECT c.id, c.name, c.state, c.reason, c.created_at, c.started_at, c.planned_at, c.completed_at,
       CASE WHEN c.type = 'digital' AND p.options ? 'digital_price_milli'
           THEN (p.options ->> 'digital_price_milli')::integer ELSE p.price_milli END AS price_milli,
       p.currency, t.campaign_id IS NOT NULL AS planned,
       coalesce(t.audience, 0) AS audience, coalesce(t.messages, 0) AS messages,
       coalesce(t.parts, 0) AS parts, coalesce(t.submitted, 0) AS submitted,
       coalesce(t.delivered, 0) AS delivered, coalesce(t.failed, 0) AS failed,
       coalesce(t.clicks, 0) AS clicks, coalesce(t.human_clicks, 0) AS human_clicks,
       coalesce(t.clickers, 0) AS clickers, coalesce(t.replies, 0) AS replies,
       coalesce(t.opt_outs, 0) AS opt_outs,
       coalesce(t.last_answer_at, (
           SELECT max(r.answered_at) FROM request r
           WHERE r.campaign_id = c.id AND r.workspace_id = c.workspace_id)) AS last_answer_at
FROM campaign c
JOIN platform p ON p.id = c.platform_id
LEFT JOIN campaign_tally t ON t.campaign_id = c.id AND t.workspace_id = c.workspace_id
WHERE c.workspace_id = %(workspace_id)s AND c.name = %(name)s

-- name: drops
SELECT reason AS name, count FROM campaign_drop_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND count > 0
ORDER BY count DESC, reason

-- name: variants
-- What came of each variant, as it was counted last; those who wait for the winner come last.
SELECT v.name, t.name AS template, v.share_milli / 1000.0::float8 AS share, v.messages,
       v.submitted, v.delivered, v.failed, v.clicks, v.clickers,
       coalesce(v.clickers / nullif(v.submitted, 0)::float8, 0) AS click_rate,
       v.number = coalesce(c.winner, 0) AND v.number > 0 AS wins, v.counted_at
FROM campaign_variant v JOIN campaign c ON c.id = v.campaign_id
LEFT JOIN template t ON t.id = v.template_id
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s
ORDER BY v.number = 0, v.number

-- name: failures
SELECT cause AS name, count FROM campaign_failure_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND count > 0
ORDER BY count DESC, cause

-- name: in_doubt
-- Messages of requests that may or may not have been sent; open requests only, so few.
SELECT count(*) FROM request r
JOIN message m ON m.id BETWEEN r.first_id AND r.last_id AND m.campaign_id = r.campaign_id
    AND CASE WHEN r.message_ids IS NULL THEN m.state IS NULL
        ELSE m.state = 'retrying' AND m.id = ANY(r.message_ids) END
WHERE r.workspace_id = %(workspace_id)s AND r.campaign_id = %(campaign_id)s
  AND r.state = 'in doubt'

-- name: trouble
-- What sending waits for, of the batch that changed last.
SELECT trouble FROM batch
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND state IN ('waiting', 'prepared') AND trouble <> ''
ORDER BY changed_at DESC LIMIT 1

-- name: workspace_of
SELECT workspace_id FROM campaign WHERE id = %(campaign_id)s

-- name: recount
-- The same figures counted from the rows themselves, for tests and for doubters.
SELECT
    (SELECT count(*) FROM message WHERE campaign_id = %(campaign_id)s) AS messages,
    (SELECT count(*) FROM message_drop WHERE campaign_id = %(campaign_id)s) AS drops,
    (SELECT coalesce(sum(parts), 0) FROM message
     WHERE campaign_id = %(campaign_id)s)::bigint AS parts,
    (SELECT count(*) FROM message_state
     WHERE campaign_id = %(campaign_id)s AND state = 'delivered') AS delivered,
    (SELECT count(*) FROM message_state
     WHERE campaign_id = %(campaign_id)s AND state = 'failed') AS failed,
    (SELECT count(*) FROM message_state
     WHERE campaign_id = %(campaign_id)s AND state = 'in doubt') AS in_doubt,
    (SELECT count(*) FROM click WHERE campaign_id = %(campaign_id)s) AS clicks,
    (SELECT count(*) FROM message
     WHERE campaign_id = %(campaign_id)s AND clicked_at IS NOT NULL) AS clickers,
    (SELECT count(*) FROM reply WHERE campaign_id = %(campaign_id)s) AS replies
