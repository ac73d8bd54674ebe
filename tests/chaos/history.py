"""What the database did during a run, written by triggers of its own: polling would miss moves."""

from typing import LiteralString

SCHEMA: LiteralString = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.moves (
    n       bigint GENERATED ALWAYS AS IDENTITY,
    id      bigint NOT NULL,
    was     text NOT NULL,
    became  text NOT NULL,
    why     text NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION chaos.moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.moves (id, was, became, why)
        VALUES (NEW.id, OLD.status, NEW.status, NEW.detail);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_moved AFTER UPDATE ON notifications FOR EACH ROW
    WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION chaos.moved();
-- How many were open on a bind of one epoch when a window was committed: what a crash of its holder
-- may put in doubt.
CREATE TABLE chaos.opened (bind smallint, epoch bigint, rows bigint);
CREATE FUNCTION chaos.opened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.opened SELECT NEW.bind, NEW.epoch, sum(cardinality(ids)) FROM windows
        WHERE channel = NEW.channel AND bind = NEW.bind AND epoch = NEW.epoch;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER chaos_opened AFTER INSERT ON windows DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION chaos.opened();
"""
