-- name: resolve
-- The messages that keyed receipts mean. Each request's range of ids is read once, whatever number
-- of receipts it has; a number is in a campaign once, so a later attempt's range may be read whole.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(positions)s::integer[], %(campaign_ids)s::bigint[],
                         %(numbers)s::integer[], %(attempts)s::smallint[], %(mobiles)s::bigint[])
        AS a (position, campaign_id, number, attempt, mobile)
), sent AS MATERIALIZED (
    SELECT r.campaign_id, r.number, r.attempt, r.first_id, r.last_id
    FROM (SELECT DISTINCT campaign_id, number, attempt FROM asked) k
    JOIN request r USING (campaign_id, number, attempt)
    JOIN campaign c ON c.id = r.campaign_id
    WHERE c.platform_id = %(platform_id)s
), members AS MATERIALIZED (
    SELECT s.campaign_id, s.number, s.attempt, m.id, m.mobile
    FROM sent s CROSS JOIN LATERAL (
        SELECT m.id, m.mobile FROM message m
        WHERE m.id BETWEEN s.first_id AND s.last_id AND m.campaign_id = s.campaign_id
        OFFSET 0) m
)
SELECT a.position, m.id
FROM asked a JOIN members m USING (campaign_id, number, attempt, mobile)

-- name: keep_strays
-- Keep keyed receipts that fit no message.
INSERT INTO stray_receipt (platform_id, request_key, mobile, status)
SELECT %(platform_id)s, request_key, mobile, status
FROM unnest(%(keys)s::text[], %(mobiles)s::bigint[], %(statuses)s::text[])
    AS s (request_key, mobile, status)
