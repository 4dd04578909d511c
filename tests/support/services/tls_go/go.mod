module example.test/tls_go

go 1.19
