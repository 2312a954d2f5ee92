-- name: platform_called
-- The platform of a callback's address; works before any workspace is known.
SELECT id, %(name)s::text AS name, sealed_key, callback_signing
FROM callback_platform(%(name)s)

-- name: take_nonce
-- True when the nonce was not seen before.
SELECT take_nonce(%(platform_id)s, %(nonce)s)

-- name: store_callback
-- Keep the body as it came.
SELECT store_callback(%(platform_id)s, %(kind)s, %(body)s)

-- name: forget_nonces
-- Delete nonces that no timestamp within the tolerance can bring again.
DELETE FROM platform_nonce WHERE seen_at < %(before)s
