-- name: moved
-- When a campaign's rows left the ledger; no row while they are here.
SELECT c.name, m.month, m.dropped_at FROM campaign_history h
JOIN message_month m ON m.month = h.month AND m.dropped_at IS NOT NULL
JOIN campaign c ON c.id = h.campaign_id
WHERE h.campaign_id = %(campaign_id)s AND h.workspace_id = %(workspace_id)s

-- name: newest_moved
-- The newest month of a workspace whose messages left the ledger.
SELECT max(m.month) FROM message_month m
WHERE m.dropped_at IS NOT NULL AND EXISTS (
    SELECT FROM campaign_history h
    WHERE h.month = m.month AND h.workspace_id = %(workspace_id)s)
