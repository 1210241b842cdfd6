module github.com/clusterlab-dev/lab

go 1.26.0
