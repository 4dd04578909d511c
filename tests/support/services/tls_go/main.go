// A server and a client on Go's own net/http and crypto/tls, HTTP/1.1 only:
//
//	tls_go server PORT CERTIFICATE KEY
//	tls_go client URL CONNECTIONS REQUESTS
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

func serve(port, certificate, key string) error {
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		switch {
		case strings.HasPrefix(request.URL.Path, "/fail"):
			answer.WriteHeader(500)
		case strings.HasPrefix(request.URL.Path, "/big"):
			answer.Write(make([]byte, 1000000))
			return
		}
		fmt.Fprintln(answer, "ok")
	})
	server := &http.Server{
		Addr:         "127.0.0.1:" + port,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	return server.ListenAndServeTLS(certificate, key)
}

func get(client *http.Client, url string, times int) {
	for i := 0; i < times; i++ {
		reply, err := client.Get(url)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
	}
}

func main() {
	if os.Args[1] == "server" {
		panic(serve(os.Args[2], os.Args[3], os.Args[4]))
	}
	connections, _ := strconv.Atoi(os.Args[3])
	requests, _ := strconv.Atoi(os.Args[4])
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
	}
	var all sync.WaitGroup
	for i := 0; i < connections; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			get(&http.Client{Transport: transport}, os.Args[2], requests)
		}()
	}
	all.Wait()
}
