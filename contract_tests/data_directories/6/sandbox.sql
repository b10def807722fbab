PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE assay_results (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        assay_id INTEGER NOT NULL REFERENCES assays (id),
        window_start INTEGER NOT NULL, -- in microseconds since 1970
        result TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (assay_id, window_start)
    ) STRICT;
INSERT INTO "assay_results" VALUES(1,1,1795821451788355,'{"id":null,"assay_id":null,"window_start":"2026-11-27T23:17:31.788355Z","analyzed_at":"2026-11-27T23:17:32.877453674Z","elapsed_millis":0,"iopath":"output dense_1 0","pipeline_id":null,"baseline_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","q_20","q_40","q_60","q_80","q_100","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-27T23:17:30.788355Z","end":"2026-11-27T23:17:31.788355Z"},"window_summary":{"count":1,"min":0.0,"max":0.0,"mean":0.0,"median":0.0,"std":0.0,"edges":[0.0,0.0,0.0,0.0,0.0,0.0,null],"edge_names":["left_outlier","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","e_0.00e0","right_outlier"],"aggregated_values":[0.0,1.0,0.0,0.0,0.0,0.0,0.0],"aggregation":"Density","start":"2026-11-27T23:17:31.788355Z","end":"2026-11-27T23:17:32.788355Z"},"warning_threshold":null,"alert_threshold":0.25,"score":0.0,"scores":[0.0,0.0,0.0,0.0,0.0,0.0,0.0],"bin_index":null,"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"provided_edges":null},"status":"Ok","created_at":null}','2026-11-27T23:17:32.877757+00:00');
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
INSERT INTO "assays" VALUES(1,1,'{"name":"fraud assay","pipeline_id":1,"pipeline_name":"actor-0","active":true,"status":"created","baseline":{"calculated":{"fixed_window":{"pipeline_name":"actor-0","model_name":"actor-0","width":"1 seconds","start":"2026-11-27T23:17:30.788355+00:00","interval":"24 hours","path":"output dense_1 0","workspace_id":1,"locations":[]}}},"window":{"pipeline_name":"actor-0","model_name":"actor-0","width":"1 seconds","start":"2026-11-27T23:17:31.788355+00:00","interval":null,"path":"output dense_1 0","workspace_id":1,"locations":[]},"summarizer":{"type":"UnivariateContinuous","bin_mode":"Quantile","aggregation":"Density","metric":"PSI","num_bins":5,"bin_weights":null,"bin_width":null,"provided_edges":null,"add_outlier_edges":null},"alert_threshold":0.25,"workspace_id":1}',1,1,'2026-11-27T23:17:32.788355+00:00','2026-11-27T23:17:33.788355+00:00','2026-11-27T23:17:31.830080+00:00','2026-11-27T23:17:31.830080+00:00','8e6e677c-1b9d-4a9a-a326-350011adcfb5');
CREATE TABLE deployments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        deploy_id TEXT NOT NULL,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        pipeline_version_id INTEGER NOT NULL REFERENCES pipeline_versions (id),
        steps TEXT NOT NULL, -- the ids of the model versions, in order
        deployed INTEGER NOT NULL,
        created_at TEXT NOT NULL, engine_config TEXT,
        UNIQUE (pipeline_id, deploy_id)
    ) STRICT;
