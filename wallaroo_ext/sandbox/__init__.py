"""An instance of the Wallaroo MLOps API on one's own machine, with real models.

Its routes and its validation come from the contract; the handlers are named by `operationId`. It needs the extra
`sandbox`. `wallaroo-ext sandbox` runs it, and `wallaroo_ext.sandbox.process.running` runs one for a test.
"""
