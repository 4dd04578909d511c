// A TLS client in Go: the smallest program that carries crypto/tls. Tests build it in several ways
// and look for its functions.
package main

import (
	"crypto/tls"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go_tls HOST:PORT")
		os.Exit(2)
	}
	connection, err := tls.Dial("tcp", os.Args[1], &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answer := make([]byte, 4096)
	length, err := connection.Read(answer)
	fmt.Println(length, err)
}
