-- Tables of five kinds, the ids that join them, and what is known of their columns.

ALTER TABLE customer_table DROP CONSTRAINT customer_table_kind_check;
ALTER TABLE customer_table
    ADD CONSTRAINT customer_table_kind_check
        CHECK (kind IN ('customers', 'behaviours', 'orders', 'order_summary', 'metrics')),
    -- what customer_column holds: 'customer' is the customer's own key, else an id type of `ids`
    ADD COLUMN customer_id_type text NOT NULL DEFAULT 'customer',
    -- [{"type": "email", "column": "mail"}]: further ids of the same person, one column a type
    ADD COLUMN ids jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN count_column text,
    ADD COLUMN partition_column text,
    -- {"column": {"nulls": n, "distinct": n, "top": [[value, count], …]}}
    ADD COLUMN statistics jsonb,
    ADD COLUMN statistics_at timestamptz,
    -- kept by Textwave itself (what came of messages): nothing is imported into it
    ADD COLUMN is_system boolean NOT NULL DEFAULT false;
