// A server and a client on Go's own net/http and crypto/tls, HTTP/1.1 only where not said:
//
//	tls_go server PORT CERTIFICATE KEY
//	tls_go server2 PORT CERTIFICATE KEY (HTTP/2 as well)
//	tls_go slow PORT CERTIFICATE KEY (as tls_slow_answers.py)
//	tls_go listener PORT CERTIFICATE KEY (crypto/tls alone: it shakes hands inside the first read)
//	tls_go dial PORT PATH REQUESTS (shakes hands inside the first write; a connection each)
//	tls_go client URL CONNECTIONS REQUESTS
//	tls_go client2 URL CONNECTIONS REQUESTS (HTTP/2: so many at a time, on one connection)
//	tls_go turns URL, turns2 URL (one connection, of HTTP/2; asks for each path of its input, and tells the status)
//	tls_go ends PORT ROWS [CERTIFICATE KEY] (as ends.py)
//	tls_go mixed PORT CLIENT CONNECTIONS REQUESTS (as tls_mixed.py)
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

func serve(port, certificate, key string) error {
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		switch {
		case os.Args[1] == "slow":
			began := time.Now()
			answer.Header().Set("Content-Length", "60000000")
			answer.Write(make([]byte, 60000000))
			fmt.Println(time.Since(began).Seconds())
			return
		case strings.HasPrefix(request.URL.Path, "/none"):
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(request.URL.Path, "/collected"):
			runtime.GC() // the objects of connections that ended make room for the next ones
		case strings.HasPrefix(request.URL.Path, "/fail"):
			answer.WriteHeader(500)
		case strings.HasPrefix(request.URL.Path, "/file"):
			http.ServeContent(answer, request, "file", time.Time{}, bytes.NewReader(make([]byte, 100000)))
			return
		case strings.HasPrefix(request.URL.Path, "/upload"):
			io.Copy(io.Discard, request.Body)
		case strings.HasPrefix(request.URL.Path, "/big"):
			answer.Write(make([]byte, 1000000))
			return
		}
		fmt.Fprintln(answer, "ok")
	})
	server := &http.Server{Addr: "127.0.0.1:" + port}
	if os.Args[1] != "server2" {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	return server.ListenAndServeTLS(certificate, key)
}

func listen(port, certificate, key string) error {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:"+port, &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			request, err := http.ReadRequest(bufio.NewReader(connection))
			if err != nil || strings.HasPrefix(request.URL.Path, "/none") {
				return
			}
			runtime.GC()
			io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
		}()
	}
}

func dial(port, path string) {
	socket, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	connection := tls.Client(socket, &tls.Config{InsecureSkipVerify: true})
	defer connection.Close()
	io.WriteString(connection, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	io.CopyN(io.Discard, connection, 41)
	runtime.GC()
}

func turns(url string) {
	client := &http.Client{Transport: transport(1)}
	for paths := bufio.NewScanner(os.Stdin); paths.Scan(); {
		reply, err := client.Get(url + paths.Text())
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
		fmt.Println(reply.StatusCode)
	}
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
	if os.Args[1] == "client2" || os.Args[1] == "turns2" {
		return &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			ForceAttemptHTTP2: true,
		}
	}
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
	if os.Args[1] == "server" || os.Args[1] == "server2" || os.Args[1] == "slow" {
		panic(serve(os.Args[2], os.Args[3], os.Args[4]))
	}
	if os.Args[1] == "listener" {
		panic(listen(os.Args[2], os.Args[3], os.Args[4]))
	}
	if os.Args[1] == "turns" || os.Args[1] == "turns2" {
		turns(os.Args[2])
		return
	}
	if os.Args[1] == "ends" {
		ends(os.Args[2:])
		return
	}
	if os.Args[1] == "dial" {
		requests, _ := strconv.Atoi(os.Args[4])
		for i := 0; i < requests; i++ {
			dial(os.Args[2], os.Args[3])
		}
		return
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
