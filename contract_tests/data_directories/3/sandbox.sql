PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE assay_results (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        assay_id INTEGER NOT NULL REFERENCES assays (id),
        window_start INTEGER NOT NULL, -- in microseconds since 1970
        result TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (assay_id, window_start)
    ) STRICT;
INSERT INTO "assay_results" VALUES(1,1,1795329600430174,'{"id":null,"assay_id":null,"window_start":"2026-11-22T06:40:00.430174Z","analyzed_at":"2026-11-22T06:40:01.454162603Z","elapsed_millis":0,"iopath":"output dense_1 0","pipeline_id":null,"baseline_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","q_20","q_40","q_60","q_80","q_100","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-22T06:39:59.430174Z","end":"2026-11-22T06:40:00.430174Z"},"window_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-22T06:40:00.430174Z","end":"2026-11-22T06:40:01.430174Z"},"warning_threshold":0.0,"alert_threshold":0.1,"score":0.0,"scores":[0.0,0.0,0.0,0.0,0.0,0.0,0.0],"bin_index":null,"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"provided_edges":null},"status":"Ok","created_at":null}','2026-11-22T06:40:01.454533+00:00');
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
INSERT INTO "assays" VALUES(1,1,'{"name":"api assay","pipeline_id":1,"pipeline_name":"actor-0","active":true,"status":"active","iopath":"output dense_1 0","baseline":{"Fixed":{"pipeline":"actor-0","model":"actor-0","start_at":"2026-11-22T06:39:59.430174+00:00","end_at":"2026-11-22T06:40:00.430174+00:00"}},"window":{"pipeline":"actor-0","model":"actor-0","width":"1 seconds","start":null,"interval":null},"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"bin_width":null,"provided_edges":null,"add_outlier_edges":true},"warning_threshold":0,"alert_threshold":0.1,"run_until":null,"workspace_id":1}',1,1,'2026-11-22T06:40:01.454533+00:00','2026-11-22T06:40:02.430174+00:00','2026-11-22T06:40:01.034969+00:00');
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
INSERT INTO "deployments" VALUES(1,'actor-0',1,1,'[1]',1,'2026-11-22T06:39:59.424016+00:00');
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
    ) STRICT;
INSERT INTO "inferences" VALUES(1,'55532f0a-a491-4e83-a8f2-448607489525.arrows',0,952,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',1346934,1795329599725,1795329599725);
INSERT INTO "inferences" VALUES(2,'55532f0a-a491-4e83-a8f2-448607489525.arrows',952,1792,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',558447,1795329600794,1795329600794);
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
INSERT INTO "model_versions" VALUES(1,1,'92ba4f25-b85d-4915-9b9d-6f68675a300b','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e','model.onnx','{"name":"actor-0","visibility":"private","workspace_id":1,"conversion":{"framework":"onnx"}}','ready',NULL,'2026-11-22T06:39:59.397940+00:00');
CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        visibility TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "models" VALUES(1,1,'actor-0','private','2026-11-22T06:39:59.397940+00:00','2026-11-22T06:39:59.397940+00:00');
CREATE TABLE pipeline_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        version TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "pipeline_versions" VALUES(1,1,'b37cb6f6-048b-411d-9db5-875a230c979d','{}','2026-11-22T06:39:59.417773+00:00');
INSERT INTO "pipeline_versions" VALUES(2,2,'bcc20299-f312-4e9a-8963-da1d7f53d7f2','{}','2026-11-22T06:39:59.420797+00:00');
CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "pipelines" VALUES(1,1,'actor-0','2026-11-22T06:39:59.417643+00:00');
INSERT INTO "pipelines" VALUES(2,1,'actor-0-toggled','2026-11-22T06:39:59.420717+00:00');
CREATE TABLE refresh_tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id),
        client_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
INSERT INTO "refresh_tokens" VALUES('a-refresh-token-of-the-tests','9f62ddc1-827a-4e17-ac18-03ca9fe1b555','api-client',1795331399);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
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
INSERT INTO "users" VALUES('9f62ddc1-827a-4e17-ac18-03ca9fe1b555','user@example.com','user@example.com',X'65F332CB4F676B967DA74E5A3B402035',X'2D9C16B1C54E17FC23802130145B474B2635B4D1A953B063B5ADD2465E191FB4E91EDF367C1F08690A2A6FD46056B2B96EF1207A62CB9438F933734FE8612D66',1,0,'2026-11-22T06:39:58.728256+00:00');
CREATE TABLE workspace_users (
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        user_type TEXT NOT NULL,
        PRIMARY KEY (workspace_id, user_id)
    ) STRICT;
INSERT INTO "workspace_users" VALUES(1,'9f62ddc1-827a-4e17-ac18-03ca9fe1b555','OWNER');
CREATE TABLE workspaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL REFERENCES users (id),
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO "workspaces" VALUES(1,'user@example.com - Default Workspace','2026-11-22T06:39:58.744127+00:00','9f62ddc1-827a-4e17-ac18-03ca9fe1b555',0);
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
