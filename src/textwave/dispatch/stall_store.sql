-- name: facts
-- What tells whether campaigns stand still, and why: of those named, or of all that should move. A
-- batch has made progress when it ended, or when its last round had answers: then it counts its
-- attempts anew.
SELECT c.id AS campaign_id, now() AS looked_at, c.state, c.reason, c.state_since, c.stalled_since AS noted_since,
       p.name AS platform, c.plan_attempts, c.plan_problem, open.last_progress_at,
       open.batches AS open_batches, open.due AS due_batches, open.undecided AS undecided_batches,
       open.doubtful AS doubtful_batches, doubt.requests AS doubtful_requests,
       open.next_due_at, coalesce(troubled.trouble, '') AS trouble, p.resting_until,
       p.resting_reason, seconds_since_worker() AS worker_silence_seconds
FROM campaign c
JOIN platform p ON p.id = c.platform_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE b.state <> 'done') AS batches,
           count(*) FILTER (WHERE b.state <> 'done' AND b.due_at <= now()) AS due,
           count(*) FILTER (WHERE b.due_at = 'infinity' AND b.state = 'waiting') AS undecided,
           count(*) FILTER (WHERE b.due_at = 'infinity' AND b.state = 'prepared') AS doubtful,
           min(b.due_at) FILTER (WHERE b.state <> 'done' AND b.due_at > now()
                                   AND b.due_at < 'infinity') AS next_due_at,
           max(b.changed_at) FILTER (WHERE b.state = 'done'
                                        OR b.state = 'prepared' AND b.attempts = 0)
               AS last_progress_at
    FROM batch b
    WHERE c.state = 'sending' AND b.workspace_id = c.workspace_id AND b.campaign_id = c.id
) open
CROSS JOIN LATERAL (
    SELECT count(*) AS requests FROM request r
    WHERE open.doubtful > 0 AND r.workspace_id = c.workspace_id AND r.campaign_id = c.id
      AND r.state = 'in doubt'
) doubt
LEFT JOIN LATERAL (
    SELECT b.trouble FROM batch b
    WHERE c.state = 'sending' AND b.workspace_id = c.workspace_id AND b.campaign_id = c.id
      AND b.state IN ('waiting', 'prepared') AND b.trouble <> ''
    ORDER BY b.changed_at DESC LIMIT 1
) troubled ON true
WHERE (%(workspace_id)s::bigint IS NULL OR c.workspace_id = %(workspace_id)s)
  AND c.state IN ('reviewing', 'planning', 'sending')
  AND (%(campaign_ids)s::bigint[] IS NULL OR c.id = ANY(%(campaign_ids)s))
ORDER BY c.id

-- name: note
-- Since when campaigns were seen to stand still; what moves again stands still no more.
UPDATE campaign c SET stalled_since = CASE WHEN n.stalled THEN %(now)s::timestamptz END
FROM unnest(%(campaign_ids)s::bigint[], %(stalled)s::boolean[]) AS n (id, stalled)
WHERE c.id = n.id AND c.state = 'sending' AND n.stalled <> (c.stalled_since IS NOT NULL)
