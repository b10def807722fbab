"""The life of a deployment: deploying models, waiting, finding what is deployed, and ending it."""
