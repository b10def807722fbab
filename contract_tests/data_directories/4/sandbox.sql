PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE assay_results (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        assay_id INTEGER NOT NULL REFERENCES assays (id),
        window_start INTEGER NOT NULL, -- in microseconds since 1970
        result TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (assay_id, window_start)
    ) STRICT;
INSERT INTO "assay_results" VALUES(1,1,1795329573770420,'{"id":null,"assay_id":null,"window_start":"2026-11-22T06:39:33.770420Z","analyzed_at":"2026-11-22T06:39:34.823745410Z","elapsed_millis":0,"iopath":"output dense_1 0","pipeline_id":null,"baseline_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","q_20","q_40","q_60","q_80","q_100","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-22T06:39:32.770420Z","end":"2026-11-22T06:39:33.770420Z"},"window_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-22T06:39:33.770420Z","end":"2026-11-22T06:39:34.770420Z"},"warning_threshold":0.0,"alert_threshold":0.1,"score":0.0,"scores":[0.0,0.0,0.0,0.0,0.0,0.0,0.0],"bin_index":null,"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"provided_edges":null},"status":"Ok","created_at":null}','2026-11-22T06:39:34.824164+00:00');
CREATE TABLE assays (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        request TEXT NOT NULL, -- as it was sent
        active INTEGER NOT NULL,
        windows_done INTEGER NOT NULL DEFAULT 0, -- the number of the first window that is still to be computed
        last_run TEXT,
        next_run TEXT,
        updated_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "assays" VALUES(1,1,'{"name":"api assay","pipeline_id":1,"pipeline_name":"actor-0","active":true,"status":"active","iopath":"output dense_1 0","baseline":{"Fixed":{"pipeline":"actor-0","model":"actor-0","start_at":"2026-11-22T06:39:32.770420+00:00","end_at":"2026-11-22T06:39:33.770420+00:00"}},"window":{"pipeline":"actor-0","model":"actor-0","width":"1 seconds","start":null,"interval":null},"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"bin_width":null,"provided_edges":null,"add_outlier_edges":true},"warning_threshold":0,"alert_threshold":0.1,"run_until":null,"workspace_id":1}',1,1,'2026-11-22T06:39:34.770420+00:00','2026-11-22T06:39:35.770420+00:00','2026-11-22T06:39:34.093324+00:00');
CREATE TABLE deployments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        deploy_id TEXT NOT NULL,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        pipeline_version_id INTEGER NOT NULL REFERENCES pipeline_versions (id),
        steps TEXT NOT NULL, -- the ids of the model versions, in order
        deployed INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (pipeline_id, deploy_id)
    ) STRICT;
INSERT INTO "deployments" VALUES(1,'actor-0',1,1,'[1]',1,'2026-11-22T06:39:32.765040+00:00');
CREATE TABLE inferences (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        segment TEXT NOT NULL,
        start_offset INTEGER NOT NULL,
        end_offset INTEGER NOT NULL,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        model_name TEXT NOT NULL,
        model_sha TEXT NOT NULL,
        elapsed_ns INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL
    , row_count INTEGER) STRICT;
