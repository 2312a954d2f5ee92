-- The library of images, videos and sounds, and digital templates that are made of them.

CREATE TABLE material (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    kind text NOT NULL CHECK (kind IN ('image', 'audio', 'video')),
    suffix text NOT NULL CHECK (suffix IN ('gif', 'jpg', 'png', 'mp3', 'mp4')),
    size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 10485760),
    width integer,
    height integer,
    -- pictures of an animation, 1 of a still
    frames integer,
    milliseconds integer,
    codec text NOT NULL DEFAULT '',
    sha256 text NOT NULL,
    -- the file as it came, where it was made smaller or turned into another format
    original_suffix text NOT NULL,
    original_size_bytes integer NOT NULL,
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 10),
    shared boolean NOT NULL DEFAULT false,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);
CREATE INDEX material_page ON material (workspace_id, id);

-- Apart, so that a page of the library does not read the files.
CREATE TABLE material_content (
    material_id bigint PRIMARY KEY REFERENCES material ON DELETE CASCADE,
    workspace_id bigint NOT NULL REFERENCES workspace,
    content bytea NOT NULL,
    -- JPEG of at most 320 by 320; null: nothing to be seen
    thumbnail bytea
);
ALTER TABLE material_content ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE material_content ALTER COLUMN thumbnail SET STORAGE EXTERNAL;

-- A digital template is a template of that type; its content is its text parts, one a line.
ALTER TABLE template DROP CONSTRAINT template_type_check;
ALTER TABLE template ADD CONSTRAINT template_type_check
    CHECK (type IN ('promotional', 'notification', 'digital'));
ALTER TABLE campaign DROP CONSTRAINT campaign_type_check;
ALTER TABLE campaign ADD CONSTRAINT campaign_type_check
    CHECK (type IN ('promotional', 'notification', 'digital'));

CREATE TABLE digital_template (
    template_id bigint PRIMARY KEY REFERENCES template,
    workspace_id bigint NOT NULL REFERENCES workspace,
    -- shown above the message
    subject text NOT NULL
);

CREATE TABLE digital_part (
    template_id bigint NOT NULL REFERENCES digital_template,
    position smallint NOT NULL CHECK (position BETWEEN 1 AND 30),
    workspace_id bigint NOT NULL REFERENCES workspace,
    text text,
    material_id bigint REFERENCES material,
    PRIMARY KEY (template_id, position),
    CHECK ((text IS NULL) <> (material_id IS NULL))
);
CREATE INDEX digital_part_of_material ON digital_part (material_id)
    WHERE material_id IS NOT NULL;

CREATE TABLE digital_carrier (
    template_id bigint NOT NULL REFERENCES digital_template,
    carrier text NOT NULL CHECK (carrier IN ('mobile', 'unicom', 'telecom', 'broadnet')),
    workspace_id bigint NOT NULL REFERENCES workspace,
    state text NOT NULL CHECK (state IN ('reviewing', 'approved', 'unverified', 'rejected',
        'lapsed', 'missing')),
    reason text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (template_id, carrier)
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['material', 'material_content', 'digital_template', 'digital_part',
                             'digital_carrier'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON material TO textwave_web;
GRANT SELECT, INSERT, DELETE ON material_content, digital_part, digital_carrier TO textwave_web;
GRANT SELECT, INSERT, UPDATE ON digital_template TO textwave_web;
