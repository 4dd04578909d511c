module example.org/go_tls

go 1.20