INSERT INTO "inferences" VALUES(1,'a9826e91-c12a-41da-ba9f-7f37d0d7a726.arrows',0,952,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',1229501,1795329573096,1795329573096,1);
INSERT INTO "inferences" VALUES(2,'a9826e91-c12a-41da-ba9f-7f37d0d7a726.arrows',952,1792,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',501452,1795329573958,1795329573958,1);
CREATE TABLE model_configs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version_id INTEGER NOT NULL UNIQUE REFERENCES model_versions (id),
        runtime TEXT NOT NULL
    ) STRICT;
INSERT INTO "model_configs" VALUES(1,1,'onnx');
CREATE TABLE model_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model_id INTEGER NOT NULL REFERENCES models (id) DEFERRABLE INITIALLY DEFERRED,
        version TEXT NOT NULL UNIQUE,
        sha TEXT NOT NULL,
        file_name TEXT NOT NULL,
        metadata TEXT NOT NULL,
        status TEXT NOT NULL,
        error_summary TEXT,
        created_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "model_versions" VALUES(1,1,'8946227c-8176-43b8-a06f-b6c145d9ec7d','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e','model.onnx','{"name":"actor-0","visibility":"private","workspace_id":1,"conversion":{"framework":"onnx"}}','ready',NULL,'2026-11-22T06:39:32.749527+00:00');
CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        visibility TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "models" VALUES(1,1,'actor-0','private','2026-11-22T06:39:32.749527+00:00','2026-11-22T06:39:32.749527+00:00');
CREATE TABLE pipeline_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        version TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "pipeline_versions" VALUES(1,1,'deaf27b2-cefd-49dd-a812-a93b9e842fc6','{}','2026-11-22T06:39:32.758190+00:00');
INSERT INTO "pipeline_versions" VALUES(2,2,'6af914c4-f548-42f0-a494-b888c6fc7245','{}','2026-11-22T06:39:32.761974+00:00');
CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "pipelines" VALUES(1,1,'actor-0','2026-11-22T06:39:32.758012+00:00');
INSERT INTO "pipelines" VALUES(2,1,'actor-0-toggled','2026-11-22T06:39:32.761873+00:00');
CREATE TABLE refresh_tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id),
        client_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
INSERT INTO "refresh_tokens" VALUES('a-refresh-token-of-the-tests','7cbd9942-b003-44b2-834c-3c44458c959c','api-client',1795331372);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "settings" VALUES('clock_offset_ns','0');
INSERT INTO "settings" VALUES('default_password','a-password-of-the-tests');
INSERT INTO "settings" VALUES('client_secret','a-client-secret-of-the-tests');
CREATE TABLE users (
        id TEXT PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        email TEXT NOT NULL UNIQUE,
        password_salt BLOB NOT NULL,
        password_hash BLOB NOT NULL,
        enabled INTEGER NOT NULL,
        requires_action INTEGER NOT NULL, -- whether the password is temporary and has to be changed
        created_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "users" VALUES('7cbd9942-b003-44b2-834c-3c44458c959c','user@example.com','user@example.com',X'8EC6BF494F8C312315A1BD9F3D317D24',X'064C2838D4062AA5374ABE49ECA3DD2373CED3730B3980B285EA8C9E79A5C6513FA46FAC35C2D9DBD1FD382D1028C0B2FA70A62DB37D4E2CB62E9F50002C2E74',1,0,'2026-11-22T06:39:32.298631+00:00');
CREATE TABLE workspace_users (
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        user_type TEXT NOT NULL,
        PRIMARY KEY (workspace_id, user_id)
    ) STRICT;
INSERT INTO "workspace_users" VALUES(1,'7cbd9942-b003-44b2-834c-3c44458c959c','OWNER');
CREATE TABLE workspaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL REFERENCES users (id),
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO "workspaces" VALUES(1,'user@example.com - Default Workspace','2026-11-22T06:39:32.314980+00:00','7cbd9942-b003-44b2-834c-3c44458c959c',0);
CREATE VIEW model_readers (model_id, user_id) AS
        SELECT models.id, users.id FROM models JOIN users
        WHERE visibility = 'public' OR EXISTS (
            SELECT 1 FROM workspace_users
            WHERE workspace_users.workspace_id = models.workspace_id AND workspace_users.user_id = users.id
        );
CREATE INDEX inferences_by_time ON inferences (pipeline_id, first_ms);
CREATE INDEX inferences_by_segment ON inferences (segment);
CREATE INDEX assays_by_pipeline ON assays (pipeline_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('workspaces',1);
INSERT INTO "sqlite_sequence" VALUES('model_versions',1);
INSERT INTO "sqlite_sequence" VALUES('pipelines',2);
INSERT INTO "sqlite_sequence" VALUES('pipeline_versions',2);
INSERT INTO "sqlite_sequence" VALUES('model_configs',1);
INSERT INTO "sqlite_sequence" VALUES('deployments',1);
INSERT INTO "sqlite_sequence" VALUES('inferences',2);
INSERT INTO "sqlite_sequence" VALUES('assays',1);
INSERT INTO "sqlite_sequence" VALUES('assay_results',1);
COMMIT;
