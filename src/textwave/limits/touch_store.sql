-- name: take_clock
-- Be the only one who counts and writes touches of the workspace until the transaction ends;
-- returns the moment of what will be written: not before any other one's. Waits for so long.
WITH bounded AS MATERIALIZED (SELECT set_config('lock_timeout', %(wait)s, true))
INSERT INTO touch_clock AS c (workspace_id, touched_at) SELECT %(workspace_id)s, %(now)s FROM bounded
ON CONFLICT (workspace_id) DO UPDATE SET touched_at = greatest(c.touched_at, excluded.touched_at)
RETURNING touched_at

-- name: share_clock
-- The moment for somebody who does not count: any number may write touches at once, but nobody
-- counts and no rule changes until their transactions have ended.
WITH bounded AS MATERIALIZED (SELECT set_config('lock_timeout', %(wait)s, true))
SELECT greatest(c.touched_at, %(now)s) FROM bounded CROSS JOIN touch_clock c
WHERE c.workspace_id = %(workspace_id)s
FOR SHARE OF c

-- name: rooms
-- How many more messages a number may get, where that is fewer than are asked for. One read of the
-- index touch_of_number, or touch_of_customer; in the braces one of the next two for each limit.
SELECT mobile, room FROM (
    SELECT mobile, least({rooms}) AS room
    FROM touch
    WHERE workspace_id = %(workspace_id)s AND mobile = ANY(%(persons)s::bigint[])
      AND touched_at > %(after)s::timestamptz
    GROUP BY mobile
) counted
WHERE room < %(fewer_than)s

-- name: room
%({window})s::bigint - count(*) FILTER (WHERE touched_at > %({window}_after)s::timestamptz)

-- name: own_room
%(own_{window})s::bigint - count(*) FILTER (
    WHERE touched_at > %(own_{window}_after)s::timestamptz
      AND signature_id = ANY(%(signature_ids)s::bigint[]))

-- name: customer_keys
-- The customers of messages, in the order of ids, as touches have them.
SELECT id, hashtextextended(customer, 0) FROM message
WHERE workspace_id = %(workspace_id)s AND id BETWEEN %(first_id)s AND %(last_id)s
  AND id = ANY(%(ids)s::bigint[])

-- name: keys_of
-- Customers as touches have them, in their order.
SELECT hashtextextended(customer, 0)
FROM unnest(%(customers)s::text[]) WITH ORDINALITY AS c (customer, place) ORDER BY place

-- name: add
-- Write touches, in the order in which they are given.
INSERT INTO touch (workspace_id, mobile, customer_key, signature_id, campaign_id, message_id,
                   touched_at)
SELECT %(workspace_id)s, mobile, customer_key, %(signature_id)s, %(campaign_id)s, id, %(moment)s
FROM unnest(%(ids)s::bigint[], %(mobiles)s::bigint[], %(customer_keys)s::bigint[])
    AS t (id, mobile, customer_key)

-- name: give_back
-- Take back the touches of messages that certainly never left; those dropped since are found too.
DELETE FROM touch t USING (
    SELECT id, mobile FROM message
    WHERE workspace_id = %(workspace_id)s AND id = ANY(%(ids)s::bigint[])
    UNION ALL
    SELECT id, mobile FROM message_drop
    WHERE workspace_id = %(workspace_id)s AND id = ANY(%(ids)s::bigint[])
) unsent
WHERE t.workspace_id = %(workspace_id)s AND t.mobile = unsent.mobile AND t.message_id = unsent.id
  AND t.touched_at > %(after)s

-- name: piece_without_customer
-- The end of the next piece of touches, by number, when going through all of a workspace.
SELECT max(mobile) FROM (
    SELECT mobile FROM touch
    WHERE workspace_id = %(workspace_id)s AND mobile > %(mobile)s AND touched_at > %(after)s
    ORDER BY mobile LIMIT %(limit)s
) piece

-- name: fill_customers
-- Give the touches of a piece of numbers their customers; those whose messages are gone have none.
UPDATE touch t SET customer_key = hashtextextended(m.customer, 0)
FROM message m
WHERE t.workspace_id = %(workspace_id)s AND t.customer_key IS NULL AND t.touched_at > %(after)s
  AND t.mobile > %(mobile)s AND t.mobile <= %(last_mobile)s
  AND m.id = t.message_id AND m.workspace_id = t.workspace_id
