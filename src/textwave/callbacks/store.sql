-- name: platform_called
-- The platform of a callback's address; works before any workspace is known.
SELECT id, %(name)s::text AS name, sealed_key, callback_signing, previous_sealed_key,
    previous_key_until
FROM callback_platform(%(name)s)

-- name: take_nonce
-- True when the nonce was not seen before.
SELECT take_nonce(%(platform_id)s, %(nonce)s)

-- name: note_refused
-- At most once in ten seconds: anybody can send what is not let in.
SELECT note_refused_callback(%(platform_id)s, %(problem)s)

-- name: store_callback
-- Keep the body as it came.
SELECT store_callback(%(platform_id)s, %(kind)s, %(body)s)

-- name: forget_nonces
-- Delete nonces that no timestamp within the tolerance can bring again.
DELETE FROM platform_nonce WHERE seen_at < %(before)s