INSERT INTO "deployments" VALUES(1,'actor-0',1,1,'[1]',1,'2026-11-27T23:17:30.529027+00:00','{}');
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
INSERT INTO "inferences" VALUES(1,'9b60e873-d7b9-47f4-a3df-66e2a23f6317.arrows',0,1136,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',5521690,1795821450759,1795821450759,1);
INSERT INTO "inferences" VALUES(2,'9b60e873-d7b9-47f4-a3df-66e2a23f6317.arrows',1136,2272,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',516117,1795821450792,1795821450792,1);
INSERT INTO "inferences" VALUES(3,'9b60e873-d7b9-47f4-a3df-66e2a23f6317.arrows',2272,3296,1,'actor-0','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e',386976,1795821451816,1795821451816,1);
CREATE TABLE model_configs (
        id INTEGER PRIMARY KEY,
        version_id INTEGER NOT NULL REFERENCES model_versions (id),
        runtime TEXT NOT NULL,
        details TEXT NOT NULL -- its other fields, in JSON
    ) STRICT;
INSERT INTO "model_configs" VALUES(1001,1,'onnx','{"input_schema":null,"output_schema":null}');
CREATE TABLE model_tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version_id INTEGER NOT NULL REFERENCES model_versions (id),
        tag_id INTEGER NOT NULL REFERENCES tags (id),
        UNIQUE (version_id, tag_id)
    ) STRICT;
INSERT INTO "model_tags" VALUES(1,1,1);
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
INSERT INTO "model_versions" VALUES(1,1,'1f41af20-49ed-4f2f-b569-4a8b7ef58e2e','c0ee10aa81aa37a6886b46665897578d24538793b968becbad4c95b7c5b0fa0e','model.onnx','{"name":"actor-0","visibility":"private","workspace_id":1,"conversion":{"framework":"onnx"}}','ready',NULL,'2026-11-27T23:17:30.405922+00:00',7901,'user@example.com','2025.2.0');
CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        visibility TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "models" VALUES(1,1,'actor-0','private','2026-11-27T23:17:30.405922+00:00','2026-11-27T23:17:30.405922+00:00');
CREATE TABLE pipeline_tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        tag_id INTEGER NOT NULL REFERENCES tags (id),
        UNIQUE (pipeline_id, tag_id)
    ) STRICT;
INSERT INTO "pipeline_tags" VALUES(1,1,1);
CREATE TABLE pipeline_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        version TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
INSERT INTO "pipeline_versions" VALUES(1,1,'61cd1d3a-cdbb-48f1-a1e2-a13cedfc9c2e','{}','2026-11-27T23:17:30.439845+00:00');
INSERT INTO "pipeline_versions" VALUES(2,2,'ba8ffbc7-dfab-48ac-8af2-6e10c8affe71','{}','2026-11-27T23:17:30.470979+00:00');
CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
INSERT INTO "pipelines" VALUES(1,1,'actor-0','2026-11-27T23:17:30.439744+00:00');
INSERT INTO "pipelines" VALUES(2,1,'actor-0-toggled','2026-11-27T23:17:30.470885+00:00');
CREATE TABLE refresh_tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id),
        client_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
INSERT INTO "refresh_tokens" VALUES('a-refresh-token-of-the-tests','612ffc19-357a-42ab-91e6-43349aeeb387','api-client',1795823250);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "settings" VALUES('directory_id','e1636adef0e4d65daadaaeb87792612f');
INSERT INTO "settings" VALUES('changes','21');
INSERT INTO "settings" VALUES('clock_offset_ns','0');
INSERT INTO "settings" VALUES('default_password','a-password-of-the-tests');
INSERT INTO "settings" VALUES('client_secret','a-client-secret-of-the-tests');
INSERT INTO "settings" VALUES('refresh_key','{"id": "b83917e1-e61d-4f89-8d55-edf1d9c869ea", "secret": "ab730d2947bb85cd0331474469c62f24e2ec2274d600da77dfa67f9b8c07fb05cf3e8d2386068dbc164a599cc2c80ee4109ffc84394902a78c85d9e7ae84189d"}');
INSERT INTO "settings" VALUES('port','35021');
CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, tag TEXT NOT NULL) STRICT;
INSERT INTO "tags" VALUES(1,'a tag');
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
INSERT INTO "users" VALUES('612ffc19-357a-42ab-91e6-43349aeeb387','user@example.com','user@example.com',X'D2CB227A44BE364BCE9354D045FB032A',X'240E3A8C0B701EA34B4F2DDD3ED782B7C0A266A7D360E46BE73A4B9DB40064995211F55FC103451CF73EF803C603DBF149507D4A2F830332E297FDEEA0A4D1E3',1,0,'2026-11-27T23:17:30.036596+00:00');
CREATE TABLE workspace_users (
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        user_type TEXT NOT NULL,
        PRIMARY KEY (workspace_id, user_id)
    ) STRICT;
INSERT INTO "workspace_users" VALUES(1,'612ffc19-357a-42ab-91e6-43349aeeb387','OWNER');
CREATE TABLE workspaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL REFERENCES users (id),
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO "workspaces" VALUES(1,'user@example.com - Default Workspace','2026-11-27T23:17:30.048307+00:00','612ffc19-357a-42ab-91e6-43349aeeb387',0);
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
INSERT INTO "sqlite_sequence" VALUES('tags',1);
INSERT INTO "sqlite_sequence" VALUES('model_tags',1);
INSERT INTO "sqlite_sequence" VALUES('pipeline_tags',1);
COMMIT;
