// A server and a client on Go's own net/http and crypto/tls, HTTP/1.1 only:
//
//	tls_go server PORT CERTIFICATE KEY
//	tls_go client URL CONNECTIONS REQUESTS
//	tls_go mixed PORT CLIENT CONNECTIONS REQUESTS (as tls_mixed.py)
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand"
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

func transport(connections int) *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
	}
}

func mixed(port string, client, connection, requests int) {
	kept := &http.Client{Transport: transport(1)}
	for number := 0; number < requests; number++ {
		kind := "ok"
		if number%7 == 3 {
			kind = "fail"
		}
		request, err := http.NewRequest("GET",
			fmt.Sprintf("https://127.0.0.1:%s/%s/%d/%d/%d", port, kind, client, connection, number), nil)
		if err != nil {
			panic(err)
		}
		request.Header.Set("traceparent", fmt.Sprintf("00-%04x%04x%08x%016x-%016x-03",
			client, connection, number, rand.Uint64(), number+1))
		reply, err := kept.Do(request)
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
	if os.Args[1] == "mixed" {
		client, _ := strconv.Atoi(os.Args[3])
		connections, _ := strconv.Atoi(os.Args[4])
		requests, _ := strconv.Atoi(os.Args[5])
		var all sync.WaitGroup
		for connection := 0; connection < connections; connection++ {
			all.Add(1)
			go func(connection int) {
				defer all.Done()
				mixed(os.Args[2], client, connection, requests)
			}(connection)
		}
		all.Wait()
		return
	}
	connections, _ := strconv.Atoi(os.Args[3])
	requests, _ := strconv.Atoi(os.Args[4])
	shared := transport(connections)
	var all sync.WaitGroup
	for i := 0; i < connections; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			get(&http.Client{Transport: shared}, os.Args[2], requests)
		}()
	}
	all.Wait()
}
