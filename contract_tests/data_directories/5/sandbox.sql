PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE assay_results (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        assay_id INTEGER NOT NULL REFERENCES assays (id),
        window_start INTEGER NOT NULL, -- in microseconds since 1970
        result TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (assay_id, window_start)
    ) STRICT;
INSERT INTO "assay_results" VALUES(1,1,1795811253625060,'{"id":null,"assay_id":null,"window_start":"2026-11-27T20:27:33.625060Z","analyzed_at":"2026-11-27T20:27:34.666673433Z","elapsed_millis":0,"iopath":"output dense_1 0","pipeline_id":null,"baseline_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","q_20","q_40","q_60","q_80","q_100","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-27T20:27:29.625060Z","end":"2026-11-27T20:27:30.625060Z"},"window_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-27T20:27:33.625060Z","end":"2026-11-27T20:27:34.625060Z"},"warning_threshold":null,"alert_threshold":0.25,"score":0.0,"scores":[0.0,0.0,0.0,0.0,0.0,0.0,0.0],"bin_index":null,"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"provided_edges":null},"status":"Ok","created_at":null}','2026-11-27T20:27:34.675365+00:00');
CREATE TABLE assays (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        request TEXT NOT NULL, -- as it was sent
        active INTEGER NOT NULL,
        windows_done INTEGER NOT NULL DEFAULT 0, -- the number of the first window that is still to be computed
        last_run TEXT,
        next_run TEXT,
        updated_at TEXT NOT NULL
    , created_at TEXT, uuid TEXT) STRICT;
