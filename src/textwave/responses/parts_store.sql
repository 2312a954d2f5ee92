-- name: keep
-- Remember delivered parts, each once.
INSERT INTO delivered_part (message_id, part, platform_id, parts, reported_at)
SELECT DISTINCT ON (message_id, part) message_id, part, %(platform_id)s, parts, reported_at
FROM unnest(%(message_ids)s::bigint[], %(parts)s::smallint[], %(totals)s::smallint[],
            %(reported)s::timestamptz[]) AS p (message_id, part, parts, reported_at)
ORDER BY message_id, part, reported_at
ON CONFLICT DO NOTHING

-- name: complete
-- Messages all of whose parts are delivered, with when the last of them was: as many as the platform
-- says it made, else as many as were planned.
SELECT p.message_id, max(p.reported_at) AS reported_at
FROM delivered_part p
JOIN message m ON m.id = p.message_id AND m.id = ANY(%(message_ids)s::bigint[])
WHERE p.platform_id = %(platform_id)s
GROUP BY p.message_id, m.parts HAVING count(*) >= coalesce(max(p.parts), m.parts)

-- name: forget
-- Delete parts that came before a time, a bounded number at once.
DELETE FROM delivered_part WHERE (message_id, part, platform_id) IN (
    SELECT message_id, part, platform_id FROM delivered_part
    WHERE received_at < %(before)s ORDER BY received_at LIMIT %(limit)s)
