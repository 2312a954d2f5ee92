-- The one state of each message: its own where it has one, else that of its request, else that of
-- its campaign: what a cancelled one had not sent has failed.

CREATE VIEW message_state WITH (security_invoker = true) AS
SELECT m.id, m.workspace_id, m.campaign_id, m.mobile, m.customer, m.parts, m.cause,
       m.finished_at, m.clicked_at,
       coalesce(
           m.state,
           CASE r.state
               WHEN 'accepted' THEN 'submitted'
               WHEN 'in doubt' THEN 'in doubt'
               WHEN 'prepared' THEN 'prepared'
               ELSE CASE c.state WHEN 'cancelled' THEN 'failed' ELSE 'planned' END
           END
       ) AS state
FROM message m
JOIN campaign c ON c.id = m.campaign_id
LEFT JOIN request r ON r.campaign_id = m.campaign_id AND r.attempt = 0
    AND r.number = (m.id - c.first_message_id) / c.request_size;
