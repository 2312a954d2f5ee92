-- Whoever waits for a long-running operation may end it.

ALTER TABLE operation DROP CONSTRAINT operation_state_check;
ALTER TABLE operation
    ADD CONSTRAINT operation_state_check
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    ADD COLUMN cancel_requested_at timestamptz;
