# Stands in for the public curl image of `helm test`, where no registry can be reached.
FROM localhost/exemplar-agent-cluster-app:1
USER 65534
