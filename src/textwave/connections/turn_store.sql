-- name: begin_turns
-- The first application at a platform; harmless when it is not the first.
INSERT INTO application_turn (platform_id, last_at, day, taken)
VALUES (%(platform_id)s, %(last_at)s, %(day)s, %(taken)s) ON CONFLICT DO NOTHING
RETURNING platform_id

-- name: last_turn
-- The last turn given, held until the next one is kept.
SELECT last_at, day, taken FROM application_turn WHERE platform_id = %(platform_id)s FOR UPDATE

-- name: keep_turn
UPDATE application_turn SET last_at = %(last_at)s, day = %(day)s, taken = %(taken)s
WHERE platform_id = %(platform_id)s
