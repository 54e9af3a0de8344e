-- Which modes and models agents have said that they offer: what forms of variants suggest. `agent` is the
-- id or the command where the executor alone does not say which agent it is, else empty.
CREATE TABLE offers (
    executor TEXT NOT NULL,
    agent    TEXT NOT NULL,
    offers   TEXT NOT NULL,
    heard_at TEXT NOT NULL,
    PRIMARY KEY (executor, agent)
) WITHOUT ROWID;
