-- Campaigns whose template was written from within them, and when a draft was changed last.
ALTER TABLE campaign
    ADD COLUMN own_text boolean NOT NULL DEFAULT false,
    ADD COLUMN edited_at timestamptz;
