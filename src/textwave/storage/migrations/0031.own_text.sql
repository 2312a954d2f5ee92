-- Campaigns whose template was written from within them.
ALTER TABLE campaign ADD COLUMN own_text boolean NOT NULL DEFAULT false;
