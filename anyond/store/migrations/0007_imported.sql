-- What has ever been imported: a person who has deleted it since does not want it back.
CREATE TABLE imported (
    id TEXT PRIMARY KEY NOT NULL
) WITHOUT ROWID;