INSERT INTO "assays" VALUES(1,1,'{"name":"fraud assay","pipeline_id":1,"pipeline_name":"actor-0","active":true,"status":"created","baseline":{"calculated":{"fixed_window":{"pipeline_name":"actor-0","model_name":"actor-0","width":"1 seconds","start":"2026-11-27T20:27:29.625060+00:00","interval":"24 hours","path":"output dense_1 0","workspace_id":1,"locations":[]}}},"window":{"pipeline_name":"actor-0","model_name":"actor-0","width":"1 seconds","start":"2026-11-27T20:27:30.625060+00:00","interval":null,"path":"output dense_1 0","workspace_id":1,"locations":[]},"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"bin_width":null,"provided_edges":null,"add_outlier_edges":null},"alert_threshold":0.25,"workspace_id":1}',1,4,'2026-11-27T20:27:34.625060+00:00','2026-11-27T20:27:35.625060+00:00','2026-11-27T20:27:34.239096+00:00','2026-11-27T20:27:34.239096+00:00','05e1b546-e00c-4e9e-b2e0-d27036df0bde');
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
INSERT INTO "deployments" VALUES(1,'actor-0',1,1,'[1]',1,'2026-11-27T20:27:22.171710+00:00');
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
INSERT INTO "inferences" VALUES(1,'591fdee7-075b-4a35-9941-55abccaec2cc.arrows',0,952,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',1732787,1795811249607,1795811249607,1);
INSERT INTO "inferences" VALUES(2,'591fdee7-075b-4a35-9941-55abccaec2cc.arrows',952,1904,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',499483,1795811249633,1795811249633,1);
INSERT INTO "inferences" VALUES(3,'591fdee7-075b-4a35-9941-55abccaec2cc.arrows',1904,2744,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',453885,1795811254203,1795811254203,1);
CREATE TABLE model_configs (
        id INTEGER PRIMARY KEY,
        version_id INTEGER NOT NULL REFERENCES model_versions (id),
        runtime TEXT NOT NULL,
        details TEXT NOT NULL -- its other fields, in JSON
    ) STRICT;
INSERT INTO "model_configs" VALUES(1001,1,'onnx','{"input_schema":null,"output_schema":null}');
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
    , size INTEGER, created_by TEXT, created_on_version TEXT) STRICT;
INSERT INTO "model_versions" VALUES(1,1,'52c4b680-1e05-4b2b-82a0-2a1654cf432d','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e','model.onnx','{"name":"actor-0","visibility":"private","workspace_id":1,"conversion":{"framework":"onnx"}}','ready',NULL,'2026-11-27T20:27:22.068780+00:00',7901,'user@example.com','2025.2.0');
CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        visibility TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "models" VALUES(1,1,'actor-0','private','2026-11-27T20:27:22.068780+00:00','2026-11-27T20:27:22.068780+00:00');
CREATE TABLE pipeline_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        version TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "pipeline_versions" VALUES(1,1,'e38bcbe1-3ecf-4391-ad96-33b0cd04a307','{}','2026-11-27T20:27:22.148068+00:00');
INSERT INTO "pipeline_versions" VALUES(2,2,'c3993130-2abe-4908-9296-bb4a517f44d1','{}','2026-11-27T20:27:22.167068+00:00');
CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "pipelines" VALUES(1,1,'actor-0','2026-11-27T20:27:22.147950+00:00');
INSERT INTO "pipelines" VALUES(2,1,'actor-0-toggled','2026-11-27T20:27:22.166984+00:00');
CREATE TABLE refresh_tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id),
        client_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
INSERT INTO "refresh_tokens" VALUES('a-refresh-token-of-the-tests','a21f5a77-3515-4795-8ddf-b89a12ddf353','api-client',1795813041);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "settings" VALUES('directory_id','f494b51d08e7e1c88535a8a174dbb191');
INSERT INTO "settings" VALUES('changes','21');
INSERT INTO "settings" VALUES('clock_offset_ns','0');
INSERT INTO "settings" VALUES('default_password','a-password-of-the-tests');
INSERT INTO "settings" VALUES('client_secret','a-client-secret-of-the-tests');
INSERT INTO "settings" VALUES('refresh_key','{"id": "fc6cbb89-3d77-45e5-8d32-ca26ab8c147f", "secret": "0eb0d6185fada0bdf26da4096fd96a5e0863970f3d86a88d223c716350547d8ba2361ce5985d489ea0fc4cc8c940fc5723618257801d3242af3a3ec4c58b4bac"}');
INSERT INTO "settings" VALUES('port','44947');
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
INSERT INTO "users" VALUES('a21f5a77-3515-4795-8ddf-b89a12ddf353','user@example.com','user@example.com',X'5F00FF72B0C3ADE6B9E85745327788F6',X'00444754F2106E3090EF2C0757F61ABE8841930F5BE6683CCE268FEB708ED17F30B454A8D9DF49C71F99A0D21BDB289C4916F927388F73694640D68AA56FEE79',1,0,'2026-11-27T20:27:20.964399+00:00');
CREATE TABLE workspace_users (
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        user_type TEXT NOT NULL,
        PRIMARY KEY (workspace_id, user_id)
    ) STRICT;
INSERT INTO "workspace_users" VALUES(1,'a21f5a77-3515-4795-8ddf-b89a12ddf353','OWNER');
CREATE TABLE workspaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL REFERENCES users (id),
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO "workspaces" VALUES(1,'user@example.com - Default Workspace','2026-11-27T20:27:20.994568+00:00','a21f5a77-3515-4795-8ddf-b89a12ddf353',0);
CREATE VIEW model_readers (model_id, user_id) AS
        SELECT models.id, users.id FROM models JOIN users
        WHERE visibility = 'public' OR EXISTS (
            SELECT 1 FROM workspace_users
            WHERE workspace_users.workspace_id = models.workspace_id AND workspace_users.user_id = users.id
        );
CREATE INDEX inferences_by_time ON inferences (pipeline_id, first_ms);
CREATE INDEX inferences_by_segment ON inferences (segment);
CREATE INDEX assays_by_pipeline ON assays (pipeline_id);
CREATE INDEX model_configs_by_version ON model_configs (version_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('workspaces',1);
INSERT INTO "sqlite_sequence" VALUES('model_versions',1);
INSERT INTO "sqlite_sequence" VALUES('pipelines',2);
INSERT INTO "sqlite_sequence" VALUES('pipeline_versions',2);
INSERT INTO "sqlite_sequence" VALUES('deployments',1);
INSERT INTO "sqlite_sequence" VALUES('inferences',3);
INSERT INTO "sqlite_sequence" VALUES('assays',1);
INSERT INTO "sqlite_sequence" VALUES('assay_results',1);
COMMIT;
