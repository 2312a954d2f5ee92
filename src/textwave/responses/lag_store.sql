-- name: measure
-- Measure the opt-outs that were merged before a time: seconds from the reply's coming to the last
-- message that was prepared for the person under the signature; 0 when there was none after it.
WITH open AS (
    SELECT id FROM reply
    WHERE intent = 'opt out' AND arrived_at IS NOT NULL AND signature_id IS NOT NULL
      AND opt_out_lag_seconds IS NULL AND merged_at < %(merged_before)s
    ORDER BY merged_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE reply r SET opt_out_lag_seconds = coalesce((
    SELECT extract(epoch FROM max(t.touched_at) - r.arrived_at) FROM touch t
    WHERE t.workspace_id = r.workspace_id AND t.mobile = r.mobile
      AND t.signature_id = r.signature_id AND t.touched_at > r.arrived_at
      AND t.touched_at < r.merged_at + interval '10 minutes'), 0)
FROM open WHERE r.id = open.id

-- name: of_campaign
-- The opt-outs of a campaign that were measured: how many, the longest lag, and the 99th percentile.
SELECT count(*) AS measured, coalesce(max(opt_out_lag_seconds), 0)::float8 AS largest,
       coalesce(percentile_disc(0.99) WITHIN GROUP (ORDER BY opt_out_lag_seconds), 0)::float8 AS p99
FROM reply
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND opt_out_lag_seconds IS NOT NULL
